import JSON
package import Storage

/// Processes one stored webhook event through its source's handler.
///
/// The handler's changes, the event's new state, the attempt row and the
/// job's outcome are one transaction, so an event takes effect once however
/// often the process dies. Events that were claimed together share one, each
/// under a savepoint of its own: a handler that throws is undone alone.
package struct ProcessWebhook: Job {
    package static let name = "webhooks.process"
    package static let retry = RetryPolicy(maximumAttempts: 5, base: .seconds(10), cap: .seconds(1_800))
    package static let queue = Queue.webhooks
    package static let isDatabaseOnly = true
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
        var counts = TallyChanges(WebhookEvent.tally)
        for row in moved {
            let at = try row.get(at: 3, as: ULID.self).instant
            let (source, type): (String, String) = (try row.get(at: 0), try row.get(at: 1))
            counts.add(-1, at: at, [source, type, try row.get(at: 2)])
            counts.add(1, at: at, [source, type, WebhookStatus.processing.rawValue])
        }
        try tx.runMany(
            ["UPDATE webhook_events SET status = 'processing' WHERE id \(in: ids)"] + counts.statements)
    }

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, _ in
            try Self.process([(self, attempt)], tx).first ?? .completed
        }
    }

    package static var together: JobGroup<ProcessWebhook>? {
        { attempts, tx in try process(attempts, tx) }
    }

    /// Runs the handler of each event, and writes how all of them ended.
    private static func process(_ attempts: [(job: ProcessWebhook, attempt: JobAttempt)], _ tx: Transaction)
        throws -> [JobOutcome]
    {
        let events = try WebhookEvent.lock(attempts.map(\.job.webhook), tx)
        var closing = Closing()
        let outcomes = try attempts.map { job, attempt in
            guard let event = events[job.webhook] else {
                return JobOutcome.discard(error: "the ledger has no event \(job.webhook)")
            }
            let start = ContinuousClock.now
            let result = Self.handle(event, attempt, tx)
            // It met others that hold what it needs; alone it may wait for them.
            if attempts.count > 1, let failure = tx.contention { throw failure }
            return closing.finish(event, result, attempt, ContinuousClock.now - start)
        }
        let entries = tx.takeKept().compactMap { $0 as? AuditEntry }
        try tx.runMany(AuditLog.inserts(entries) + closing.statements)
        return outcomes
    }

    private static func handle(_ event: WebhookEvent, _ attempt: JobAttempt, _ tx: Transaction)
        -> HandlerResult
    {
        guard let source = attempt.context.environment.webhookSources[event.source] else {
            return .failed("no source '\(event.source)' is registered", retry: false)
        }
        let unit = attempt.unit(keepsEntries: true)
        // What it changes is the source's doing, not the worker's.
        return tx.acting(unit) {
            unit.acting(as: .webhook(event.source)) { HandlerResult.of(source, event, tx, unit) }
        }
    }

    package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
        guard let event = try WebhookEvent.lock(webhook, tx),
            event.status == .processing || event.status == .failed
        else { return }
        try event.move(
            to: .deadLetter, "processing_error = \(reason), processed_at = \(context.environment.now())", tx)
    }

    /// Collects what is written of events that were handled in one transaction.
    private struct Closing {
        private var events: [SQL] = []
        private var attempts: [SQL] = []
        private var counts = TallyChanges(WebhookEvent.tally)

        var statements: [SQL] {
            SQL.inserts(
                """
                WITH closing (id, status, error, at, took, related_type, related_id) AS (VALUES
                """, events,
                """
                ) UPDATE webhook_events SET status = closing.status, processing_error = closing.error, \
                processed_at = closing.at, processing_duration_ms = closing.took, \
                attempt_count = attempt_count + 1, related_entity_type = closing.related_type, \
                related_entity_id = closing.related_id FROM closing WHERE webhook_events.id = closing.id
                """)
                + SQL.inserts(
                    """
                    INSERT INTO webhook_attempts (webhook_id, attempt, started_at, duration_ms, outcome, error, \
                    worker, deploy_sha) VALUES
                    """, attempts) + counts.statements
        }

        /// Notes the event's new state and the attempt; decides what the job does next.
        mutating func finish(
            _ event: WebhookEvent, _ result: HandlerResult, _ attempt: JobAttempt, _ duration: Duration
        ) -> JobOutcome {
            let now = attempt.context.environment.now()
            let milliseconds = Int(duration / .milliseconds(1))
            let (status, outcome) = ProcessWebhook.verdict(event, result, attempt.record)
            let related = result.related ?? event.related
            counts.add(-1, at: event.id.instant, [event.source, event.eventType, event.status.rawValue])
            counts.add(1, at: event.id.instant, [event.source, event.eventType, status.rawValue])
            events.append(
                """
                (\(event.id), \(status), \(result.error), \(now), \(milliseconds), \(related?.type), \
                \(related?.id))
                """)
            attempts.append(
                """
                (\(event.id), \(event.attemptCount + 1), \(now - duration), \(milliseconds), \(status), \
                \(result.error), \(attempt.record.worker), \(attempt.context.configuration.gitSHA))
                """)
            return outcome
        }
    }

    private static func verdict(_ event: WebhookEvent, _ result: HandlerResult, _ job: JobRecord)
        -> (WebhookStatus, JobOutcome)
    {
        switch result {
        case .processed: (event.replayOf == nil ? .processed : .replayed, .completed)
        case .unmatched(let why):
            (.unmatched, job.attempt >= unmatchedAttempts ? .completed : .retry(error: why))
        case .failed(let error, retry: true) where job.attempt < job.maximumAttempts:
            (.failed, .retry(error: error))
        case .failed(let error, _): (.deadLetter, .discard(error: error))
        }
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
