package import Kernel
package import Storage

/// Delivers one message of the outbox: five calls at most (domain specification §7.2).
///
/// That a call begins is committed before it does, so an attempt that finds a call
/// begun and not settled (the process died, the answer did not come) knows that
/// the provider may have the message; see ``MessageSender/Doubt`` for what it does then.
package struct DeliverEvent: Job {
    package static let name = "outbox.deliver_event"
    package static let queue = Queue.notifications
    package static let retry = RetryPolicy(
        waits: [.seconds(30), .seconds(120), .seconds(600), .seconds(1_800)])
    package static let timeout = Duration.seconds(60)
    /// How long a call that got no answer may go on at the provider, before what
    /// became of it can be looked up.
    static let lookUpDelay = Duration.seconds(60)

    package var message: ULID

    package init(message: ULID) { self.message = message }

    package var uniqueKey: String? { "outbox:\(message)" }

    package func run(_ attempt: JobAttempt) async throws {
        let id = message
        guard let message = try await attempt.database.read({ try OutboxMessage.find(id, $0) }) else {
            return try await attempt.settle { _, _ in .discard(error: "the outbox has no message \(id)") }
        }
        guard message.status.isOpen else { return }
        let sender = MessageSender.of(message.kind, attempt.context.configuration)
        var delivery = MessageDelivery(message: message, sender: sender, attempt: attempt)
        guard try await delivery.resolveDoubt() else { return }
        try await delivery.send()
    }

    /// The worker gave up without an outcome: the message ends as what is known of it.
    package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
        guard let message = try OutboxMessage.lock(message, tx), message.status.isOpen else { return }
        try message.close(
            message.status == .sending ? .unknown : .failed, "the delivery was given up", tx, context,
            now: context.environment.now())
    }
}
