import JSON
import Kernel
import Storage

/// Replays a stored webhook event through its handler.
///
/// The handler runs inside the command's transaction, so a dry run shows what
/// it really does and rolls it back. The replay is a row of its own, linked to
/// the original it copies; chains stay flat, because a replay of a replay is
/// a replay of the original.
struct ReplayWebhook: Command {
    static let name = "webhook_replay"
    static let title = "Replay webhook"
    static let summary =
        "Process a stored webhook event again. Dry run unless dry_run is false; then it asks to be confirmed."
    static let effect = Effect.reversible
    static let route = Route.post("webhooks/:event_id/replay")
    static let cost = 5

    @Input("Ledger id, as returned by webhooks_list.") var eventID: ULID
    @Input("Show what would happen and change nothing.") var dryRun = true
    @Input("Replay even though the event was processed; needs a reason.") var force = false
    @Input("Why; kept in the audit log.", .length(3...500)) var reason: String?

    var subject: Subject? { Subject("webhook", eventID.description) }
    var isDryRun: Bool { dryRun }
    var needsConfirmation: Bool { true }
    var confirmationQuestion: String { "Replay webhook event \(eventID) through its handler now?" }

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            var requestID: String
            var generatedAt: Instant
            var dryRun: Bool
        }
        struct Result: Codable, Sendable {
            var status: String
            var replayEventID: ULID?
            var error: String?
        }
        var meta: Meta
        /// What happened; null unless it did.
        var result: Result?
        var event: WebhookSummary?
        var note: String?
        /// What the handler did when it was tried and rolled back.
        var expected: Result?
    }

    static func verdict(on output: Output) -> (status: AuditStatus, error: String?) {
        output.result?.status == "failed" ? (.failed, output.result?.error) : (.success, nil)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let event = try WebhookEvent.lock(eventID, tx) else { throw Failure.unknownWebhook(eventID) }
        let original = try event.replayOf.flatMap { try WebhookEvent.lock($0, tx) } ?? event
        try check(original)
        let replay = try WebhookReplay.run(original, reason: reason, tx, context)
        let result = Output.Result(
            status: replay.isSuccess ? "replayed" : "failed",
            replayEventID: context.mode == .commit ? replay.id : nil, error: replay.error)
        let meta = Output.Meta(
            requestID: context.requestID, generatedAt: context.now, dryRun: context.mode == .dryRun)
        switch context.mode {
        case .commit:
            return Output(meta: meta, result: result, event: nil, note: nil, expected: nil)
        case .dryRun, .awaitingConfirmation:
            let note = context.mode == .dryRun ? "dry_run_only" : "confirmation_required"
            return Output(
                meta: meta, result: nil, event: WebhookSummary(original), note: note, expected: result)
        }
    }

    private func check(_ event: WebhookEvent) throws {
        if event.status == .processing || event.status == .received {
            throw Failure(
                .conflict, "The event is \(event.status.rawValue): its first attempt has not ended.",
                hint: "Look at webhook_detail in a few seconds.", reason: "webhook_in_progress")
        }
        if force, reason == nil {
            throw Failure.invalid([.init("reason", "is required when force is true")])
        }
        guard event.status == .processed || event.isResolved, !force else { return }
        let why = event.isResolved ? "was replayed successfully" : "was processed"
        throw Failure(
            .conflict, "The event \(why) at \(event.processedAt.map { "\($0)" } ?? "an unknown time").",
            hint: "To run it once more all the same, pass force=true and a reason.",
            reason: "webhook_already_processed")
    }
}
