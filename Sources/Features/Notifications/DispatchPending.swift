package import Kernel
import Storage

/// Finds messages that are due and that no job will deliver, and enqueues one.
///
/// A message comes with its job, and a job that ends badly closes its message, so
/// this finds something only when jobs were removed by hand or restored from
/// elsewhere.
package struct DispatchPending: ScheduledJob {
    package static let name = "outbox.dispatch_pending"
    package static let queue = Queue.notifications
    package static let priority = 6
    package static let isDatabaseOnly = true
    /// How many due messages one run looks at.
    static let limit = 1_000

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("notifications-dispatch-pending", .every(seconds: 30))]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let now = unit.context.environment.now()
            for id in try OutboxMessage.stranded(Self.limit, tx, now: now) {
                try tx.enqueue(DeliverEvent(message: id))
            }
            return .completed
        }
    }
}
