package import Kernel
package import Storage

/// Carries out one plan.
///
/// Enqueued with the plan. When it dies at any point, the next attempt goes on
/// where the rows say.
package struct RunMoneyPlan: Job {
    package static let name = "payments.run_plan"
    package static let queue = Queue.payments
    package static let priority = 9
    package static let timeout = Duration.seconds(80)
    package static let isAwaited = true
    package static let retry = RetryPolicy(maximumAttempts: 25, base: .seconds(5), cap: .seconds(1_800))

    package var plan: ULID

    package init(plan: ULID) { self.plan = plan }

    package var uniqueKey: String? { "money-plan:\(plan)" }

    package func run(_ attempt: JobAttempt) async throws {
        let provider = try PaymentProvider.required(attempt.context, attempt.database)
        let run = MoneyRun(provider: provider, database: attempt.database, context: attempt.context)
        if let wait = try await run.carryOut(plan) {
            try await attempt.settle { _, _ in .snooze(wait) }
        }
    }
}

/// Carries out plans: short transactions, and between them calls to the provider
/// with no transaction open.
package struct MoneyRun: Sendable {
    package let provider: PaymentProvider
    package let database: any Database
    package let context: Context
    /// Tells this run from others that may be at the same plan.
    private let runner: String

    package init(provider: PaymentProvider, database: any Database, context: Context) {
        self.provider = provider
        self.database = database
        self.context = context
        runner = context.environment.ids.next(at: context.environment.now()).description
    }

    /// Goes on with a plan until it is over.
    /// - Returns: how long to wait when it is not; nil when it is.
    package func carryOut(_ plan: ULID) async throws -> Duration? {
        try await carryOut(from: try await transaction { try MoneyPlan.begin(plan, runner: runner, $0, $1) })
    }

    /// A plan that was decided on and carried out.
    package struct Carried: Sendable, Hashable {
        package var plan: ULID
        /// How long to wait when it is not over.
        package var wait: Duration?
    }

    /// Decides on a plan in a transaction of its own and carries it out.
    /// - Returns: nil when there is none to carry out.
    package func carryOut(
        _ start: @escaping @Sendable (Transaction, Context) throws -> ULID?
    ) async throws -> Carried? {
        let (plan, turn): (ULID?, MoneyTurn) = try await transaction { tx, context in
            guard let plan = try start(tx, context) else { return (nil, .over) }
            return (plan, try MoneyPlan.begin(plan, runner: runner, tx, context))
        }
        guard let plan else { return nil }
        return Carried(plan: plan, wait: try await carryOut(from: turn))
    }

    private func carryOut(from turn: MoneyTurn) async throws -> Duration? {
        var turn = turn
        while true {
            switch turn {
            case .over: return nil
            case .wait(let duration): return duration
            case .call(let call):
                let outcome = try await send(call)
                turn = try await transaction {
                    try MoneyPlan.record(call, outcome, runner: runner, $0, $1)
                }
            }
        }
    }

    private func transaction<T: Sendable>(
        _ body: @escaping @Sendable (Transaction, Context) throws -> T
    ) async throws -> T {
        // Every transaction has its own time, for a call may have taken a while.
        var context = context
        context.now = context.environment.now()
        return try await database.transaction(context, category: .automated) { [context] tx, _ in
            try body(tx, context)
        }
    }

    private func send(_ call: MoneyCall) async throws -> PaymentOutcome<PaymentObject> {
        if call.isAgain {
            switch try await provider.find(call.request, call.key) {
            case .done(let found?): return .done(found)
            case .done(nil): break
            case .refused(let problem): return .refused(problem)
            case .busy(let wait): return .busy(wait)
            case .unknown(let reason): return .unknown(reason)
            }
        }
        let outcome = try await provider.send(call.request, call.key)
        // Captured before, by whomever: what was wanted is the case.
        if case .refused(let problem) = outcome, problem.kind == .alreadyCaptured,
            case .capture(let intent) = call.request,
            case .done(let object?) = try await provider.retrieve(.paymentIntent, intent)
        {
            return .done(object)
        }
        return outcome
    }
}
