/// Joins ranges in the order of the log: continues the tree and notes where it
/// is not what was signed. Keeps nothing but the frontier of the tree.
struct AuditWalk: Sendable {
    private let witness: Checkpoint?
    private let length: Int
    private var frontier = MerkleFrontier()
    /// The start of the range to be joined next; nil when there are no more leaves.
    private(set) var next: Int? = 0
    /// The sequence number that comes next.
    private var expected = 0
    private var leaves = 0
    /// How many entries and checkpoints stood at their leaf.
    private(set) var matched = 0
    private(set) var checkpoints = 0
    /// Where the last checkpoint stands.
    private var sealed = 0
    /// A leaf is missing: what follows cannot be compared with any root.
    private var isBroken = false
    /// From the first place on where the tree differs, every later root does.
    private var isDifferent = false
    private var problems: [AuditProblem] = []

    /// - Parameter length: of the ranges, a power of two.
    init(_ witness: Checkpoint?, length: Int) {
        self.witness = witness
        self.length = length
    }

    mutating func found(_ kind: AuditProblem.Kind, _ seq: Int?, _ id: String?, _ detail: String) {
        guard problems.count < AuditVerifier.maximumProblems else { return }
        problems.append(AuditProblem(kind: kind, seq: seq, entryID: id, detail: detail))
    }

    /// Takes the range that starts at ``next``.
    mutating func take(_ range: AuditRange) {
        next = range.first.map { max($0 / length * length, range.start + (range.leaves > 0 ? length : 0)) }
        guard range.leaves > 0 else { return }
        if let first = range.first, first != expected {
            isBroken = true
            found(.deleted, expected, nil, AuditRange.missing(expected, first))
        }
        for event in range.events {
            switch event {
            case .problem(let problem):
                found(problem.kind, problem.seq, problem.entryID, problem.detail)
            case .mark(let mark):
                let tree = isBroken ? nil : mark.frontier.flatMap { frontier.joined($0) }
                if let signed = mark.signed {
                    check(signed, mark.size, tree)
                } else {
                    checkWitness(tree)
                }
            }
        }
        if !isBroken, let joined = frontier.joined(range.frontier) { frontier = joined }
        if !range.isWhole { isBroken = true }
        expected = range.end
        leaves += range.leaves
        matched += range.matched
    }

    private mutating func checkWitness(_ tree: MerkleFrontier?) {
        guard let witness, witness.root != tree?.root else { return }
        found(
            .forged, nil, nil, "The tree of \(witness.size) entries is not the one of the checkpoint given.")
    }

    private mutating func check(_ signed: AuditRange.Signed, _ size: Int, _ tree: MerkleFrontier?) {
        let place = "entries \(sealed) to \(size - 1)"
        let from = sealed
        sealed = size
        checkpoints += 1
        guard let checkpoint = signed.checkpoint else {
            return found(
                .forged, from, nil, "The checkpoint over \(place) is not signed by the key of the log.")
        }
        guard !isDifferent else { return }
        let root = tree?.root
        if checkpoint.size != tree?.size || checkpoint.root != root {
            isDifferent = true
            found(.forged, from, nil, "The signed root over \(place) is another one.")
        } else if signed.root != root || signed.frontier != tree {
            found(
                .forged, from, nil,
                "What is stored beside the signed root over \(place) is not what it signs.")
        }
    }

    /// - Parameter beside: sizes of checkpoints that stand at no leaf, largest first.
    mutating func finish(_ beside: [Int]) {
        checkpoints += beside.count
        if let largest = beside.first, largest > expected {
            found(.truncated, expected, nil, "\(largest) entries were sealed, \(expected) are left.")
        }
        for size in beside where size <= expected {
            found(.forged, nil, nil, "A checkpoint of size \(size) matches no point of the log.")
        }
        if sealed < expected {
            found(.inserted, sealed, nil, "Leaves from \(sealed) on are covered by no checkpoint.")
        }
        if let witness, witness.size > expected {
            found(
                .truncated, expected, nil,
                "The checkpoint given covers \(witness.size) entries, \(expected) are left.")
        }
    }

    func report(pending: Int) -> AuditReport {
        AuditReport(
            entries: leaves, pending: pending, checkpoints: checkpoints, size: sealed,
            root: frontier.root.base64, problems: problems)
    }
}
