import JSON
import Storage

/// Reads a range of leaves with their entries and checkpoints, and compares
/// each entry with the hash of its leaf.
///
/// Leaves are read by number and entries by id, both in order, and put together
/// here: a join of the database would be planned anew with every size of the
/// log, and cost it more.
struct AuditRangeReader {
    /// How many entries are fetched at a time: what a driver holds of them should
    /// not outgrow the processor's cache.
    private static let maximumPage = 1_024

    private let snapshot: Snapshot
    private let range: Range<Int>
    private let verifier: NoteVerifier
    /// The size of the checkpoint kept elsewhere.
    private let witness: Int?
    private var leaves = AuditLeaves()
    private var result: AuditRange

    init(_ snapshot: Snapshot, _ range: Range<Int>, verifier: NoteVerifier, witness: Int?) {
        self.snapshot = snapshot
        self.range = range
        self.verifier = verifier
        self.witness = witness
        result = AuditRange(start: range.lowerBound)
    }

    mutating func read() throws -> AuditRange {
        // One more at the front: what the first one follows.
        let rows: SQL = """
            SELECT seq, entry_id, leaf_hash FROM audit_leaves
            WHERE seq >= \(range.lowerBound - 1) AND seq < \(range.upperBound) ORDER BY seq
            """
        try snapshot.scan(rows) { row in try leaves.append(row, from: range.lowerBound) }
        guard !leaves.isEmpty else {
            result.first = try snapshot.value(
                """
                SELECT MIN(seq) FROM audit_leaves
                WHERE seq >= \(range.upperBound) AND seq < \(AuditVerifier.maximumSize)
                """)
            return result
        }
        try readEntries()
        try walk(checkpoints())
        return result
    }

    /// Entries that belong elsewhere lie between ours when they were sealed later
    /// or earlier than their neighbours. So a page starts at the next entry that
    /// is looked for, and is no longer than the last one was worth.
    private mutating func readEntries() throws {
        leaves.sort()
        var page = min(leaves.count, Self.maximumPage)
        while let (first, last) = leaves.wanted {
            var rows = 0
            let matched = leaves.matched
            let entries: SQL = """
                SELECT \(AuditLog.columns) FROM audit_logs WHERE id >= \(first) AND id <= \(last)
                ORDER BY id LIMIT \(page)
                """
            try snapshot.scan(entries) { row in
                rows += 1
                try leaves.compare(row)
            }
            if rows < page { return }
            leaves.settle(first)
            page = min(max(2 * (leaves.matched - matched), 16), Self.maximumPage)
        }
    }

    /// The checkpoints that may stand at a leaf of the range, by their size.
    private func checkpoints() throws -> [Int: AuditRange.Signed] {
        var found: [Int: AuditRange.Signed] = [:]
        try snapshot.forEachRow(
            """
            SELECT size, note, root, frontier FROM audit_checkpoints
            WHERE size >= \(range.lowerBound) AND size <= \(range.upperBound)
            """
        ) { row in
            let root = try? MerkleHash(bytes: row.get(at: 2, as: [UInt8].self))
            let frontier = try? JSONCoding.decode(
                MerkleFrontier.self, from: Array(row.get(at: 3, as: String.self).utf8))
            found[try row.get(at: 0)] = AuditRange.Signed(
                checkpoint: try? Checkpoint(verifying: row.get(at: 1), with: verifier), root: root,
                frontier: frontier)
        }
        return found
    }

    private mutating func walk(_ checkpoints: [Int: AuditRange.Signed]) {
        var previous = leaves.before
        for leaf in leaves.inOrder {
            if leaf.seq != result.end {
                result.isWhole = false
                // Before the first one it is the walk that knows what is missing.
                if result.leaves > 0 {
                    result.found(.deleted, result.end, nil, AuditRange.missing(result.end, leaf.seq))
                }
            }
            result.first = result.first ?? leaf.seq
            // Within one batch entries are sealed in the order of their ids.
            if checkpoints[leaf.seq] != nil { previous = nil }
            note(leaf, after: previous)
            previous = leaf.id
            result.leaves += 1
            result.end = leaf.seq + 1
            if result.isWhole { result.frontier.append(leaf.hash) }
            if witness == result.end { mark(nil) }
            if let signed = checkpoints[result.end] { mark(signed) }
        }
        result.matched = leaves.matched
    }

    private mutating func mark(_ signed: AuditRange.Signed?) {
        let frontier = result.isWhole ? result.frontier : nil
        result.events.append(.mark(.init(size: result.end, frontier: frontier, signed: signed)))
    }

    private mutating func note(_ leaf: AuditLeaves.Leaf, after previous: ULID?) {
        switch leaf.state {
        case .missing:
            result.found(.deleted, leaf.seq, id(leaf), "The entry was sealed but is not in the table.")
        case .unreadable:
            result.found(
                .edited, leaf.seq, id(leaf),
                "The entry cannot be read: \(leaves.problems[leaf.seq] ?? "not a ULID")")
        case .same, .different:
            if let previous, let own = leaf.id, own < previous {
                result.found(
                    .reordered, leaf.seq, id(leaf), "The entry stands after a later one of its batch.")
            } else if leaf.state == .different {
                result.found(.edited, leaf.seq, id(leaf), "The entry does not have the hash that was sealed.")
            }
        }
    }

    private func id(_ leaf: AuditLeaves.Leaf) -> String? {
        leaf.id?.description ?? leaves.unreadableIDs[leaf.seq]
    }
}
