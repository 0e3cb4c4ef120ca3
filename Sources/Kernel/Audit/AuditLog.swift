package import JSON
package import Storage

/// The table `audit_logs` and its waiting room `audit_pending`.
///
/// An entry is inserted once, in the transaction of the change it describes,
/// and never touched again (a trigger refuses). Its id also goes into
/// `audit_pending`, from which the sealer takes it within a second; entries of
/// reads are sealed where they are inserted.
package enum AuditLog {
    /// Sealed entries by action, actor type, status and resource type; one part per category.
    package static let tally = Tally("audit")

    package static let columns: SQL = """
        id, timestamp, category, actor_type, actor_id, actor_email, actor_ip, actor_user_agent, action, \
        resource_type, resource_id, description, changes, metadata, status, error_message, request_id, \
        trace_id, session_id
        """

    /// Adds the entry of a change and announces it to the sealer.
    static func insert(_ entry: AuditEntry, _ tx: Transaction) throws { try tx.runMany(inserts([entry])) }

    /// What does the same for many, with few statements.
    static func inserts(_ entries: [AuditEntry]) -> [SQL] { rows(entries) + announcements(entries) }

    /// What adds entries that are sealed in this same transaction.
    static func rows(_ entries: [AuditEntry]) -> [SQL] {
        SQL.inserts("INSERT INTO audit_logs (\(columns)) VALUES", entries.map(row))
    }

    /// What leaves entries to the sealer.
    static func announcements(_ entries: [AuditEntry]) -> [SQL] {
        SQL.inserts("INSERT INTO audit_pending (entry_id) VALUES", entries.map { "(\($0.id))" })
    }

    private static func row(_ entry: AuditEntry) -> SQL {
        """
        (\(entry.id), \(entry.timestamp), \(entry.category), \(entry.actorType), \(entry.actorID), \
        \(entry.actorEmail), \(entry.actorIP), \(entry.actorUserAgent), \(entry.action), \
        \(entry.resourceType), \(entry.resourceID), \(entry.description), \(entry.changes), \
        \(entry.metadata), \(entry.status), \(entry.errorMessage), \(entry.requestID), \
        \(entry.traceID), \(entry.sessionID))
        """
    }

    /// Which of these entries are in the table.
    static func known(_ ids: [ULID], _ tx: Transaction) throws -> Set<ULID> {
        Set(try tx.values("SELECT id FROM audit_logs WHERE id \(in: ids)"))
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> AuditEntry? {
        try db.one("SELECT \(columns) FROM audit_logs WHERE id = \(id)")
    }
}

extension AuditEntry: RowDecodable {
    package init(row: Row) throws { try self.init(row: row, from: 0) }

    /// Columns in the order of ``AuditLog/columns``, the first at `start`; read
    /// by position, because verification reads millions.
    package init(row: Row, from start: Int) throws {
        id = try row.get(at: start)
        timestamp = try row.get(at: start + 1)
        category = try row.get(at: start + 2)
        actorType = try row.get(at: start + 3)
        actorID = try row.get(at: start + 4)
        actorEmail = try row.get(at: start + 5)
        actorIP = try row.get(at: start + 6)
        actorUserAgent = try row.get(at: start + 7)
        action = try row.get(at: start + 8)
        resourceType = try row.get(at: start + 9)
        resourceID = try row.get(at: start + 10)
        description = try row.get(at: start + 11)
        changes = try row.get(at: start + 12)
        metadata = try row.get(at: start + 13)
        status = try row.get(at: start + 14)
        errorMessage = try row.get(at: start + 15)
        requestID = try row.get(at: start + 16)
        traceID = try row.get(at: start + 17)
        sessionID = try row.get(at: start + 18)
    }
}

extension Transaction {
    /// Records a change in this transaction: if the entry cannot be written,
    /// the change does not happen.
    package func audit(
        _ action: String, _ subject: Subject, changes: JSONObject? = nil, description: String? = nil,
        status: AuditStatus = .success, metadata: JSONObject = [:], error: String? = nil
    ) throws {
        let unit = try unit
        let entry = AuditEntry(
            unit.context, category: unit.category, action: action, subject: subject, status: status,
            description: description, changes: changes, metadata: metadata, error: error)
        if unit.keepsEntries { keep(entry) } else { try AuditLog.insert(entry, self) }
        unit.note(
            EffectPreview(
                kind: "change", action: action, resourceType: subject.type, resourceID: subject.id,
                changes: entry.changes.map { RawJSON(unchecked: Array($0.utf8)) }))
    }
}
