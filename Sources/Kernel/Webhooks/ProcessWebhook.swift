import JSON
package import Storage

/// Processes one stored webhook event through its source's handler.
///
/// The handler's changes, the event's new state, the attempt row and the
/// job's outcome are one transaction, so an event takes effect once however
/// often the process dies. A handler that throws is undone alone.
package struct ProcessWebhook: Job {
    package static let name = "webhooks.process"
    package static let retry = RetryPolicy(maximumAttempts: 5, base: .seconds(10), cap: .seconds(1_800))
    /// Attempts after which an event that matches nothing stays `unmatched`.
    static let unmatchedAttempts = 3

    package var webhook: ULID

    package init(webhook: ULID) { self.webhook = webhook }

    package var uniqueKey: String? { "webhook:\(webhook)" }

    package static func claimed(_ jobs: [ProcessWebhook], _ tx: Transaction, _ context: Context) throws {
        let ids = jobs.map(\.webhook.description)
        let moved = try tx.rows(
            """
            SELECT source, event_type, status, id FROM webhook_events
            WHERE id \(in: ids) AND status <> 'processing'
            """)
        try tx.run("UPDATE webhook_events SET status = 'processing' WHERE id \(in: ids)")
        var sums: [[String]: (Instant, Int)] = [:]
        for row in moved {
            let at = Tally.floor(try row.get(at: 3, as: ULID.self).instant)
            let key: [String] = [try row.get(at: 0), try row.get(at: 1), try row.get(at: 2), at.description]
            sums[key] = (at, (sums[key]?.1 ?? 0) + 1)
        }
        for (key, (at, count)) in sums.sorted(by: { $0.key.joined() < $1.key.joined() }) {
            try WebhookEvent.tally.add(-count, at: at, [key[0], key[1], key[2]], tx)
            try WebhookEvent.tally.add(
                count, at: at, [key[0], key[1], WebhookStatus.processing.rawValue], tx)
        }
    }

    package func run(_ attempt: JobAttempt) async throws {
        let sources = attempt.context.environment.webhookSources
        let deploySHA = attempt.context.configuration.gitSHA
        try await attempt.settle { tx, unit in
            guard let event = try WebhookEvent.lock(webhook, tx) else {
                return .discard(error: "the ledger has no event \(webhook)")
            }
            guard let source = sources[event.source] else {
                return try Self.finish(
                    event, .failed("no source '\(event.source)' is registered", retry: false), attempt.record,
                    .zero,
                    deploySHA, tx, unit)
            }
            let start = ContinuousClock.now
            // What it changes is the source's doing, not the worker's.
            let result = unit.acting(as: .webhook(event.source)) { HandlerResult.of(source, event, tx, unit) }
            let duration = ContinuousClock.now - start
            return try Self.finish(event, result, attempt.record, duration, deploySHA, tx, unit)
        }
    }

    package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
        guard let event = try WebhookEvent.lock(webhook, tx),
            event.status == .processing || event.status == .failed
        else { return }
        try event.move(
            to: .deadLetter, "processing_error = \(reason), processed_at = \(context.environment.now())", tx)
    }

    /// Writes the event's new state and the attempt; decides what the job does next.
    private static func finish(
        _ event: WebhookEvent, _ result: HandlerResult, _ job: JobRecord, _ duration: Duration,
        _ sha: String?,
        _ tx: Transaction, _ unit: UnitOfWork
    ) throws -> JobOutcome {
        let now = unit.context.environment.now()
        let milliseconds = Int(duration / .milliseconds(1))
        let status: WebhookStatus
        let outcome: JobOutcome
        switch result {
        case .processed: (status, outcome) = (event.replayOf == nil ? .processed : .replayed, .completed)
        case .unmatched(let why):
            let isLast = job.attempt >= unmatchedAttempts
            (status, outcome) = (.unmatched, isLast ? .completed : .retry(error: why))
        case .failed(let error, retry: true) where job.attempt < job.maximumAttempts:
            (status, outcome) = (.failed, .retry(error: error))
        case .failed(let error, _): (status, outcome) = (.deadLetter, .discard(error: error))
        }
        let related = result.related ?? event.related
        try event.move(
            to: status,
            """
            processing_error = \(result.error), processed_at = \(now), processing_duration_ms = \(milliseconds), \
            attempt_count = attempt_count + 1, related_entity_type = \(related?.type), \
            related_entity_id = \(related?.id)
            """, tx)
        try tx.run(
            """
            INSERT INTO webhook_attempts (webhook_id, attempt, started_at, duration_ms, outcome, error, worker, \
            deploy_sha) VALUES (\(event.id), \(event.attemptCount + 1), \(now - duration), \(milliseconds), \
            \(status), \(result.error), \(job.worker), \(sha))
            """)
        return outcome
    }
}

/// What running a handler gave, an error included.
package enum HandlerResult: Sendable {
    case processed(related: Subject?)
    case unmatched(String)
    case failed(String, retry: Bool)

    package var error: String? {
        switch self {
        case .processed: nil
        case .unmatched(let why): why
        case .failed(let error, _): error
        }
    }

    var related: Subject? { if case .processed(let related) = self { related } else { nil } }

    /// Runs the handler under a savepoint: what a throwing handler wrote, and
    /// the effects it announced, are undone; the transaction goes on.
    package static func of(
        _ source: any WebhookSource.Type, _ event: WebhookEvent, _ tx: Transaction, _ unit: UnitOfWork
    ) -> HandlerResult {
        let mark = unit.effects.count
        do {
            let handled = try tx.savepoint { try source.handle(event, tx, unit.context) }
            switch handled {
            case .processed(let related): return .processed(related: related)
            case .unmatched(let why): return .unmatched(why)
            }
        } catch {
            unit.forget(after: mark)
            let failure = error as? Failure
            let text = failure?.message ?? Redaction.auditChanges.redacted(text: "\(error)")
            // It may quote the payload, so it is cleaned as that is when shown.
            return .failed(
                UntrustedText.cleaned(text, maximumCharacters: 1_000), retry: failure?.isRetryable ?? true)
        }
    }
}
