package import Kernel
package import Storage

/// One row of `notifications`: something a person is to know, in their list until they remove it.
package struct Notification: Sendable, RowDecodable {
    /// More unread ones are not counted.
    package static let countLimit = 1_000

    package var id: ULID
    package var category: NotificationCategory
    package var type: String
    package var title: String
    package var body: String
    /// JSON text.
    package var data: String?
    package var readAt: Instant?
    package var createdAt: Instant

    private static let columns: SQL = "id, category, type, title, body, data, read_at, created_at"

    package init(row: Row) throws {
        id = try row.get(at: 0)
        category = try row.get(at: 1)
        type = try row.get(at: 2)
        title = try row.get(at: 3)
        body = try row.get(at: 4)
        data = try row.get(at: 5)
        readAt = try row.get(at: 6)
        createdAt = try row.get(at: 7)
    }

    /// A person's, the newest first.
    package static func page(
        of user: ULID, isUnread: Bool, after: ULID?, limit: Int, _ db: Snapshot
    ) throws -> [Notification] {
        var sql: SQL = "SELECT \(columns) FROM notifications WHERE user_id = \(user)"
        if isUnread { sql += " AND read_at IS NULL" }
        if let after { sql += " AND id < \(after)" }
        return try db.all(sql + " ORDER BY id DESC LIMIT \(limit)")
    }

    /// At most ``countLimit``.
    package static func unreadCount(of user: ULID, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM notifications WHERE user_id = \(user) AND read_at IS NULL \
            LIMIT \(countLimit)) AS unread
            """) ?? 0
    }

    /// Marks one as read; it keeps the time at which it was first.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for one that is not the person's.
    package static func read(_ id: ULID, of user: ULID, _ tx: Transaction, _ context: Context) throws {
        let found = try tx.run(
            """
            UPDATE notifications SET read_at = COALESCE(read_at, \(context.now))
            WHERE id = \(id) AND user_id = \(user)
            """)
        guard found.affected == 1 else { throw unknown(id) }
    }

    /// Marks all as read.
    /// - Returns: how many were not.
    package static func readAll(of user: ULID, _ tx: Transaction, _ context: Context) throws -> Int {
        try tx.run(
            """
            UPDATE notifications SET read_at = \(context.now) WHERE user_id = \(user) AND read_at IS NULL
            """
        ).affected
    }

    /// Takes one out of the list.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for one that is not the person's.
    package static func remove(_ id: ULID, of user: ULID, _ tx: Transaction) throws {
        let removed = try tx.run("DELETE FROM notifications WHERE id = \(id) AND user_id = \(user)")
        guard removed.affected == 1 else { throw unknown(id) }
    }

    private static func unknown(_ id: ULID) -> Failure {
        Failure(.notFound, "There is no notification with the id \(id).", reason: "notification_not_found")
    }
}
