import JSON
package import Storage

/// What `audit verify` found.
package struct AuditReport: Codable, Sendable, Hashable {
    package var entries: Int
    package var pending: Int
    package var checkpoints: Int
    package var size: Int
    package var root: String
    /// In order of discovery; empty when the log is what was signed.
    package var problems: [AuditProblem]

    package var isClean: Bool { problems.isEmpty }

    package init(
        entries: Int, pending: Int, checkpoints: Int, size: Int, root: String, problems: [AuditProblem]
    ) {
        self.entries = entries
        self.pending = pending
        self.checkpoints = checkpoints
        self.size = size
        self.root = root
        self.problems = problems
    }
}

/// One place where the log is not what was signed.
package struct AuditProblem: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case edited, deleted, inserted, reordered, truncated, forged
    }
    package var kind: Kind
    package var seq: Int?
    package var entryID: String?
    package var detail: String

    package init(kind: Kind, seq: Int? = nil, entryID: String? = nil, detail: String) {
        self.kind = kind
        self.seq = seq
        self.entryID = entryID
        self.detail = detail
    }
}

/// Recomputes the whole log from its rows and compares it with every signed
/// checkpoint, and with one kept elsewhere when given.
///
/// Reads one consistent snapshot, so it may run while the system writes.
package struct AuditVerifier: Sendable {
    static let maximumProblems = 20

    let verifier: NoteVerifier
    /// A checkpoint that left the building: also exposes a log that was
    /// rewritten consistently or cut back together with its checkpoints.
    let witness: Checkpoint?

    package init(verifier: NoteVerifier, witness: Checkpoint? = nil) {
        self.verifier = verifier
        self.witness = witness
    }

    package func verify(_ db: Reader) async throws -> AuditReport {
        try await db.read { snapshot in
            try snapshot.liftTimeLimit()
            var walk = AuditWalk(verifier, witness)
            try snapshot.forEachRow(
                """
                SELECT l.seq, l.entry_id, l.leaf_hash, c.size, c.note, c.root, c.frontier, a.id IS NOT NULL, \
                \(Self.entryColumns)
                FROM audit_leaves l LEFT JOIN audit_logs a ON a.id = l.entry_id
                LEFT JOIN audit_checkpoints c ON c.size = l.seq + 1 ORDER BY l.seq
                """
            ) { row in try walk.take(row) }
            walk.finish(try checkpointsBesideTheLog(snapshot))
            try findInserted(snapshot, &walk)
            return walk.report(
                pending: try snapshot.value("SELECT COUNT(*) FROM audit_pending") ?? 0)
        }
    }

    /// ``AuditLog/columns`` of the joined entry.
    static let entryColumns: SQL = """
        a.id, a.timestamp, a.category, a.actor_type, a.actor_id, a.actor_email, a.actor_ip, a.actor_user_agent, \
        a.action, a.resource_type, a.resource_id, a.description, a.changes, a.metadata, a.status, \
        a.error_message, a.request_id, a.trace_id, a.session_id
        """

    /// Sizes of checkpoints that stand at no leaf, largest first.
    private func checkpointsBesideTheLog(_ db: Snapshot) throws -> [Int] {
        try db.values(
            """
            SELECT c.size FROM audit_checkpoints c
            WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.seq = c.size - 1)
            ORDER BY c.size DESC LIMIT \(Self.maximumProblems)
            """)
    }

    /// Entries that were never announced to the sealer and have no leaf.
    private func findInserted(_ db: Snapshot, _ walk: inout AuditWalk) throws {
        let ids: [String] = try db.values(
            """
            SELECT a.id FROM audit_logs a
            WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.entry_id = a.id)
            AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.entry_id = a.id)
            ORDER BY a.id LIMIT \(Self.maximumProblems)
            """)
        for id in ids { walk.found(.inserted, nil, id, "The entry is in the table but was never sealed.") }
        let orphans: [String] = try db.values(
            """
            SELECT p.entry_id FROM audit_pending p
            WHERE NOT EXISTS (SELECT 1 FROM audit_logs a WHERE a.id = p.entry_id)
            ORDER BY p.entry_id LIMIT \(Self.maximumProblems)
            """)
        for id in orphans {
            walk.found(.deleted, nil, id, "The entry was announced but is not in the table.")
        }
    }
}
