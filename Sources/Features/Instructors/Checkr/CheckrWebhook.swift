import JSON
package import Kernel
package import Storage

/// Checkr telling us how a background check goes.
///
/// Source: docs.checkr.com (signature, event shape); domain specification §3.3
/// and §5.2. Two factors are required: Basic credentials and the signature.
package struct CheckrWebhook: WebhookSource {
    package static let name = "checkr"
    package static let path = "/api/v1/webhooks/checkr"

    package static func verify(_ request: WebhookRequest, _ context: Context) throws -> Delivery {
        guard let account = CheckrAccount.of(context.configuration) else {
            throw WebhookRefusal(
                500, "not_configured",
                "CHECKR_API_KEY, CHECKR_WEBHOOK_USER and CHECKR_WEBHOOK_PASS must be set; the event was not accepted."
            )
        }
        guard let credentials = BasicCredentials(header: request.header("authorization")) else {
            throw WebhookRefusal(401, "missing_credentials", "Basic credentials are missing or malformed.")
        }
        let expected = BasicCredentials(user: account.webhookUser, password: account.webhookPassword)
        guard credentials.matches(expected) else {
            throw WebhookRefusal(403, "wrong_credentials", "The Basic credentials are wrong.")
        }
        guard let signature = request.header("x-checkr-signature") else {
            throw WebhookRefusal(401, "missing_signature", "The X-Checkr-Signature header is missing.")
        }
        do { try CheckrSignature.verify(header: signature, body: request.body, apiKey: account.apiKey) } catch
        {
            throw WebhookRefusal(401, "invalid_signature", "The signature does not verify: \(error).")
        }
        guard let payload = try? JSONValue(parsing: request.body), case .object = payload,
            let type = Delivery.name(payload["type"], maximum: 100)
        else {
            throw WebhookRefusal(400, "invalid_event", "The body must be a JSON object with the text 'type'.")
        }
        return Delivery(
            eventID: Delivery.name(payload["id"], maximum: 255), eventType: type,
            deliveryID: request.header("x-checkr-delivery-id").map { String($0.prefix(255)) },
            payload: payload)
    }

    package static func handle(_ event: WebhookEvent, _ tx: Transaction, _ context: Context) throws
        -> HandledWebhook
    {
        let body = try event.body
        let object = body["data"]?["object"] ?? .object([:])
        guard event.eventType.hasPrefix("report.") || event.eventType.hasPrefix("invitation.") else {
            return .processed(related: nil)
        }
        let at = body["created_at"]?.stringValue.flatMap { Instant(parsing: $0) } ?? event.receivedAt
        guard let candidate = object["candidate_id"]?.stringValue else {
            // With include_object off, Checkr names the report and leaves out what it says.
            guard event.eventType.hasPrefix("report."), let report = object["id"]?.stringValue else {
                throw Failure(
                    .invalidInput,
                    "data.object.candidate_id is missing; switch include_object on for the webhook at Checkr."
                )
            }
            try tx.enqueue(FetchReport(report: report, event: event.eventType, at: at))
            return .processed(related: nil)
        }
        guard let profile = try InstructorProfile.lock(candidate: candidate, tx) else {
            return .unmatched("no instructor has the candidate \(candidate)")
        }
        try apply(event.eventType, object, profile, at, tx, context)
        return .processed(related: profile.subject)
    }

    static func apply(
        _ type: String, _ object: JSONValue, _ profile: InstructorProfile, _ at: Instant, _ tx: Transaction,
        _ context: Context
    ) throws {
        switch type {
        case "invitation.created", "invitation.completed":
            try profile.invited(object["id"]?.stringValue, at: at, tx, context)
            try profile.check(.pending, at: at, tx, context)
        case "report.created", "report.resumed", "report.deferred", "report.upgrade_failed",
            "report.suspended":
            try profile.check(.pending, at: at, note: type, tx, context)
        case "report.updated":
            if let eta = object["estimated_completion_time"]?.stringValue.flatMap(Self.date) {
                try profile.estimate(eta, at: at, tx, context)
            }
        case "report.completed":
            try complete(try completed(object, at), profile, at, tx, context)
        case "report.canceled": try profile.check(.canceled, at: at, tx, context)
        case "report.disputed": try profile.check(.consider, at: at, tx, context)
        default: break
        }
    }

    private static func complete(
        _ report: CompletedReport, _ profile: InstructorProfile, _ at: Instant, _ tx: Transaction,
        _ context: Context
    ) throws {
        try profile.reported(report, tx, context)
        let isInForce = try profile.check(report.isClear ? .passed : .review, at: at, tx, context)
        if isInForce, !report.isClear { try profile.tellOfReview(tx, context) }
    }

    private static func completed(_ object: JSONValue, _ at: Instant) throws -> CompletedReport {
        guard let report = object["id"]?.stringValue,
            let verdict = object["assessment"]?.stringValue ?? object["result"]?.stringValue
        else {
            throw Failure(
                .invalidInput,
                "The completed report has neither an assessment nor a result; fetch it at Checkr.")
        }
        return CompletedReport(
            id: report, verdict: verdict, package: object["package"]?.stringValue,
            completedAt: object["completed_at"]?.stringValue.flatMap { Instant(parsing: $0) } ?? at,
            includesCanceled: object["includes_canceled"]?.boolValue ?? false)
    }

    /// Checkr gives estimates as a time or as a date alone.
    private static func date(_ text: String) -> Instant? {
        Instant(parsing: text) ?? Instant(parsing: "\(text.prefix(10))T00:00:00Z")
    }
}
