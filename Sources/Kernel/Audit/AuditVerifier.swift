package import Storage

/// Recomputes the whole log from its rows and compares it with every signed
/// checkpoint, and with one kept elsewhere when given.
///
/// May run while the system writes. What the last checkpoint covers never
/// changes again, so it is read in ranges, a few at once and each in a snapshot
/// of its own; what comes after, and what concerns whole tables, is read in one
/// last snapshot. A change behind the application's back in the meantime is
/// found by this run or by the next. Memory depends on the length of a range,
/// not on that of the log.
package struct AuditVerifier: Sendable {
    static let maximumProblems = 20
    /// How many ranges are read at once: while one waits for the database another
    /// is hashed. Fewer than SQLite has readers, so that others find one free.
    private static let concurrency = 3
    /// How far reading may run ahead of joining, in ranges.
    private static let lead = 16
    /// No log grows to this; a leaf with a higher number is not looked at.
    static let maximumSize = 1 << 60

    let verifier: NoteVerifier
    /// A checkpoint that left the building: also exposes a log that was
    /// rewritten consistently or cut back together with its checkpoints.
    let witness: Checkpoint?
    /// How many leaves a range has: a power of two, so that ranges are subtrees.
    let length: Int

    /// - Parameter rangeLevel: the height of the subtree that is read at a time.
    package init(verifier: NoteVerifier, witness: Checkpoint? = nil, rangeLevel: Int = 12) {
        self.verifier = verifier
        self.witness = witness
        length = 1 << min(max(rangeLevel, 0), 20)
    }

    package func verify(_ db: Reader) async throws -> AuditReport {
        let sealed = try await db.read { try $0.value("SELECT MAX(size) FROM audit_checkpoints") ?? 0 }
        let start = AuditWalk(witness, length: length)
        let settled = try await readSettled(db, start, min(sealed, Self.maximumSize) / length * length)
        return try await db.read { snapshot in
            try snapshot.liftTimeLimit()
            var walk = settled
            while let start = walk.next { walk.take(try read(start, snapshot)) }
            let pending = try AuditTables(snapshot).check(&walk)
            return walk.report(pending: pending)
        }
    }

    /// Joins the ranges below `end` to the walk, in order. Ends early when there
    /// are no more leaves.
    private func readSettled(_ db: Reader, _ start: AuditWalk, _ end: Int) async throws -> AuditWalk {
        try await withThrowingTaskGroup(of: AuditRange.self) { group in
            var walk = start
            var read: [Int: AuditRange] = [:]
            var (asked, running) = (0, 0)
            while let next = walk.next, next < end {
                // A gap in the log moves the walk beyond what was asked for.
                asked = max(asked, next)
                read = read.filter { $0.key >= next }
                while running < Self.concurrency, asked < min(end, next + Self.lead * length) {
                    let start = asked
                    group.addTask {
                        try await db.read { snapshot in
                            try snapshot.liftTimeLimit()
                            return try self.read(start, snapshot)
                        }
                    }
                    (asked, running) = (asked + length, running + 1)
                }
                if let range = read.removeValue(forKey: next) {
                    walk.take(range)
                } else if let range = try await group.next() {
                    read[range.start] = range
                    running -= 1
                }
            }
            group.cancelAll()
            return walk
        }
    }

    private func read(_ start: Int, _ snapshot: Snapshot) throws -> AuditRange {
        var reader = AuditRangeReader(
            snapshot, start..<start + length, verifier: verifier, witness: witness?.size)
        return try reader.read()
    }
}
