import JSON
import Kernel
import Logging
import ServiceLifecycle
import Storage

/// Posts a live signed webhook to the server itself every few seconds: new
/// lessons are booked, authorised and paid, and now and then a stranger's
/// payment arrives that matches nothing here.
final class DemoSender: Service, Sendable {
    static let interval = Duration.seconds(3)

    private let seed: DemoSeed
    private let started: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init(seed: DemoSeed) {
        self.seed = seed
        (started, continuation) = AsyncStream.makeStream()
    }

    /// Tells the sender where the server listens.
    func start(_ url: String) { continuation.yield(url) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await url in self.started { await self.send(to: url) }
        }
    }

    private func send(to url: String) async {
        var random = DemoRandom(seed: UInt64(seed.clock.now.microseconds))
        var events = DemoEvents(random: DemoRandom(seed: random.next()))
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            guard !Task.isCancelled else { return }
            do {
                let body = try await event(&random, &events).encoded()
                _ = try await seed.platform.environment.clients.send(
                    Clients.HTTPRequest(
                        .post, url + "/api/v1/payments/webhooks/stripe",
                        headers: seed.signature(body, stripe: true), body: body, timeout: .seconds(30)))
            } catch { seed.platform.logger.warning("demo event not sent", metadata: ["error": "\(error)"]) }
        }
    }

    private func event(_ random: inout DemoRandom, _ events: inout DemoEvents) async throws -> JSONValue {
        let now = seed.clock.now
        if random.chance(3) {
            let stranger = events.payment(seed.platform.environment.ids.next())
            return events.intent("succeeded", stranger, status: "succeeded", at: now)
        }
        let status = random.pick(["requires_confirmation", "requires_capture"], "requires_capture")
        guard let payment = try await waiting(status, charge: random.token("ch_3")), !random.chance(20) else {
            return try await book(&events, now)
        }
        return status == "requires_capture"
            ? events.intent("succeeded", payment, status: "succeeded", at: now)
            : events.intent("amount_capturable_updated", payment, status: "requires_capture", at: now)
    }

    /// The oldest of today's payments in this state.
    private func waiting(_ status: String, charge: String) async throws -> DemoEvents.Payment? {
        let since = ULID.first(at: seed.clock.now - .seconds(86_400))
        return try await seed.platform.database.read { db in
            try db.rows(
                """
                SELECT booking_id, stripe_payment_intent_id, amount FROM payment_intents
                WHERE status = \(status) AND id >= \(since) ORDER BY id LIMIT 1
                """
            ).first.map { row in
                DemoEvents.Payment(
                    bookingID: try row.get(at: 0), intentID: try row.get(at: 1), chargeID: charge,
                    amount: try row.get(at: 2))
            }
        }
    }

    private func book(_ events: inout DemoEvents, _ now: Instant) async throws -> JSONValue {
        let context = seed.platform.context(.system("demo"), surface: .demo)
        let payment = events.payment(context.newID())
        try await seed.platform.database.transaction(context, category: .automated) { tx, _ in
            try DemoRows.booking(
                payment, student: context.newID(), instructor: context.newID(), amount: payment.amount, tx,
                context)
        }
        return events.intent("created", payment, status: "requires_confirmation", at: now)
    }
}
