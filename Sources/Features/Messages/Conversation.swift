import JSON
package import Kernel
package import Storage

/// In which of their lists a person keeps a conversation.
package enum ConversationState: String, Sendable, CaseIterable, Codable, InputEnum, SQLBindable, SQLDecodable
{
    case active, archived, trashed
}

/// One row of `conversations`: what a student and an instructor write to each other.
package struct Conversation: Sendable, RowDecodable {
    package var id: ULID
    package var studentID: ULID
    package var instructorID: ULID
    package var lastMessageAt: Instant?
    /// What lists are ordered by; see `messageMigration`.
    package var sortID: ULID
    package var createdAt: Instant

    static let columns: SQL = """
        conversations.id, student_id, instructor_id, last_message_at, sort_id, conversations.created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        studentID = try row.get(at: 1)
        instructorID = try row.get(at: 2)
        lastMessageAt = try row.get(at: 3)
        sortID = try row.get(at: 4)
        createdAt = try row.get(at: 5)
    }

    package var subject: Subject { Subject("conversation", id.description) }

    /// The one at the other end; nil for somebody who takes no part.
    package func other(than user: ULID) -> ULID? {
        switch user {
        case studentID: instructorID
        case instructorID: studentID
        default: nil
        }
    }

    /// A conversation of `user`.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for one they take no part in, exactly as
    ///   for one that does not exist.
    package static func find(_ id: ULID, of user: ULID, _ db: Snapshot) throws -> Conversation {
        let found: Conversation? = try db.one(
            """
            SELECT \(columns) FROM conversations
            WHERE id = \(id) AND (student_id = \(user) OR instructor_id = \(user))
            """)
        guard let found else {
            throw Failure(
                .notFound, "There is no conversation with the id \(id).", reason: "conversation_not_found")
        }
        return found
    }

    /// The one conversation of a pair; made when they have none. Two who make it at
    /// the same time get the same one.
    package static func open(
        student: ULID, instructor: ULID, _ tx: Transaction, _ context: Context
    ) throws -> (conversation: Conversation, isNew: Bool) {
        guard student != instructor else {
            throw Failure(
                .conflict, "Nobody has a conversation with themselves.", reason: "conversation_with_self")
        }
        let id = context.newID()
        let made: Conversation? = try tx.one(
            """
            INSERT INTO conversations (id, student_id, instructor_id, sort_id, created_at)
            VALUES (\(id), \(student), \(instructor), \(id), \(context.now))
            ON CONFLICT (student_id, instructor_id) DO NOTHING RETURNING \(returned)
            """)
        if let made {
            try tx.audit("conversation.create", made.subject)
            return (made, true)
        }
        let known: Conversation? = try tx.one(
            """
            SELECT \(columns) FROM conversations
            WHERE student_id = \(student) AND instructor_id = \(instructor)
            """)
        guard let known else { throw Failure(.internal, "A conversation exists and does not.") }
        return (known, false)
    }

    private static let returned: SQL = "id, student_id, instructor_id, last_message_at, sort_id, created_at"

    /// Puts it into one of the person's lists. Nobody else sees a difference.
    package func move(to state: ConversationState, of user: ULID, _ tx: Transaction, _ context: Context)
        throws
    {
        try tx.run(
            """
            INSERT INTO conversation_user_state (conversation_id, user_id, state, updated_at)
            VALUES (\(id), \(user), \(state), \(context.now))
            ON CONFLICT (conversation_id, user_id) \
            DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
            """)
        try tx.audit(
            "conversation.state", subject, metadata: ["state": .string(state.rawValue)])
    }
}
