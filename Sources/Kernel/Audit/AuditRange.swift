/// What the rows of a range of the log say by themselves, before they are joined
/// to what stands before them.
struct AuditRange: Sendable {
    /// A place where the tree was signed.
    struct Mark: Sendable {
        /// How many leaves are before it.
        var size: Int
        /// Of the leaves of the range before it; nil when some are missing.
        var frontier: MerkleFrontier?
        /// Nil for the place of the checkpoint kept elsewhere.
        var signed: Signed?
    }

    /// A row of `audit_checkpoints`.
    struct Signed: Sendable {
        /// Nil when the key of the log did not sign it.
        var checkpoint: Checkpoint?
        /// What is stored beside it; nil when it cannot be read.
        var root: MerkleHash?
        var frontier: MerkleFrontier?
    }

    enum Event: Sendable {
        case problem(AuditProblem)
        case mark(Mark)
    }

    /// The first sequence number of the range.
    let start: Int
    /// The first leaf that is there; when the range is empty, the first one behind it.
    var first: Int?
    /// The number after the last leaf that is there.
    var end: Int
    /// How many leaves there are, and how many of them have their entry.
    var leaves = 0
    var matched = 0
    /// Of all leaves, or of those before the first that is missing.
    var frontier = MerkleFrontier()
    /// Whether no leaf is missing before the last.
    var isWhole = true
    /// In the order of the log.
    var events: [Event] = []
    private var problems = 0

    init(start: Int) {
        self.start = start
        end = start
    }

    mutating func found(_ kind: AuditProblem.Kind, _ seq: Int, _ id: String?, _ detail: String) {
        guard problems < AuditVerifier.maximumProblems else { return }
        problems += 1
        events.append(.problem(AuditProblem(kind: kind, seq: seq, entryID: id, detail: detail)))
    }

    static func missing(_ seq: Int, _ next: Int) -> String {
        "Leaf \(seq) is missing; the next one is \(next)."
    }
}
