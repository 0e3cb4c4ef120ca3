import JSON
package import Storage

/// One more run of a stored event, as a row of its own.
package struct WebhookReplay: Sendable {
    package var id: ULID
    package var isSuccess: Bool
    package var error: String?

    /// Runs the handler on a copy of `original` and records how it went: the
    /// copy's row and attempt, the original's count and, on success, that it
    /// is resolved and needs no further retry.
    ///
    /// - Precondition: `original` is locked by `tx` and is not a replay itself.
    package static func run(_ original: WebhookEvent, reason: String?, _ tx: Transaction, _ context: Context)
        throws
        -> WebhookReplay
    {
        let unit = try tx.unit
        var copy = original
        copy.id = context.newID()
        copy.replayOf = original.id
        let start = ContinuousClock.now
        let result: HandlerResult
        if let source = context.environment.webhookSources[original.source] {
            result = HandlerResult.of(source, copy, tx, unit)
        } else {
            result = .failed("unsupported_source:\(original.source)", retry: false)
        }
        let replay = WebhookReplay(id: copy.id, isSuccess: result.error == nil, error: result.error)
        try replay.store(copy, original, result, ContinuousClock.now - start, tx, context)
        try tx.audit(
            "webhook.replay", Subject("webhook", original.id.description),
            changes: changes(
                from: ["replay_count": .int(original.replayCount)],
                to: ["replay_count": .int(original.replayCount + 1)]),
            description: "Webhook \(original.eventType) replayed",
            status: replay.isSuccess ? .success : .failed,
            metadata: [
                "replay_event_id": .string(copy.id.description),
                "original_status": .string(original.status.rawValue),
                "reason": reason.map { .string($0) } ?? .null,
            ], error: replay.error)
        return replay
    }

    private func store(
        _ copy: WebhookEvent, _ original: WebhookEvent, _ result: HandlerResult, _ duration: Duration,
        _ tx: Transaction, _ context: Context
    ) throws {
        let milliseconds = Int(duration / .milliseconds(1))
        let status: WebhookStatus = isSuccess ? .replayed : .failed
        let related = result.related ?? original.related
        try tx.run(
            """
            INSERT INTO webhook_events (id, source, event_type, event_id, payload, headers, status, \
            processing_error, processing_duration_ms, idempotency_key, related_entity_type, related_entity_id, \
            received_at, processed_at, replay_of, replay_count, attempt_count, delivery_count, request_id, ip)
            VALUES (\(id), \(copy.source), \(copy.eventType), NULL, \(copy.payload), \(copy.headers), \(status), \
            \(error), \(milliseconds), \("replay_\(original.id)_\(original.replayCount + 1)"), \(related?.type), \
            \(related?.id), \(context.now), \(context.environment.now()), \(original.id), 0, 1, 0, \
            \(context.requestID), \(context.ip))
            """)
        try tx.run(
            """
            INSERT INTO webhook_attempts (webhook_id, attempt, started_at, duration_ms, outcome, error, worker, \
            deploy_sha) VALUES (\(id), 1, \(context.now), \(milliseconds), \(status), \(error), NULL, \
            \(context.configuration.gitSHA))
            """)
        try WebhookEvent.count(1, id, copy.source, copy.eventType, status, tx)
        try tx.run(
            """
            UPDATE webhook_events SET replay_count = replay_count + 1, \
            resolved_by = COALESCE(\(isSuccess ? id : nil), resolved_by) WHERE id = \(original.id)
            """)
        if isSuccess {
            try JobQueue.cancel(uniqueKey: ProcessWebhook(webhook: original.id).uniqueKey ?? "", tx)
        }
    }
}
