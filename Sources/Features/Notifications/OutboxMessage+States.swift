import Kernel
import Logging
import Storage

// The only writers of `event_outbox.status` once the row is there.
extension OutboxMessage {
    /// Writes that a call begins now, before it does. Until ``deadline`` a job is busy with it.
    mutating func begin(_ sender: MessageSender, _ tx: Transaction, now: Instant, deadline: Instant) throws {
        // What may have been taken is repeated as it was, or the provider sees two messages.
        if status == .pending { self.sender = sender.address }
        (status, provider, calledAt) = (.sending, sender.name, now)
        attemptCount += 1
        try tx.run(
            """
            UPDATE event_outbox SET status = \(status), provider = \(provider), sender = \(self.sender), \
            called_at = \(now), attempt_count = \(attemptCount), next_attempt_at = \(deadline), \
            updated_at = \(now) WHERE id = \(id)
            """)
    }

    /// It is sent: the words are erased, as the provider or the mailbox has them.
    func sent(_ providerID: String?, _ tx: Transaction, now: Instant) throws {
        try tx.run(
            """
            UPDATE event_outbox SET status = 'SENT', provider_message_id = \(providerID), last_error = NULL, \
            next_attempt_at = NULL, body = NULL, html = NULL, sent_at = \(now), updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// Not yet: it stays open, as one that no provider has or one that it may have.
    func wait(
        _ status: OutboxStatus, until next: Instant, _ error: String, uncounted: Bool = false,
        _ tx: Transaction, now: Instant
    ) throws {
        try tx.run(
            """
            UPDATE event_outbox SET status = \(status), next_attempt_at = \(next), last_error = \(error), \
            attempt_count = \(attemptCount - (uncounted ? 1 : 0)), updated_at = \(now) WHERE id = \(id)
            """)
    }

    /// Given up, as `FAILED` or `UNKNOWN`.
    func close(
        _ status: OutboxStatus, _ error: String, providerID: String? = nil, _ tx: Transaction,
        _ context: Context, now: Instant
    ) throws {
        try tx.run(
            """
            UPDATE event_outbox SET status = \(status), next_attempt_at = NULL, last_error = \(error), \
            provider_message_id = \(providerID), updated_at = \(now) WHERE id = \(id)
            """)
        let (id, eventType, shown, logger) = (id, eventType, Recipient.masked(recipient), context.logger)
        tx.afterCommit {
            logger.warning(
                "a message is given up",
                metadata: [
                    "id": "\(id)", "event_type": "\(eventType)", "recipient": "\(shown)",
                    "status": "\(status.rawValue)", "error": "\(error)",
                ])
        }
    }
}
