import Kernel
import Storage

/// Takes the address out of the last message to somebody who was forgotten, once it is sent.
struct ForgetMessage: Job {
    static let name = "privacy.forget_message"
    static let queue = Queue.privacy
    static let priority = 3
    static let isDatabaseOnly = true
    /// How long the message may wait for its provider before it is forgotten unsent.
    static let patience = Duration.seconds(86_400)

    var message: ULID

    func run(_ attempt: JobAttempt) async throws {
        let id = message
        try await attempt.settle { tx, unit in
            let now = unit.context.environment.now()
            let row = try tx.rows("SELECT status, created_at FROM event_outbox WHERE id = \(id)").first
            guard let row else { return .completed }
            let isWaiting = ["PENDING", "SENDING"].contains(try row.get(at: 0, as: String.self))
            if isWaiting, now - (try row.get(at: 1, as: Instant.self)) < Self.patience {
                return .snooze(.seconds(5))
            }
            try tx.run("DELETE FROM mailbox_messages WHERE id = \(id)")
            try tx.run("UPDATE event_outbox SET \(PersonalTable.outboxBlank) WHERE id = \(id)")
            return .completed
        }
    }
}

extension PersonalTable {
    /// A message that still waits is not sent any more; one that is under way ends as it will.
    static let outboxBlank: SQL = """
        recipient = 'deleted', subject = CASE WHEN kind = 'sms' THEN NULL ELSE 'deleted' END, body = 'deleted', \
        html = NULL, last_error = NULL, status = CASE WHEN status = 'PENDING' THEN 'FAILED' ELSE status END, \
        next_attempt_at = CASE WHEN status = 'PENDING' THEN NULL ELSE next_attempt_at END
        """
}
