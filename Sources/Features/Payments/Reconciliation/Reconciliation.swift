import JSON
import Kernel
import Storage
import Synchronization

/// One comparison of our books with the provider's.
///
/// Both sides are read a page at a time. Of what was seen there only a hash is kept
/// (eight bytes an object), so memory grows by megabytes with a million objects.
final class Reconciliation: Sendable {
    /// A payment may be captured so long after it was made; older ones cannot change.
    static let paymentLife = Duration.seconds(9 * 86_400)
    static let page = 100
    /// How often a call that was not answered is made again.
    static let attempts = 5
    /// Open differences that one run looks at again.
    static let recheckLimit = 2_000

    let run: ReconciliationRun
    let provider: PaymentProvider
    let database: any Database
    let context: Context
    private let state = Mutex(State())

    private struct State {
        var result = ReconciliationResult()
        /// Hashes of ids that the provider listed.
        var seen: Set<Int> = []
        /// What missing events are about: these events will put it right.
        var explained: Set<String> = []
    }

    init(run: ReconciliationRun, provider: PaymentProvider, database: any Database, context: Context) {
        self.run = run
        self.provider = provider
        self.database = database
        self.context = context
    }

    func carryOut() async throws -> ReconciliationResult {
        // First, so that what a missing event explains is not reported twice.
        try await compareEvents()
        try await comparePayouts()
        try await pages(.paymentIntent, since: run.since - Self.paymentLife) { try await self.check($0) }
        try await pages(.refund, since: run.since) { try await self.check($0) }
        try await pages(.transfer, since: run.since) { try await self.check($0) }
        try await compareOurs()
        try await resolve()
        return state.withLock { $0.result }
    }

    // MARK: What was seen

    func note(_ objects: [PaymentObject]) {
        state.withLock { state in
            state.result.compared += objects.count
            for object in objects { state.seen.insert(object.id.hashValue) }
        }
    }

    /// Whether it was noted before; it is from now on.
    func isRepeated(_ text: String) -> Bool { !state.withLock { $0.seen.insert(text.hashValue).inserted } }

    func wasSeen(_ id: String) -> Bool { state.withLock { $0.seen.contains(id.hashValue) } }

    func explain(_ ids: [String]) { state.withLock { $0.explained.formUnion(ids) } }

    func isExplained(_ id: String) -> Bool { state.withLock { $0.explained.contains(id) } }

    func countResolved() { state.withLock { $0.result.resolved += 1 } }

    // MARK: Their side

    /// Every object of a kind that was made in time, a page at a time; of one parent, all there are.
    func pages(
        _ kind: PaymentObject.Kind, since: Instant? = nil, parent: String? = nil, account: String? = nil,
        _ body: ([PaymentObject]) async throws -> Void
    ) async throws {
        var page = PaymentPage(
            since: since, until: parent == nil ? run.until : nil, limit: Self.page, parent: parent,
            account: account)
        while true {
            try Task.checkCancellation()
            let request = page
            let list = try await answered { try await self.provider.list(kind, request) }
            note(list.objects)
            try await body(list.objects)
            guard list.hasMore, let last = list.objects.last else { return }
            page.after = last.id
        }
    }

    func retrieve(_ kind: PaymentObject.Kind, _ id: String) async throws -> PaymentObject? {
        try await answered { try await self.provider.retrieve(kind, id) }
    }

    /// The answer of a call that changes nothing, made again for a while.
    private func answered<Value>(_ call: () async throws -> PaymentOutcome<Value>) async throws -> Value {
        for attempt in 1...Self.attempts {
            switch try await call() {
            case .done(let value): return value
            case .refused(let problem):
                throw Failure(
                    .unavailable,
                    "The payment provider refused to be compared with (\(problem.kind.rawValue)).")
            case .busy(let wait): try await Task.sleep(for: min(wait, .seconds(30)))
            case .unknown: try await Task.sleep(for: .milliseconds(200 * attempt))
            }
        }
        throw Failure(.unavailable, "The payment provider does not answer.")
    }

    // MARK: Comparing

    /// Compares a page, and whatever differs once more by itself: it may have changed
    /// between the two looks.
    func check(_ objects: [PaymentObject]) async throws {
        let suspects = try await differences(objects).filter { !isExplained($0.object) }
        guard !suspects.isEmpty else { return }
        let byID = Dictionary(objects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for suspect in suspects {
            guard let old = byID[suspect.source], let fresh = try await retrieve(old.kind, old.id) else {
                continue
            }
            for found in try await differences([fresh]) where found.finding.kind == suspect.finding.kind {
                try await report(found.finding)
            }
        }
    }

    /// A finding, and the object of theirs that it came of.
    struct Suspect: Sendable {
        var finding: Finding
        var source: String
        var object: String { finding.object }
    }

    func differences(_ objects: [PaymentObject]) async throws -> [Suspect] {
        guard let kind = objects.first?.kind else { return [] }
        switch kind {
        case .paymentIntent: return try await paymentDifferences(objects)
        case .refund: return try await refundDifferences(objects)
        case .transfer: return try await transferDifferences(objects)
        default: return []
        }
    }

    /// Writes a finding down, unless the booking's money is being moved just now.
    func report(_ finding: Finding) async throws {
        let (run, context) = (run, context)
        let isNew = try await database.transaction(context, category: .automated) { tx, unit in
            if let booking = finding.booking, try MoneyPlan.running(booking, tx) != nil { return false }
            var context = unit.context
            context.now = context.environment.now()
            return try ReconciliationDifference.add(finding, run: run.id, tx, context)
        }
        if isNew { state.withLock { $0.result.found += 1 } }
    }
}
