import Features
import JSON
import Kernel
import Logging
import Storage
import Synchronization

/// A month of history, made by sending signed webhooks through the real
/// receiver, worker, runner and sealer under a clock that runs through it, among
/// people who register, search and write through the marketplace's own records
/// (``DemoMarket``).
///
/// Only bookings, and part of what people did on their pages, are rows and entries
/// written directly, because the part of the marketplace that would write them is
/// not here yet.
struct DemoSeed: Sendable {
    static let days = 30
    static let events = 10_500
    static let entries = 50_000

    let platform: Platform
    let clock: DemoClock
    let stripeSecret: String
    let checkr: (key: String, user: String, password: String)
    let admins: [Actor]

    /// Everything that changes while the month goes by.
    private struct World {
        var random: DemoRandom
        var events: DemoEvents
        var market = DemoMarket()
        /// Bookings that were paid, whose lessons are over soon.
        var lessons: [ULID] = []
        var instructors: [DemoMarket.Instructor] { market.instructors }
        var students: [ULID] { market.students }
        var open: [DemoEvents.Payment] = []
        var captured: [DemoEvents.Payment] = []
        var queue: [Instant: [Bool: [JSONValue]]] = [:]
        var end: Instant
        var sent = 0
        var recorded = 0
    }

    func run(_ report: (String) -> Void) async throws {
        let end = Tally.floor(Instant.now())
        let start = end - .seconds(Self.days * 86_400)
        var world = World(
            random: DemoRandom(seed: 20_261_122), events: DemoEvents(random: DemoRandom(seed: 7)), end: end)
        clock.set(start)
        try await world.market.prepare(platform)
        try await register(&world, instructors: 120, students: 1_400, invites: 200)
        let hours = Self.days * 24
        for hour in 0..<hours {
            let now = start + .seconds(hour * 3_600)
            clock.set(now)
            if hour % 24 == 9 { try await liveADay(&world, day: hour / 24) }
            let searches = Self.share(of: DemoMarket.searches, hour, hours)
            try await world.market.search(searches, context(.system("demo"), .demo), platform)
            try await liveAnHour(&world, now, isLastDay: hour >= hours - 20)
            if hour % 24 == 23 {
                try await platform.sealer.sealAll()
                report("\(hour / 24 + 1) of \(Self.days) days")
            }
        }
        clock.set(end)
        try await platform.worker.drain()
        await platform.recorder.flush()
        try await platform.sealer.sealAll()
    }

    private func context(_ actor: Actor, _ surface: Surface) -> Context {
        platform.context(actor, surface: surface)
    }

    /// What falls on part `index` of `count` when `total` is spread evenly.
    private static func share(of total: Int, _ index: Int, _ count: Int) -> Int {
        total * (index + 1) / count - total * index / count
    }

    /// New people, meetings of those who are there, lessons that ended.
    private func liveADay(_ world: inout World, day: Int) async throws {
        func share(_ total: Int) -> Int { Self.share(of: total, day, Self.days) }
        try await register(
            &world, instructors: share(DemoMarket.instructors - 120),
            students: share(DemoMarket.students - 1_400),
            invites: share(DemoMarket.invites - 200))
        let lessons = Array(world.lessons.prefix(20))
        world.lessons.removeFirst(lessons.count)
        try await world.market.liveADay(lessons, context(.system("demo"), .demo), platform)
    }

    private func register(_ world: inout World, instructors: Int, students: Int, invites: Int) async throws {
        let context = context(.system("demo"), .demo)
        let new = try await world.market.register(
            instructors: instructors, students: students, invites: invites, context, platform)
        for (index, instructor) in new.enumerated() {
            let at = clock.now + .seconds(3_600 * (index % 200 + 1))
            plan(&world, at, stripe: true, world.events.account(instructor.account, at: at))
            // Every tenth report arrives without its verdict: Checkr sends it again later, complete.
            let result: String? = index % 10 == 3 ? nil : world.random.chance(90) ? "clear" : "consider"
            plan(
                &world, at, stripe: false,
                world.events.report("completed", candidate: instructor.candidate, result: result, at: at))
        }
    }

    private func plan(_ world: inout World, _ at: Instant, stripe: Bool, _ event: JSONValue) {
        let hour = Instant(microseconds: at.microseconds / 3_600_000_000 * 3_600_000_000)
        world.queue[hour, default: [:]][stripe, default: []].append(event)
    }
}

// One hour: bookings are made and paid, events arrive, jobs run, people look.
extension DemoSeed {
    private func liveAnHour(_ world: inout World, _ now: Instant, isLastDay: Bool) async throws {
        try await book(&world, now)
        try await capture(&world, now)
        let hour = Instant(microseconds: now.microseconds / 3_600_000_000 * 3_600_000_000)
        let due = world.queue.removeValue(forKey: hour) ?? [:]
        for isStripe in [true, false] {
            for event in due[isStripe] ?? [] {
                try await deliver(event, stripe: isStripe, times: world.random.chance(3) ? 2 : 1)
                world.sent += 1
            }
        }
        try await platform.worker.drain()
        if world.random.chance(12) { try await triage(&world, isLastDay: isLastDay) }
        try await record(&world, now)
        await platform.recorder.flush()
    }

    private func book(_ world: inout World, _ now: Instant) async throws {
        let context = context(.system("demo"), .demo)
        var made: [(payment: DemoEvents.Payment, student: ULID, instructor: ULID)] = []
        for _ in 0..<Int.random(in: 2...4, using: &world.random) {
            guard let student = world.students.randomElement(using: &world.random),
                let instructor = world.instructors.randomElement(using: &world.random)
            else { continue }
            made.append((world.events.payment(context.newID()), student, instructor.user))
        }
        let rows = made
        // Now and then a row is written with half its amount, which a later correction mends.
        let wrong = world.random.chance(14)
        try await platform.database.transaction(context, category: .automated) { tx, _ in
            for (index, row) in rows.enumerated() {
                try DemoRows.booking(
                    row.payment, student: row.student, instructor: row.instructor,
                    amount: wrong && index == 0 ? row.payment.amount / 2 : row.payment.amount, tx, context)
            }
        }
        for row in made {
            plan(
                &world, now, stripe: true,
                world.events.intent("created", row.payment, status: "requires_confirmation", at: now))
            let later = now + .seconds(3_600)
            if world.random.chance(4) {
                plan(
                    &world, later, stripe: true,
                    world.events.intent(
                        "payment_failed", row.payment, status: "requires_payment_method", at: later))
            } else {
                plan(
                    &world, later, stripe: true,
                    world.events.intent(
                        "amount_capturable_updated", row.payment, status: "requires_capture", at: later))
                world.open.append(row.payment)
            }
        }
        if wrong, let payment = made.first?.payment {
            // The student complains and is refunded in full before the row is mended.
            let refunded = now + .seconds(7_200)
            plan(
                &world, refunded, stripe: true,
                world.events.charge("refunded", payment, refunded: payment.amount, at: refunded))
        }
    }

    /// Lessons that took place are charged; a few are refunded or disputed, some go missing.
    private func capture(_ world: inout World, _ now: Instant) async throws {
        while world.open.count > 60 {
            let payment = world.open.removeFirst()
            plan(
                &world, now, stripe: true,
                world.events.intent("succeeded", payment, status: "succeeded", at: now))
            plan(&world, now, stripe: true, world.events.charge("succeeded", payment, at: now))
            world.lessons.append(payment.bookingID)
            let later = now + .seconds(3_600 * Int.random(in: 1...30, using: &world.random))
            let refundable = world.random.chance(9)
            if refundable {
                let refunded = world.random.chance(40) ? payment.amount / 2 : payment.amount
                plan(
                    &world, later, stripe: true,
                    world.events.charge("refunded", payment, refunded: refunded, at: later))
            }
            if !refundable, world.random.chance(1) {
                let id = world.random.token("dp_1")
                plan(
                    &world, later, stripe: true,
                    world.events.dispute("created", payment, id: id, status: "needs_response", at: later))
                let closed = later + .seconds(86_400)
                plan(
                    &world, closed, stripe: true,
                    world.events.dispute("closed", payment, id: id, status: "won", at: closed))
            }
            if world.random.chance(35),
                let account = world.instructors.randomElement(using: &world.random)?.account
            {
                plan(&world, later, stripe: true, world.events.payout("created", account: account, at: later))
                let paid = later + .seconds(86_400)
                let outcome = world.random.chance(3) ? "failed" : "paid"
                plan(&world, paid, stripe: true, world.events.payout(outcome, account: account, at: paid))
            }
        }
        // Refunds of payments whose amount is wrong here fail until the rows are mended.
        let hour = (Self.days * 86_400 - Int((world.end - now).components.seconds)) / 3_600
        if hour % 36 == 35 || hour == Self.days * 24 - 1 {
            let context = context(.system("demo"), .demo)
            try await platform.database.transaction(context, category: .automated) { tx, _ in
                try DemoRows.mendAmounts(tx, context)
            }
        }
    }

    private func deliver(_ event: JSONValue, stripe: Bool, times: Int) async throws {
        let body = event.encoded()
        let source: any WebhookSource.Type = stripe ? StripeWebhook.self : CheckrWebhook.self
        for _ in 0..<times {
            let context = context(.webhook(source.name), .webhook)
            _ = try await platform.ledger.receive(
                source, WebhookRequest(headers: signature(body, stripe: stripe), body: body), context)
        }
    }

    func signature(_ body: [UInt8], stripe: Bool) -> [(name: String, value: String)] {
        var headers = [
            ("Content-Type", "application/json"), ("User-Agent", stripe ? "Stripe/1.0" : "Checkr-Webhook/1"),
        ]
        if stripe {
            let seconds = clock.now.microseconds / 1_000_000
            headers.append(
                ("Stripe-Signature", StripeSignature.sign(body: body, secret: stripeSecret, seconds: seconds))
            )
        } else {
            headers.append(("X-Checkr-Signature", CheckrSignature.sign(body: body, apiKey: checkr.key)))
            headers.append(
                ("Authorization", BasicCredentials(user: checkr.user, password: checkr.password).header))
        }
        return headers
    }

    /// An administrator looks at failures and replays one; on the last day some are left for you.
    private func triage(_ world: inout World, isLastDay: Bool) async throws {
        guard let admin = admins.randomElement(using: &world.random) else { return }
        let context = context(admin, .mcp)
        let failed = try JSONValue(
            parsing: try await platform.runner.call("webhooks_failed", ["since_hours": 72], context).bytes)
        guard !isLastDay, let id = failed["events"]?[0]?["id"]?.stringValue else { return }
        _ = try await platform.runner.call("webhook_detail", ["event_id": .string(id)], context)
        var arguments: JSONObject = [
            "event_id": .string(id), "dry_run": false, "reason": "Amount was corrected",
        ]
        do {
            let preview = try await platform.runner.call("webhook_replay", arguments, context)
            guard let token = preview.confirmation?.token else { return }
            arguments["confirm_token"] = .string(token)
            _ = try await platform.runner.call("webhook_replay", arguments, context)
        } catch let failure as Failure {
            platform.logger.debug("demo replay refused", metadata: ["why": "\(failure)"])
        }
    }

    /// What people did in the marketplace and looked at in the tools.
    private func record(_ world: inout World, _ now: Instant) async throws {
        let perHour = Self.entries / (Self.days * 24) - 8
        for index in 0..<perHour {
            let entry = DemoRows.entry(
                &world.random, world.students, admins, index, environment: platform.environment)
            try await platform.recorder.record(entry)
        }
    }
}

/// The clock of the made-up month.
final class DemoClock: Sendable {
    private let moment = Mutex<Instant?>(nil)

    /// The made-up time while the month is made, afterwards the real one.
    var now: Instant { moment.withLock { $0 } ?? Instant.now() }
    func set(_ instant: Instant) { moment.withLock { $0 = instant } }
    func release() { moment.withLock { $0 = nil } }
}
