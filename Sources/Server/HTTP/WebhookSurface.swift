import HTTPTypes
import Hummingbird
import JSON
import Kernel
import Logging
import Storage

/// The endpoints that webhook sources post to.
///
/// 2xx means stored and durable. 4xx is for what will never be accepted, 5xx
/// asks the provider to send it again; what our handler later makes of the
/// event changes none of that.
struct WebhookSurface: Sendable {
    static let maximumBody = 1 << 20

    let platform: Platform

    func addRoutes(to router: Routes) {
        for source in platform.features.flatMap(\.webhooks) {
            router.on(source.path, [.post: { try await receive(source, $0, $1) }])
        }
    }

    private func receive(_ source: any WebhookSource.Type, _ request: Request, _ app: AppContext) async throws
        -> Response
    {
        let body = try await request.bytes(upTo: Self.maximumBody)
        let delivery = WebhookRequest(
            headers: request.headers.map { ($0.name.rawName, $0.value) }, body: body)
        let context = platform.context(request, app, .webhook(source.name), surface: .webhook)
        do {
            let receipt = try await platform.ledger.receive(source, delivery, context)
            platform.metrics.webhook(
                source: source.name, outcome: receipt.isDuplicate ? "duplicate" : "stored")
            return .json(
                JSONValue.object([
                    "ok": true, "status": receipt.isDuplicate ? "duplicate" : "received",
                    "webhook_id": .string(receipt.id.description),
                ]).encoded())
        } catch let refusal as WebhookRefusal {
            platform.metrics.webhook(source: source.name, outcome: refusal.reason)
            context.logger.notice(
                "webhook refused", metadata: ["source": "\(source.name)", "reason": "\(refusal.reason)"])
            if refusal.status == 401 || refusal.status == 403 { try await record(refusal, source, context) }
            throw HTTPRefusal(status: .init(code: refusal.status), detail: refusal.message)
        } catch let error as StorageError {
            platform.metrics.webhook(source: source.name, outcome: "storage_error")
            context.logger.error(
                "webhook not stored", metadata: ["source": "\(source.name)", "error": "\(error)"])
            throw HTTPRefusal(
                status: .serviceUnavailable, detail: "The event could not be stored; please send it again.")
        }
    }

    /// Somebody at the door with wrong keys is worth an entry.
    private func record(_ refusal: WebhookRefusal, _ source: any WebhookSource.Type, _ context: Context)
        async throws
    {
        try await platform.recorder.record(
            AuditEntry(
                context, category: .automated, action: "webhook.receive", subject: Subject("webhook", nil),
                status: .denied, description: "\(source.name) webhook refused", error: refusal.message))
    }
}

extension WebhookLedger.Receipt {
    var isDuplicate: Bool { if case .duplicate = self { true } else { false } }
    var id: ULID {
        switch self {
        case .stored(let id), .duplicate(let id): id
        }
    }
}
