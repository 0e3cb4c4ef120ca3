import Kernel
import Logging
import Storage
import Synchronization

/// One look at everything of one kind that is due: row by row, up to ``width`` at a
/// time, each in short transactions of its own and no transaction over a call.
///
/// A row that fails is counted and logged and holds up no other; it is found again
/// by the next look.
struct PaymentSweep: Sendable {
    /// How many rows are read at a time.
    static let page = 200
    /// How many are worked on at a time.
    static let width = 16
    /// After that long the rest is left to another run of the job.
    static let budget = Duration.seconds(240)

    /// Something that is due, in the order of (time, id).
    struct Due: Sendable, Hashable, RowDecodable {
        var at: Instant
        var id: ULID

        static let first = Due(at: Instant(microseconds: .min), id: ULID(high: 0, low: 0))

        init(at: Instant, id: ULID) { (self.at, self.id) = (at, id) }

        init(row: Row) throws {
            at = try row.get(at: 0)
            id = try row.get(at: 1)
        }
    }

    /// How many rows came to what, by name.
    final class Counts: Sendable {
        private let values = Mutex<[String: Int]>([:])

        func add(_ name: String, _ number: Int = 1) { values.withLock { $0[name, default: 0] += number } }

        subscript(name: String) -> Int { values.withLock { $0[name] ?? 0 } }

        /// e.g. `12 captured, 1 skipped`.
        var summary: String {
            let found = values.withLock { $0 }.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            return found.isEmpty ? "nothing due" : found.map { "\($1) \($0)" }.joined(separator: ", ")
        }
    }

    static let skipped = "skipped"
    static let failed = "failed by an error"

    let attempt: JobAttempt
    let counts = Counts()

    init(_ attempt: JobAttempt) { self.attempt = attempt }

    /// Works on every row that `due` finds after the last one, and counts what `work` says it came to.
    ///
    /// - Returns: false when time ran out before the rows did.
    @discardableResult
    func walk(
        _ due: @escaping @Sendable (_ after: Due, _ limit: Int, _ db: Snapshot) throws -> [Due],
        _ work: @escaping @Sendable (ULID) async throws -> String
    ) async throws -> Bool {
        let start = ContinuousClock.now
        var after = Due.first
        while true {
            try Task.checkCancellation()
            let place = after
            let rows = try await attempt.database.read { try due(place, Self.page, $0) }
            try await each(of: rows.map(\.id), work)
            guard rows.count == Self.page, let last = rows.last else { return true }
            guard ContinuousClock.now - start < Self.budget else { return false }
            after = last
        }
    }

    private func each(of ids: [ULID], _ work: @escaping @Sendable (ULID) async throws -> String) async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, id) in ids.enumerated() {
                if index >= Self.width { _ = try await group.next() }
                group.addTask { try await count(id, work) }
            }
            try await group.waitForAll()
        }
    }

    private func count(_ id: ULID, _ work: @Sendable (ULID) async throws -> String) async throws {
        do { counts.add(try await work(id)) } catch {
            // The job was stopped: that is no fault of the row.
            if Task.isCancelled || error is CancellationError { throw error }
            counts.add(Self.failed)
            attempt.context.logger.error(
                "a due payment failed", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    /// One transaction at its own time.
    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction, Context) throws -> Value
    ) async throws -> Value {
        var context = attempt.context
        context.now = context.environment.now()
        return try await attempt.database.transaction(context, category: .automated) { [context] tx, _ in
            try body(tx, context)
        }
    }

    /// Ends the job with what was counted; one that is not through goes on at once.
    func finish(isThrough: Bool = true) async throws {
        attempt.summarize(counts.summary)
        try await attempt.settle { _, _ in isThrough ? .completed : .snooze(.zero) }
    }
}

extension PaymentSweep {
    /// Looks at a booking under its lock, and carries out the plan that `decide` starts.
    /// A booking whose payment is being changed is left alone.
    ///
    /// - Returns: what the plan came to; ``skipped`` when there is none.
    func carryOut(
        _ booking: ULID, _ run: MoneyRun,
        _ decide: @escaping @Sendable (inout Booking, BookingPayment, Transaction, Context) throws -> ULID?
    ) async throws -> String {
        let carried = try await run.carryOut { tx, context in
            guard var found = try Booking.lock(booking, tx), try MoneyPlan.running(booking, tx) == nil,
                let payment = try BookingPayment.of(booking, tx)
            else { return nil }
            return try decide(&found, payment, tx, context)
        }
        guard let carried else { return Self.skipped }
        if let wait = carried.wait {
            // Nobody waits here; a job of its own goes on with it.
            try await transaction { tx, context in
                _ = try tx.enqueue(RunMoneyPlan(plan: carried.plan), at: context.now + wait)
            }
        }
        return try await attempt.database.read { try MoneyPlan.find(carried.plan, $0)?.result }
            ?? Self.skipped
    }

    /// Who carries out plans for this job.
    func run() throws -> MoneyRun {
        MoneyRun(
            provider: try PaymentProvider.required(attempt.context, attempt.database),
            database: attempt.database, context: attempt.context)
    }
}

extension MoneyPlan {
    /// How it is counted.
    var result: String {
        switch (state, kind) {
        case (.running, _): "waiting for the provider"
        case (.done, .authorize): "authorized"
        case (.failed, .authorize): "refused"
        case (.done, .studentCancelFree): "given up"
        case (.done, .recapture): "captured anew"
        case (.failed, .recapture): Self.notCapturedAnew
        case (.done, .escalate): "escalated"
        case (.failed, .escalate): "not paid out"
        case (.done, _): "captured"
        case (.failed, _): Self.notCaptured
        }
    }

    static let notCaptured = "not captured"
    static let notCapturedAnew = "not captured anew"
}
