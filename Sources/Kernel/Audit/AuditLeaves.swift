import Storage

/// The leaves of a range, and what became of the entry of each.
struct AuditLeaves {
    enum State: UInt8 {
        case missing, unreadable, different, same
    }

    struct Leaf {
        var seq: Int
        /// Nil when it is not a ULID.
        var id: ULID?
        var hash: MerkleHash
        var state = State.missing
    }

    /// In the order of the log.
    private(set) var inOrder: [Leaf] = []
    /// The entry of the leaf before the range.
    private(set) var before: ULID?
    /// How many entries were found.
    private(set) var matched = 0
    /// What stands in place of a ULID, and why an entry cannot be read, by sequence number.
    private(set) var unreadableIDs: [Int: String] = [:]
    private(set) var problems: [Int: String] = [:]
    /// Those with an id, as places in ``inOrder`` in the order of their ids.
    private var byID: [Int] = []
    /// The first of ``byID`` whose entry has not come.
    private var position = 0
    private var writer = AuditLeafWriter()

    var isEmpty: Bool { inOrder.isEmpty }
    var count: Int { inOrder.count }

    /// Takes a row of: seq, entry_id, leaf_hash.
    mutating func append(_ row: borrowing RawRow, from start: Int) throws {
        guard let seq = try row.int(at: 0) else { throw StorageError.decode("a leaf without a number") }
        let text = try row.text(at: 1)
        let id = text.flatMap { ULID(utf8: $0) }
        guard seq >= start else { return before = id }
        if id == nil, unreadableIDs.count < AuditVerifier.maximumProblems {
            unreadableIDs[seq] = text.map { String(decoding: $0, as: UTF8.self) }
        }
        let hash = try row.bytes(at: 2).flatMap { MerkleHash($0) } ?? .empty
        inOrder.append(Leaf(seq: seq, id: id, hash: hash, state: id == nil ? .unreadable : .missing))
    }

    /// Called when all leaves are there, before the entries come.
    mutating func sort() {
        var places = inOrder.indices.filter { inOrder[$0].id != nil }
        let isSorted = zip(places, places.dropFirst()).allSatisfy { isBefore($0, $1) }
        if !isSorted { places.sort { isBefore($0, $1) } }
        byID = places
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        guard let left = inOrder[left].id, let right = inOrder[right].id else { return false }
        return left < right
    }

    /// The first and the last entry that have not come, nil when all have.
    var wanted: (first: ULID, last: ULID)? {
        guard position < byID.count, let first = inOrder[byID[position]].id,
            let last = byID.last.flatMap({ inOrder[$0].id })
        else { return nil }
        return (first, last)
    }

    /// Says that an entry would have come by now.
    mutating func settle(_ id: ULID) {
        while position < byID.count, inOrder[byID[position]].id == id { position += 1 }
    }

    /// Takes a row of ``AuditLog/columns``; they come in the order of their ids.
    mutating func compare(_ row: borrowing RawRow) throws {
        guard let id = try row.text(at: 0).flatMap({ ULID(utf8: $0) }) else { return }
        while position < byID.count, let wanted = inOrder[byID[position]].id, wanted <= id {
            if wanted == id { try compare(row, byID[position]) }
            position += 1
        }
    }

    private mutating func compare(_ row: borrowing RawRow, _ place: Int) throws {
        matched += 1
        let seq = inOrder[place].seq
        do {
            try writer.write(row, seq: seq)
            inOrder[place].state = writer.hash == inOrder[place].hash ? .same : .different
        } catch StorageError.decode(let problem) {
            inOrder[place].state = .unreadable
            if problems.count < AuditVerifier.maximumProblems { problems[seq] = problem }
        }
    }
}
