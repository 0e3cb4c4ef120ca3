package import Kernel
package import Storage

/// A conversation as one of the two sees it in their list.
package struct ConversationRow: Sendable, RowDecodable {
    package var conversation: Conversation
    package var state: ConversationState
    package var unreadCount: Int
    /// The last message; its words are nil when it was deleted.
    package var last: Message?

    package init(row: Row) throws {
        conversation = try Conversation(row: row)
        state = try row.get(at: 6)
        unreadCount = try row.get(at: 7)
    }
}

extension Conversation {
    /// A person's list, the latest message first; two statements whatever its length.
    package static func page(
        of user: ULID, _ state: ConversationState, after: ULID?, limit: Int, _ db: Snapshot
    ) throws -> [ConversationRow] {
        var sql: SQL = """
            SELECT \(columns), COALESCE(s.state, 'active'), \(unread(of: user)) FROM conversations
            LEFT JOIN conversation_user_state AS s
            ON s.conversation_id = conversations.id AND s.user_id = \(user)
            WHERE (student_id = \(user) OR instructor_id = \(user)) AND COALESCE(s.state, 'active') = \(state)
            """
        if let after { sql += " AND sort_id < \(after)" }
        return try withLast(try db.all(sql + " ORDER BY sort_id DESC LIMIT \(limit)"), db)
    }

    /// One of them, as in ``page(of:_:after:limit:_:)``.
    package func row(of user: ULID, _ db: Snapshot) throws -> ConversationRow? {
        let rows: [ConversationRow] = try db.all(
            """
            SELECT \(Self.columns), COALESCE(s.state, 'active'), \(Self.unread(of: user)) FROM conversations
            LEFT JOIN conversation_user_state AS s
            ON s.conversation_id = conversations.id AND s.user_id = \(user) WHERE conversations.id = \(id)
            """)
        return try Self.withLast(rows, db).first
    }

    private static func withLast(_ rows: [ConversationRow], _ db: Snapshot) throws -> [ConversationRow] {
        let last = try Message.find(rows.map(\.conversation.sortID), db)
        return rows.map { row in
            var row = row
            row.last = last[row.conversation.sortID]
            return row
        }
    }

    private static func unread(of user: ULID) -> SQL {
        """
        (SELECT COUNT(*) FROM message_notifications AS n JOIN messages AS m ON m.id = n.message_id
        WHERE n.user_id = \(user) AND n.conversation_id = conversations.id AND NOT n.is_read
        AND NOT m.is_deleted)
        """
    }

    /// Of all conversations that the person has not thrown away: how many messages they have not read.
    package static func unreadCount(of user: ULID, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM message_notifications AS n
            JOIN messages AS m ON m.id = n.message_id
            LEFT JOIN conversation_user_state AS s
            ON s.conversation_id = n.conversation_id AND s.user_id = n.user_id
            WHERE n.user_id = \(user) AND NOT n.is_read AND NOT m.is_deleted
            AND COALESCE(s.state, 'active') <> 'trashed' LIMIT \(unreadLimit)) AS unread
            """) ?? 0
    }

    /// More are not counted.
    package static let unreadLimit = 1_000
}
