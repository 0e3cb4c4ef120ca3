import Storage

/// What concerns whole tables and not single leaves: entries without a leaf and
/// checkpoints without a place.
///
/// Counts first, and searches only when the numbers do not add up: ids and
/// sizes are unique, so equal numbers of which one side was seen row by row mean
/// equal sets.
struct AuditTables {
    private let db: Snapshot

    init(_ db: Snapshot) { self.db = db }

    /// - Returns: how many entries wait for their seal.
    func check(_ walk: inout AuditWalk) throws -> Int {
        let checkpoints = try db.value("SELECT COUNT(*) FROM audit_checkpoints") ?? 0
        if checkpoints == walk.checkpoints {
            walk.finish([])
        } else {
            let beside = try checkpointsBesideTheLog()
            if beside.isEmpty {
                walk.found(
                    .forged, nil, nil, "\(checkpoints) checkpoints stand at \(walk.checkpoints) places.")
            }
            walk.finish(beside)
        }
        try findLeavesOutside(&walk)
        let pending = try db.value("SELECT COUNT(*) FROM audit_pending") ?? 0
        try findInserted(&walk)
        if pending > 0 { try findOrphans(&walk) }
        return pending
    }

    /// Sizes of checkpoints that stand at no leaf, largest first.
    private func checkpointsBesideTheLog() throws -> [Int] {
        try db.values(
            """
            SELECT c.size FROM audit_checkpoints c
            WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.seq = c.size - 1)
            ORDER BY c.size DESC LIMIT \(AuditVerifier.maximumProblems)
            """)
    }

    /// Leaves with numbers that no walk reaches.
    private func findLeavesOutside(_ walk: inout AuditWalk) throws {
        let ends: [Int?] = [
            try db.value("SELECT MIN(seq) FROM audit_leaves"),
            try db.value("SELECT MAX(seq) FROM audit_leaves"),
        ]
        for case let seq? in ends where !(0..<AuditVerifier.maximumSize).contains(seq) {
            walk.found(.inserted, seq, nil, "A leaf has the number \(seq).")
        }
    }

    /// Entries that were never announced to the sealer and have no leaf.
    private func findInserted(_ walk: inout AuditWalk) throws {
        let entries = try db.value("SELECT COUNT(*) FROM audit_logs") ?? 0
        let announced =
            try db.value(
                """
                SELECT COUNT(*) FROM audit_pending p
                WHERE EXISTS (SELECT 1 FROM audit_logs a WHERE a.id = p.entry_id)
                AND NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.entry_id = p.entry_id)
                """) ?? 0
        guard entries != walk.matched + announced else { return }
        let ids: [String] = try db.values(
            """
            SELECT a.id FROM audit_logs a
            WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.entry_id = a.id)
            AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.entry_id = a.id)
            ORDER BY a.id LIMIT \(AuditVerifier.maximumProblems)
            """)
        for id in ids { walk.found(.inserted, nil, id, "The entry is in the table but was never sealed.") }
        if ids.isEmpty {
            walk.found(
                .inserted, nil, nil,
                "The table holds \(entries) entries, \(walk.matched) are sealed and \(announced) wait.")
        }
    }

    private func findOrphans(_ walk: inout AuditWalk) throws {
        let ids: [String] = try db.values(
            """
            SELECT p.entry_id FROM audit_pending p
            WHERE NOT EXISTS (SELECT 1 FROM audit_logs a WHERE a.id = p.entry_id)
            ORDER BY p.entry_id LIMIT \(AuditVerifier.maximumProblems)
            """)
        for id in ids {
            walk.found(.deleted, nil, id, "The entry was announced but is not in the table.")
        }
    }
}
