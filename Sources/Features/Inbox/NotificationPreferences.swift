import JSON
package import Kernel
package import Storage

/// Which channels a person wants for which category: a row where they chose, the standard otherwise.
package struct NotificationPreferences: Sendable {
    /// One field of the matrix.
    package struct Cell: Sendable, Hashable {
        package var category: NotificationCategory
        package var channel: NotificationChannel
        package init(_ category: NotificationCategory, _ channel: NotificationChannel) {
            (self.category, self.channel) = (category, channel)
        }

        /// Cannot be switched off.
        package var isLocked: Bool { category == .messages && channel == .push }

        /// Until the person says otherwise.
        package var isOnByStandard: Bool {
            switch (category, channel) {
            case (.promotional, _), (_, .sms), (.messages, .email), (.systemUpdates, .push): false
            default: true
            }
        }
    }

    private var chosen: [Cell: Bool] = [:]

    package init() {}

    package static func of(_ user: ULID, _ db: Snapshot) throws -> NotificationPreferences {
        var preferences = NotificationPreferences()
        let rows = try db.rows(
            "SELECT category, channel, enabled FROM notification_preferences WHERE user_id = \(user)")
        for row in rows {
            preferences.chosen[Cell(try row.get(at: 0), try row.get(at: 1))] = try row.get(at: 2)
        }
        return preferences
    }

    package func isOn(_ category: NotificationCategory, _ channel: NotificationChannel) -> Bool {
        let cell = Cell(category, channel)
        return cell.isLocked || chosen[cell] ?? cell.isOnByStandard
    }

    /// Every field, in the order of the matrix.
    package static var cells: [Cell] {
        NotificationCategory.allCases.flatMap { category in
            NotificationChannel.allCases.map { Cell(category, $0) }
        }
    }

    /// Stores one choice.
    /// - Throws: ``Kernel/Failure/Code/conflict``, `preference_locked`, for a locked field that is to go off.
    package static func set(_ cell: Cell, _ isOn: Bool, of user: ULID, _ tx: Transaction, _ context: Context)
        throws
    {
        guard isOn || !cell.isLocked else {
            throw Failure(
                .conflict, "\(cell.channel.rawValue) for \(cell.category.rawValue) cannot be switched off.",
                reason: "preference_locked")
        }
        let old = try of(user, tx).isOn(cell.category, cell.channel)
        try tx.run(
            """
            INSERT INTO notification_preferences (user_id, category, channel, enabled, locked, updated_at)
            VALUES (\(user), \(cell.category), \(cell.channel), \(isOn), \(cell.isLocked), \(context.now))
            ON CONFLICT (user_id, category, channel) \
            DO UPDATE SET enabled = excluded.enabled, updated_at = excluded.updated_at
            """)
        guard old != isOn else { return }
        let name = "\(cell.category.rawValue).\(cell.channel.rawValue)"
        try tx.audit(
            "notification.preference", Subject("user", user.description),
            changes: [name: ["old": .bool(old), "new": .bool(isOn)]])
    }
}
