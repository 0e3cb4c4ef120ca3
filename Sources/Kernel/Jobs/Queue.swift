/// A queue of jobs, and how many of them one process runs at a time.
///
/// A process that works takes from every queue unless `WORKER_QUEUES` says which; a
/// queue's limit keeps slow work of one kind from holding up another.
package struct Queue: Sendable, Hashable {
    package let name: String
    /// Jobs at a time in one process.
    package let concurrency: Int

    package init(_ name: String, concurrency: Int) {
        self.name = name
        self.concurrency = concurrency
    }

    /// Whatever has no queue of its own.
    package static let standard = Queue("celery", concurrency: 8)
    package static let payments = Queue("payments", concurrency: 8)
    package static let notifications = Queue("notifications", concurrency: 8)
    package static let email = Queue("email", concurrency: 4)
    package static let analytics = Queue("analytics", concurrency: 2)
    package static let privacy = Queue("privacy", concurrency: 2)
    package static let maintenance = Queue("maintenance", concurrency: 2)
    /// What sources told us.
    package static let webhooks = Queue("webhooks", concurrency: 64)

    /// Every queue there is (domain specification §7.2, and `webhooks`).
    package static let all: [Queue] = [
        standard, payments, notifications, email, analytics, privacy, maintenance, webhooks,
    ]
}
