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
            var walk = Walk(try checkpoints(snapshot), witness)
            try snapshot.forEachRow(
                """
                SELECT l.seq, l.entry_id, l.leaf_hash, a.id IS NOT NULL, \(Self.entryColumns)
                FROM audit_leaves l LEFT JOIN audit_logs a ON a.id = l.entry_id ORDER BY l.seq
                """
            ) { row in try walk.take(row) }
            walk.finish()
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

    private func checkpoints(_ db: Snapshot) throws -> [Signed] {
        var result: [Signed] = []
        try db.forEachRow("SELECT size, note, created_at, frontier FROM audit_checkpoints ORDER BY size") { row in
            let stored = try AuditCheckpoint(row: row)
            let checkpoint = try? Checkpoint(verifying: stored.note, with: verifier)
            result.append(Signed(size: stored.size, checkpoint: checkpoint))
        }
        return result
    }

    /// Entries that were never announced to the sealer and have no leaf.
    private func findInserted(_ db: Snapshot, _ walk: inout Walk) throws {
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
        for id in orphans { walk.found(.deleted, nil, id, "The entry was announced but is not in the table.") }
    }

    struct Signed {
        var size: Int
        var checkpoint: Checkpoint?
    }
}

// One pass over the leaves in order.
extension AuditVerifier {
    private struct Walk {
        private let signed: [Signed]
        private let witness: Checkpoint?
        private var next = 0
        private var frontier = MerkleFrontier()
        private var previous: ULID?
        private var problems: [AuditProblem] = []

        init(_ signed: [Signed], _ witness: Checkpoint?) {
            self.signed = signed
            self.witness = witness
        }

        mutating func found(_ kind: AuditProblem.Kind, _ seq: Int?, _ id: String?, _ detail: String) {
            guard problems.count < AuditVerifier.maximumProblems else { return }
            problems.append(AuditProblem(kind: kind, seq: seq, entryID: id, detail: detail))
        }

        mutating func take(_ row: Row) throws {
            let seq: Int = try row.get(at: 0)
            let id: String = try row.get(at: 1)
            if seq != frontier.size {
                found(.deleted, frontier.size, nil, "Leaf \(frontier.size) is missing; the next one is \(seq).")
            }
            let stored = MerkleHash(bytes: try row.get(at: 2, as: [UInt8].self)) ?? .empty
            if try row.get(at: 3, as: Bool.self) {
                try compare(row, seq, stored)
            } else {
                found(.deleted, seq, id, "The entry was sealed but is not in the table.")
            }
            frontier.append(stored)
            checkRoots()
        }

        private mutating func compare(_ row: Row, _ seq: Int, _ stored: MerkleHash) throws {
            let entry: AuditEntry
            do { entry = try AuditEntry(row: row, from: 4) } catch {
                return found(.edited, seq, try row.get(at: 1), "The entry cannot be read: \(error)")
            }
            // Within one batch entries are sealed in the order of their ids.
            let isStartOfBatch = next > 0 && signed[next - 1].size == seq || seq == 0
            if let previous, !isStartOfBatch, entry.id < previous {
                found(.reordered, seq, entry.id.description, "The entry stands after a later one of its batch.")
            } else if AuditLeaf(entry, seq: seq).hash != stored {
                found(.edited, seq, entry.id.description, "The entry does not have the hash that was sealed.")
            }
            previous = entry.id
        }

        private mutating func checkRoots() {
            if let witness, witness.size == frontier.size, witness.root != frontier.root {
                found(.forged, nil, nil, "The tree of \(witness.size) entries is not the one of the checkpoint given.")
            }
            guard next < signed.count, signed[next].size == frontier.size else { return }
            let from = next > 0 ? signed[next - 1].size : 0
            let place = "entries \(from) to \(frontier.size - 1)"
            if let checkpoint = signed[next].checkpoint {
                if checkpoint.size != frontier.size || checkpoint.root != frontier.root {
                    found(.forged, from, nil, "The signed root over \(place) is another one.")
                }
            } else {
                found(.forged, from, nil, "The checkpoint over \(place) is not signed by the key of the log.")
            }
            next += 1
        }

        mutating func finish() {
            if let last = signed.last, last.size > frontier.size {
                found(.truncated, frontier.size, nil, "\(last.size) entries were sealed, \(frontier.size) are left.")
            } else if next < signed.count {
                found(.forged, nil, nil, "A checkpoint of size \(signed[next].size) matches no point of the log.")
            } else if (signed.last?.size ?? 0) < frontier.size {
                let from = signed.last?.size ?? 0
                found(.inserted, from, nil, "Leaves from \(from) on are covered by no checkpoint.")
            }
            if let witness, witness.size > frontier.size {
                found(
                    .truncated, frontier.size, nil,
                    "The checkpoint given covers \(witness.size) entries, \(frontier.size) are left.")
            }
        }

        func report(pending: Int) -> AuditReport {
            AuditReport(
                entries: frontier.size, pending: pending, checkpoints: signed.count, size: signed.last?.size ?? 0,
                root: frontier.root.base64, problems: problems)
        }
    }
}
