import JSON
import Storage

/// One pass over the leaves in order: recomputes the tree and notes where it
/// is not what was signed. Keeps nothing but the frontier of the tree.
struct AuditWalk {
    private let verifier: NoteVerifier
    private let witness: Checkpoint?
    private var frontier = MerkleFrontier()
    /// The sequence number that comes next.
    private var expected = 0
    /// The last entry of this batch.
    private var previous: ULID?
    /// Where the last checkpoint stands, and how many there were.
    private var sealed = 0
    private var checkpoints = 0
    /// From the first place on where the tree differs, every later root does.
    private var isDifferent = false
    private var problems: [AuditProblem] = []

    init(_ verifier: NoteVerifier, _ witness: Checkpoint?) {
        self.verifier = verifier
        self.witness = witness
    }

    mutating func found(_ kind: AuditProblem.Kind, _ seq: Int?, _ id: String?, _ detail: String) {
        guard problems.count < AuditVerifier.maximumProblems else { return }
        problems.append(AuditProblem(kind: kind, seq: seq, entryID: id, detail: detail))
    }

    /// Takes a row of: seq, entry_id, leaf_hash; size, note, root, frontier of
    /// the checkpoint that stands here; whether there is an entry; its columns.
    mutating func take(_ row: Row) throws {
        let seq: Int = try row.get(at: 0)
        let id: String = try row.get(at: 1)
        if seq != expected {
            found(.deleted, expected, nil, "Leaf \(expected) is missing; the next one is \(seq).")
        }
        expected = seq + 1
        let stored = MerkleHash(bytes: try row.get(at: 2, as: [UInt8].self)) ?? .empty
        if try row.get(at: 7, as: Bool.self) {
            try compare(row, seq, stored)
        } else {
            found(.deleted, seq, id, "The entry was sealed but is not in the table.")
        }
        frontier.append(stored)
        checkWitness()
        if let size: Int = try row.get(at: 3) { try checkCheckpoint(row, size) }
    }

    private mutating func compare(_ row: Row, _ seq: Int, _ stored: MerkleHash) throws {
        let entry: AuditEntry
        do { entry = try AuditEntry(row: row, from: 8) } catch {
            return found(.edited, seq, try row.get(at: 1), "The entry cannot be read: \(error)")
        }
        // Within one batch entries are sealed in the order of their ids.
        if let previous, entry.id < previous {
            found(.reordered, seq, entry.id.description, "The entry stands after a later one of its batch.")
        } else if AuditLeaf(entry, seq: seq).hash != stored {
            found(.edited, seq, entry.id.description, "The entry does not have the hash that was sealed.")
        }
        previous = entry.id
    }

    private mutating func checkWitness() {
        guard let witness, witness.size == frontier.size, witness.root != frontier.root else { return }
        found(
            .forged, nil, nil, "The tree of \(witness.size) entries is not the one of the checkpoint given.")
    }

    private mutating func checkCheckpoint(_ row: Row, _ size: Int) throws {
        let place = "entries \(sealed) to \(size - 1)"
        let from = sealed
        (sealed, previous) = (size, nil)
        checkpoints += 1
        let root = MerkleHash(bytes: try row.get(at: 5, as: [UInt8].self))
        let kept = try? JSONCoding.decode(
            MerkleFrontier.self, from: Array(row.get(at: 6, as: String.self).utf8))
        guard let checkpoint = try? Checkpoint(verifying: row.get(at: 4), with: verifier) else {
            return found(
                .forged, from, nil, "The checkpoint over \(place) is not signed by the key of the log.")
        }
        guard !isDifferent else { return }
        if checkpoint.size != frontier.size || checkpoint.root != frontier.root {
            isDifferent = true
            found(.forged, from, nil, "The signed root over \(place) is another one.")
        } else if root != frontier.root || kept != frontier {
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
            entries: frontier.size, pending: pending, checkpoints: checkpoints, size: sealed,
            root: frontier.root.base64, problems: problems)
    }
}
