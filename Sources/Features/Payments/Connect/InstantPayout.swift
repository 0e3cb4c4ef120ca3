import JSON
package import Kernel
package import Storage

/// One row of `instant_payouts`: an instructor wants their money now instead of on Tuesday.
///
/// It goes from the instructor's balance at the provider to their bank; the platform's
/// ledger has paid it out before, so it writes nothing there.
package struct InstantPayout: Sendable, RowDecodable {
    package enum State: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, SchemaDescribing {
        case pending, paid, failed
    }

    package var id: ULID
    package var profile: ULID
    package var account: String
    package var cents: Int
    package var state: State
    /// The provider's id.
    package var payoutID: String?
    package var problem: String?
    package var createdAt: Instant

    static let columns: SQL = """
        id, instructor_profile_id, stripe_account_id, amount_cents, state, payout_id, problem, created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        profile = try row.get(at: 1)
        account = try row.get(at: 2)
        cents = try row.get(at: 3)
        state = try row.get(at: 4)
        payoutID = try row.get(at: 5)
        problem = try row.get(at: 6)
        createdAt = try row.get(at: 7)
    }

    package var subject: Subject { Subject("instant_payout", id.description) }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> InstantPayout? {
        try db.one("SELECT \(columns) FROM instant_payouts WHERE id = \(id)")
    }

    /// Writes it down with the job that makes it.
    static func request(_ cents: Int, _ account: ConnectedAccount, _ tx: Transaction, _ context: Context)
        throws -> InstantPayout
    {
        // One at a time: of two the second may ask for what the first takes.
        _ = try ConnectedAccount.lock(stripe: account.stripeID, tx)
        let isBusy =
            try tx.value(
                """
                SELECT 1 FROM instant_payouts WHERE instructor_profile_id = \(account.instructorID)
                AND state = 'pending'
                """, as: Int.self) != nil
        guard !isBusy else {
            throw Failure(
                .conflict, "Another payout is on its way.", hint: "Wait until it has arrived or failed.",
                reason: "payout_in_progress")
        }
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO instant_payouts (id, instructor_profile_id, stripe_account_id, amount_cents, state, \
            created_at) VALUES (\(id), \(account.instructorID), \(account.stripeID), \(cents), 'pending', \
            \(context.now))
            """)
        try tx.enqueue(MakeInstantPayout(payout: id))
        guard let made = try find(id, tx) else { throw Failure(.internal, "The payout was not written.") }
        try tx.audit(
            "payment.instant_payout", made.subject,
            changes: changes(from: [:], to: ["amount_cents": .int(cents), "state": "pending"]))
        return made
    }

    /// Writes down how the call ended.
    func end(_ state: State, payout: String?, problem: String?, _ tx: Transaction, _ context: Context) throws
    {
        let changed = try tx.run(
            """
            UPDATE instant_payouts SET state = \(state), payout_id = \(payout), problem = \(problem), \
            finished_at = \(context.now) WHERE id = \(id) AND state = 'pending'
            """)
        guard changed.affected == 1 else { return }
        try tx.audit(
            "payment.instant_payout", subject,
            changes: changes(from: ["state": "pending"], to: ["state": .string(state.rawValue)]),
            status: state == .failed ? .failed : .success, error: problem)
    }
}

/// Makes one payout, under its own key.
package struct MakeInstantPayout: Job {
    package static let name = "payments.instant_payout"
    package static let queue = Queue.payments
    package static let priority = 6
    package static let isAwaited = true
    package static let retry = RetryPolicy(maximumAttempts: 25, base: .seconds(5), cap: .seconds(1_800))

    package var payout: ULID

    package init(payout: ULID) { self.payout = payout }

    package var uniqueKey: String? { "instant-payout:\(payout)" }

    package func run(_ attempt: JobAttempt) async throws {
        let id = payout
        let found = try await attempt.database.read { try InstantPayout.find(id, $0) }
        guard let found, found.state == .pending else { return }
        let provider = try PaymentProvider.required(attempt.context, attempt.database)
        let request = PaymentRequest.instantPayout(account: found.account, amount: found.cents)
        let key = "instant_payout_\(id)"
        if attempt.record.attempt > 1, case .done(let made?) = try await provider.find(request, key) {
            return try await Self.end(attempt, found, .paid, payout: made.id)
        }
        switch try await provider.send(request, key) {
        case .done(let made): try await Self.end(attempt, found, .paid, payout: made.id)
        case .refused(let problem):
            try await Self.end(attempt, found, .failed, problem: problem.kind.rawValue)
        case .busy(let wait): try await attempt.settle { _, _ in .snooze(wait) }
        // Another attempt asks what became of it before it sends anything.
        case .unknown(let reason): try await attempt.settle { _, _ in .retry(error: reason) }
        }
    }

    private static func end(
        _ attempt: JobAttempt, _ found: InstantPayout, _ state: InstantPayout.State, payout: String? = nil,
        problem: String? = nil
    ) async throws {
        try await attempt.settle { tx, unit in
            try found.end(state, payout: payout, problem: problem, tx, unit.context)
            attempt.summarize(problem ?? state.rawValue)
            return .completed
        }
    }
}

/// Asks for a payout now.
struct RequestInstantPayout: Command {
    static let name = "connect_instant_payout"
    static let summary = "Pay a part of the instructor's balance at the payment provider to their bank now."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/connect/instant-payout")
    static let action = "payment.request_instant_payout"

    @Input("Cents of US dollars.", .range(100...1_000_000)) var amountCents: Int

    struct Output: Codable, Sendable {
        var id: ULID
        var amountCents: Int
        /// In dollars.
        var amount: Double
        var state: InstantPayout.State
        var payoutID: String?
        /// Why it failed.
        var problem: String?

        init(_ payout: InstantPayout) {
            id = payout.id
            amountCents = payout.cents
            amount = DollarAmount(cents: payout.cents).dollars
            state = payout.state
            payoutID = payout.payoutID
            problem = payout.problem
        }
    }

    @Prepared var account: ConnectedAccount?

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        account = try await OwnAccount.find(db, context).ready()
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let account else { throw Failure(.internal, "The account was not prepared.") }
        return Output(try InstantPayout.request(amountCents, account, tx, context))
    }

    func afterJobs(_ output: Output, _ db: Snapshot, _ context: Context) throws -> Output {
        try InstantPayout.find(output.id, db).map(Output.init) ?? output
    }
}
