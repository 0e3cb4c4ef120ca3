package import Kernel
import Storage

/// Sends one webhook of the built-in Checkr to our own endpoint, signed as Checkr signs.
package struct DeliverSandboxEvent: Job {
    package static let name = "checkr_sandbox.deliver"
    package static let retry = RetryPolicy(maximumAttempts: 10, base: .seconds(5), cap: .seconds(300))
    package static let timeout = Duration.seconds(30)

    package var event: String

    package init(event: String) { self.event = event }

    package var uniqueKey: String? { "checkr_sandbox:\(event)" }

    package func run(_ attempt: JobAttempt) async throws {
        let (event, settings) = (event, attempt.context.configuration)
        let payload = try await attempt.database.read { db in
            try db.value("SELECT payload FROM checkr_sandbox_events WHERE id = \(event)", as: String.self)
        }
        guard let payload, let account = CheckrAccount.of(settings), account.isBuiltIn else {
            return try await attempt.settle { _, _ in .discard(error: "the built-in Checkr is gone") }
        }
        let body = Array(payload.utf8)
        let credentials = BasicCredentials(user: account.webhookUser, password: account.webhookPassword)
        let request = Clients.HTTPRequest(
            .post, Self.address(settings) + CheckrWebhook.path,
            headers: [
                ("Content-Type", "application/json"), ("User-Agent", "Checkr-Webhook/sandbox"),
                ("Authorization", credentials.header),
                ("X-Checkr-Signature", CheckrSignature.sign(body: body, apiKey: account.apiKey)),
            ], body: body, timeout: .seconds(15))
        let status: Int
        do { status = try await attempt.context.clients.send(request).status } catch let problem
            as Clients.HTTPProblem
        {
            return try await attempt.settle { _, _ in .retry(error: "our own endpoint: \(problem)") }
        }
        try await attempt.settle { tx, unit in
            guard (200...299).contains(status) else { return .retry(error: "our own endpoint: \(status)") }
            try tx.run(
                """
                UPDATE checkr_sandbox_events SET delivered_at = \(unit.context.environment.now()) WHERE id = \(event)
                """)
            return .completed
        }
    }

    /// Where this server answers, as far as its settings tell.
    static func address(_ settings: Configuration) -> String {
        if let url = settings.publicURL { return url.last == "/" ? String(url.dropLast()) : url }
        let host = ["0.0.0.0", "::", ""].contains(settings.host) ? "127.0.0.1" : settings.host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(settings.port)"
    }
}
