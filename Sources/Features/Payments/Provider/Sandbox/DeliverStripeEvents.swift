package import Kernel
package import Storage

/// Sends the events of one call of the built-in Stripe to our own endpoint, in their order and
/// signed as Stripe signs.
package struct DeliverStripeEvents: Job {
    package static let name = "stripe_sandbox.deliver"
    package static let retry = RetryPolicy(maximumAttempts: 10, base: .seconds(5), cap: .seconds(300))
    package static let timeout = Duration.seconds(60)

    package var events: [String]

    package init(events: [String]) { self.events = events }

    package var uniqueKey: String? { events.first.map { "stripe_sandbox:\($0)" } }

    package func run(_ attempt: JobAttempt) async throws {
        let ids = events
        let payloads = try await attempt.database.read { db in
            try db.values(
                """
                SELECT payload FROM stripe_sandbox_events
                WHERE id \(in: ids) AND delivered_at IS NULL ORDER BY id
                """, as: String.self)
        }
        let own = StripeAccount.sandboxSecrets(attempt.context)
        guard let secret = own.isEmpty ? nil : attempt.context.configuration.stripeSecrets.first ?? own.first
        else {
            return try await attempt.settle { _, _ in .discard(error: "the built-in Stripe is gone") }
        }
        for payload in payloads {
            if let problem = try await Self.send(Array(payload.utf8), secret, attempt.context) {
                return try await attempt.settle { _, _ in .retry(error: "our own endpoint: \(problem)") }
            }
        }
        try await attempt.settle { tx, unit in
            try tx.run(
                """
                UPDATE stripe_sandbox_events SET delivered_at = \(unit.context.environment.now())
                WHERE id \(in: ids)
                """)
            return .completed
        }
    }

    /// What went wrong, if anything did.
    private static func send(_ body: [UInt8], _ secret: String, _ context: Context) async throws -> String? {
        let signature = StripeSignature.sign(
            body: body, secret: secret, seconds: context.environment.now().microseconds / 1_000_000)
        let request = Clients.HTTPRequest(
            .post, DeliverSandboxEvent.address(context.configuration) + StripeWebhook.path,
            headers: [
                ("Content-Type", "application/json"), ("User-Agent", "Stripe/1.0 (built in)"),
                ("Stripe-Signature", signature),
            ], body: body, timeout: .seconds(15))
        do {
            let status = try await context.clients.send(request).status
            return (200...299).contains(status) ? nil : String(status)
        } catch let problem as Clients.HTTPProblem { return String(describing: problem) }
    }
}

/// Lets happen at the built-in Stripe what is due by itself: disputes, payouts, expiry.
package struct PassSandboxTime: Job {
    package static let name = "stripe_sandbox.pass_time"

    package var until: Instant

    package init(until: Instant) { self.until = until }

    package func run(_ attempt: JobAttempt) async throws {
        try await StripeSandbox(database: attempt.database, context: attempt.context).passTime()
        try await attempt.settle { _, _ in .completed }
    }
}
