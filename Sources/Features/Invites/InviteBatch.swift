import JSON
package import Kernel
package import Storage

/// Many invites that a job sends; a row of `beta_invite_batches` and one for each address.
package struct InviteBatch: Sendable, RowDecodable {
    package var id: ULID
    package var role: String
    package var grantsFounding: Bool
    package var expiresInDays: Int
    package var source: String?
    package var note: String?
    package var finishedAt: Instant?

    private static let columns: SQL = """
        id, role, grant_founding_status, expires_in_days, source, note, finished_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        role = try row.get(at: 1)
        grantsFounding = try row.get(at: 2)
        expiresInDays = try row.get(at: 3)
        source = try row.get(at: 4)
        note = try row.get(at: 5)
        finishedAt = try row.get(at: 6)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> InviteBatch? {
        try db.one("SELECT \(columns) FROM beta_invite_batches WHERE id = \(id)")
    }

    /// Notes what is to be sent and enqueues the job that does it.
    package static func start(
        _ emails: [String], like model: NewInvite, _ tx: Transaction, _ context: Context
    )
        throws -> ULID
    {
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO beta_invite_batches (id, role, grant_founding_status, expires_in_days, source, note, \
            created_at)
            VALUES (\(id), \(model.role), \(model.grantsFounding), \(model.expiresInDays), \(model.source), \
            \(model.note), \(context.now))
            """)
        let rows: [SQL] = emails.enumerated().map { "(\(id), \($0), \($1.lowercased()))" }
        try tx.runMany(
            SQL.inserts("INSERT INTO beta_invite_batch_items (batch_id, position, email) VALUES", rows))
        try tx.enqueue(SendInvitesBatch(batch: id))
        try tx.audit(
            "invite.send_batch", Subject("invite_batch", id.description),
            metadata: ["recipient_count": .int(emails.count)])
        return id
    }

    /// Sends the next ones of it.
    /// - Returns: whether that was all.
    func sendSome(_ limit: Int, _ tx: Transaction, _ context: Context) throws -> Bool {
        let rows = try tx.rows(
            """
            SELECT position, email FROM beta_invite_batch_items WHERE batch_id = \(id) AND invite_id IS NULL
            AND problem IS NULL ORDER BY position LIMIT \(limit) \(.forUpdate)
            """)
        for row in rows {
            let (position, email): (Int, String) = (try row.get(at: 0), try row.get(at: 1))
            do {
                let invite = try tx.savepoint { try sendOne(email, tx, context) }
                try tx.run(
                    """
                    UPDATE beta_invite_batch_items SET invite_id = \(invite)
                    WHERE batch_id = \(id) AND position = \(position)
                    """)
            } catch let failure as Failure where failure.code != .internal {
                let problem = failure.reason ?? failure.code.rawValue
                try tx.run(
                    """
                    UPDATE beta_invite_batch_items SET problem = \(problem)
                    WHERE batch_id = \(id) AND position = \(position)
                    """)
            }
        }
        guard rows.count < limit else { return false }
        try tx.run("UPDATE beta_invite_batches SET finished_at = \(context.now) WHERE id = \(id)")
        return true
    }

    private func sendOne(_ email: String, _ tx: Transaction, _ context: Context) throws -> ULID {
        guard Recipient.isAddress(email) else {
            throw Failure(.invalidInput, "No mail can go to this address.", reason: "invalid_address")
        }
        let model = NewInvite(
            email: email, role: role, grantsFounding: grantsFounding, expiresInDays: expiresInDays,
            source: source, note: note)
        let (sent, _) = try Invite.send([model], tx, context)
        guard let invite = sent.first else { throw Failure(.internal, "An invite was not made.") }
        return invite.id
    }

    /// How far it is; two statements whatever its size.
    package func progress(_ db: Snapshot) throws -> InviteProgress {
        let counts = try db.rows(
            """
            SELECT COUNT(*), COUNT(invite_id), COUNT(problem) FROM beta_invite_batch_items
            WHERE batch_id = \(id)
            """
        ).first
        let failed = try db.rows(
            """
            SELECT email, problem FROM beta_invite_batch_items
            WHERE batch_id = \(id) AND problem IS NOT NULL ORDER BY position LIMIT 100
            """
        ).map { InviteProgress.Failed(email: try $0.get(at: 0), reason: try $0.get(at: 1)) }
        return InviteProgress(
            taskID: id, state: finishedAt == nil ? "running" : "finished",
            total: try counts?.get(at: 0) ?? 0, sent: try counts?.get(at: 1) ?? 0,
            failed: try counts?.get(at: 2) ?? 0, failedItems: failed)
    }
}

/// How far a batch is.
package struct InviteProgress: Sendable, Codable {
    package struct Failed: Sendable, Codable {
        package var email: String
        package var reason: String
    }
    package var taskID: ULID
    package var state: String
    package var total: Int
    package var sent: Int
    package var failed: Int
    /// The first hundred.
    package var failedItems: [Failed]
}
