import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Random histories of lessons, payments and everything that goes wrong with them,
/// against ``MoneyModel``: the same states, and the same money to the cent.
@Suite(.timeLimit(.minutes(20)))
struct MoneyModelTests {
    private static let histories = 60

    @Test(arguments: TestDatabase.available)
    func everyHistoryEndsAsTheModelSays(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        print("seed \(seed)")
        try await TestPlatform.with(dialect) { platform in
            var random = SeededGenerator(seed: seed)
            for number in 0..<Self.histories {
                let history = try await History.begin(platform, &random)
                try await history.run(&random)
                let problems = try await history.problems()
                #expect(problems.isEmpty, "seed \(seed), history \(number): \(history.story)")
                if !problems.isEmpty { return }
            }
            let trial = try await platform.database.read { try Ledger.trialBalance($0) }
            #expect(trial.values.reduce(0, +) == 0)
            try await Self.agrees(platform, trial, seed)
        }
    }

    /// What the ledger says lies with the provider is what lies there.
    private static func agrees(_ platform: TestPlatform, _ trial: [LedgerAccount: Int], _ seed: UInt64)
        async throws
    {
        let there: Int = try await platform.database.read { db in
            func sum(_ kind: String, _ column: SQL, _ more: SQL = "") throws -> Int {
                try db.value(
                    """
                    SELECT CAST(COALESCE(SUM(\(column)), 0) AS BIGINT) FROM stripe_sandbox_objects
                    WHERE kind = \(kind) \(more)
                    """) ?? 0
            }
            let charges = try sum("charge", "amount - returned", "AND body LIKE '%\"captured\":true%'")
            return charges - (try sum("transfer", "amount - returned"))
        }
        let disputed: Int = try await platform.database.read { db in
            try db.value(
                """
                SELECT CAST(COALESCE(SUM(CASE kind WHEN 'dispute_withdrawal' THEN amount_cents
                    ELSE -amount_cents END), 0) AS BIGINT) FROM ledger_movements
                WHERE kind IN ('dispute_withdrawal', 'dispute_return')
                """) ?? 0
        }
        #expect(trial[.providerClearing] ?? 0 == there - disputed, "seed \(seed)")
    }
}

/// One lesson from its booking to its end.
private final class History {
    let world: MoneyWorld
    let id: ULID
    var model: MoneyModel
    var story: [String] = []
    private var platform: TestPlatform { world.platform }

    private init(_ world: MoneyWorld, _ id: ULID, _ model: MoneyModel) {
        (self.world, self.id, self.model) = (world, id, model)
    }

    static func begin(_ platform: TestPlatform, _ random: inout SeededGenerator) async throws -> History {
        let world = try await MoneyWorld.make(platform)
        let credits = [0, 0, 2_000, 9_999, 25_000].randomElement(using: &random) ?? 0
        let base = [8_000, 10_000, 10_001, 12_345].randomElement(using: &random) ?? 8_000
        if credits > 0 { try await world.give(credit: credits) }
        let id = try await world.book(startingIn: .seconds(48 * 3_600), price: base)
        let history = History(world, id, MoneyModel(base: base, creditsBefore: credits))
        history.story.append("\(base) cents, \(credits) of credits")
        return history
    }

    /// Anything may go wrong on the way, once or more; it makes no difference in the end.
    private func trouble(_ random: inout SeededGenerator) {
        for call in 1...4 where Int.random(in: 0..<4, using: &random) == 0 {
            let fault = UnreliableProvider.Fault.allCases.randomElement(using: &random) ?? .diesAfter
            world.stripe.plan(fault, at: world.stripe.sent + call)
            story.append("\(fault) at call \(call)")
        }
    }

    func run(_ random: inout SeededGenerator) async throws {
        trouble(&random)
        if Bool.random(using: &random) {
            try await authorize()
            trouble(&random)
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2: try await cancelByStudent(&random)
        case 3: try await cancelByInstructor()
        case 4: try await noShow(&random)
        default: try await hold(&random)
        }
        try await tellAgain(&random)
    }

    private func authorize() async throws {
        guard model.payment == .scheduled else { return }
        try await at(24 * 3_600)
        try await world.authorize(id)
        model.authorized()
        story.append("authorized")
    }

    /// Sets the clock to so many seconds and microseconds before the lesson, unless that is over.
    private func at(_ seconds: Int, microseconds: Int = 0) async throws {
        let start = try await world.booking(id).start
        let time = start - .seconds(seconds) - .microseconds(microseconds)
        if time > platform.now { platform.clock.set(time) }
    }

    private func cancelByStudent(_ random: inout SeededGenerator) async throws {
        // The boundaries themselves, and a microsecond beside them.
        let edges = [(24, 0), (24, -1), (12, 1), (12, 0), (12, -1), (1, 0)]
        let (hours, micro) = edges.randomElement(using: &random) ?? (1, 0)
        try await at(hours * 3_600, microseconds: micro)
        let left = try await world.booking(id).start - platform.now
        let lead: MoneyModel.Lead =
            left >= .seconds(24 * 3_600) ? .dayOrMore : left >= .seconds(12 * 3_600) ? .halfDayOrMore : .less
        if model.payment == .scheduled, lead == .less {
            // Nobody knows what to do with a card that should have been charged: not part of this model.
            return try await cancelByInstructor()
        }
        story.append("cancelled by the student \(hours) h before, \(micro) µs")
        try await world.cancel(id, by: .student)
        model.cancelledByStudent(lead)
    }

    private func cancelByInstructor() async throws {
        story.append("cancelled by the instructor")
        try await world.cancel(id, by: .instructor)
        model.cancelledByInstructor()
    }

    private func noShow(_ random: inout SeededGenerator) async throws {
        try await authorize()
        try await at(-7_200)
        let isStudent = Bool.random(using: &random)
        let id = id
        story.append("no-show of the \(isStudent ? "student" : "instructor")")
        try await world.change(id) { booking, tx, context in
            try booking.move(to: .noShow, tx, context)
            let steps: [MoneyPlan.Step] =
                isStudent
                ? [.init(.capture, "capture_student_noshow_\(id)"), .init(.topUp, "topup:\(id)")]
                : [.init(.cancel, "cancel_instructor_noshow_\(id)")]
            try MoneyPlan.start(
                isStudent ? .studentNoShow : .instructorNoShow, steps, &booking, tx, context)
        }
        try await world.settle()
        if isStudent { model.studentDidNotShow() } else { model.instructorDidNotShow() }
    }

    private func hold(_ random: inout SeededGenerator) async throws {
        try await authorize()
        try await at(-26 * 3_600)
        try await world.capture(id)
        model.held()
        story.append("held")
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try await refund(&random)
        case 1: try await dispute(&random)
        default: break
        }
    }

    private func refund(_ random: inout SeededGenerator) async throws {
        let isWhole = Bool.random(using: &random)
        let cents = isWhole ? model.charged : Int.random(in: 1..<model.charged, using: &random)
        let id = id
        story.append("refunded \(cents) of \(model.charged)")
        try await world.change(id) { booking, tx, context in
            let reversal: [MoneyPlan.Step] = isWhole ? [.init(.reverseTopUp, "reverse_top_up_\(id)")] : []
            try MoneyPlan.start(
                .adminRefund, reversal + [.init(.refund, "admin_refund_\(id)_\(cents)", cents: cents)],
                &booking,
                outcome: .adminRefund, tx, context)
        }
        try await world.settle()
        model.refundedByAdmin(cents)
    }

    private func dispute(_ random: inout SeededGenerator) async throws {
        let intent = try #require(try await world.payment(id).intentID)
        let seconds = Int((platform.now.microseconds - TestClock.start.microseconds) / 1_000_000)
        let isWon = Bool.random(using: &random)
        story.append("disputed, \(isWon ? "won" : "lost")")
        func event(_ type: String, _ status: String, after: Int) -> JSONValue {
            guard
                case .object(var event) = StripeEvents.dispute(
                    "evt_\(type)_\(id)", type, status, dispute: "dp_\(id)", intent: intent, opened: seconds,
                    at: seconds + after),
                case .object(var data)? = event["data"], case .object(var object)? = data["object"]
            else { return .null }
            object["amount"] = .int(model.charged)
            data["object"] = .object(object)
            event["data"] = .object(data)
            return .object(event)
        }
        let opened = event("created", "needs_response", after: 0)
        let closed = event("closed", isWon ? "won" : "lost", after: 60)
        let isLate = Int.random(in: 0..<3, using: &random) == 0
        let order: [JSONValue] = isLate ? [closed, opened, closed] : [opened, opened, closed, opened]
        for (number, told) in order.enumerated() {
            if number > 0 { platform.clock.advance(by: .seconds(30)) }
            try await platform.deliver(stripe: told)
            try await platform.drainJobs()
            try await world.settle()
        }
        model.disputeOpened()
        model.disputeClosed(isWon: isWon)
        if isLate { story.append("the end was told first") }
    }

    /// The provider tells all of it, in any order, some of it twice: nothing changes any more.
    private func tellAgain(_ random: inout SeededGenerator) async throws {
        var told: [String] = try await platform.database.read { [id] db in
            try db.values(
                """
                SELECT payload FROM stripe_sandbox_events WHERE payload LIKE \("%\(id)%") ORDER BY id
                """)
        }
        told += told.filter { _ in Bool.random(using: &random) }
        told.shuffle(using: &random)
        for text in told { try await platform.deliver(stripe: try JSONValue(parsing: Array(text.utf8))) }
        try await platform.drainJobs()
    }

    /// Where what is the case differs from the model.
    func problems() async throws -> [String] {
        let booking = try await world.booking(id)
        let payment = try await world.payment(id)
        let (student, now) = (world.student, platform.now)
        let credits = try await platform.database.read { try Credit.available(student, now: now, $0) }
        let digest = try await world.digest()
        var problems: [String] = []
        func same<T: Equatable>(_ what: String, _ found: T, _ expected: T) {
            if found != expected { problems.append("\(what) is \(found) and not \(expected)") }
        }
        same("status", booking.status, model.status)
        same("payment", booking.paymentStatus, model.payment)
        same("outcome", booking.settlementOutcome, model.outcome)
        same("captured", payment.capturedCents, model.charged)
        same("charged at the provider", digest["charges sum"] ?? 0, model.charged)
        same("refunded", payment.refundedCents, model.refunded)
        same("refunded at the provider", digest["charges returned"] ?? 0, model.refunded)
        same("with the instructor", digest["transfers net"] ?? 0, model.earned)
        same("transfers by the ledger", payment.transferredCents, model.earned)
        same("credits", credits, model.credits)
        for account in [LedgerAccount.studentReceivable, .refunds, .disputes] {
            same("\(account)", digest["account \(account.rawValue)"] ?? 0, 0)
        }
        for problem in problems { Issue.record("\(problem): \(story.joined(separator: ", "))") }
        return problems
    }
}
