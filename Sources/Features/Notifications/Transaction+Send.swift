import JSON
package import Kernel
package import Storage

extension Transaction {
    /// Adds a message to the outbox, and the job that delivers it: both exist if and
    /// only if the transaction commits.
    ///
    /// A second message with the same idempotency key is the first one: nothing is
    /// added, whatever it says. In a preview the message is an effect; its recipient
    /// is masked there.
    ///
    /// - Returns: the message's id, or that of the first one.
    /// - Throws: ``Kernel/Failure`` for a message that no provider would take.
    @discardableResult
    package func send(_ message: OutgoingMessage) throws -> ULID {
        let problems = message.problems
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        let unit = try unit
        let context = unit.context
        let added: ULID? = try value(
            """
            INSERT INTO event_outbox (id, kind, event_type, aggregate_id, recipient, subject, body, html, \
            idempotency_key, status, attempt_count, next_attempt_at, request_id, created_at, updated_at)
            VALUES (\(context.newID()), \(message.kind), \(message.eventType), \(message.aggregateID), \
            \(message.recipient), \(message.subject), \(message.text), \(message.html), \
            \(message.idempotencyKey), 'PENDING', 0, \(context.now), \(context.requestID), \(context.now), \
            \(context.now)) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
            """)
        guard let added else { return try first(message.idempotencyKey) }
        let recipient: JSONObject = ["new": .string(Recipient.masked(message.recipient))]
        unit.note(
            EffectPreview(
                kind: "message", action: message.eventType, resourceType: message.kind.rawValue,
                resourceID: added.description, changes: RawJSON(.object(["recipient": .object(recipient)]))))
        try enqueue(DeliverEvent(message: added))
        return added
    }

    private func first(_ key: String) throws -> ULID {
        guard let id: ULID = try value("SELECT id FROM event_outbox WHERE idempotency_key = \(key)") else {
            throw Failure(.internal, "The outbox has and has not the key of a message.")
        }
        return id
    }
}
