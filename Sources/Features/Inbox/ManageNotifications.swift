import Kernel
import Storage

/// Marks one notification as read.
struct ReadNotification: Command {
    static let name = "notification_read"
    static let summary = "Mark a notification as read."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("notifications/:id/read")
    static let action = "notification.read"

    @Input("The notification's id.") var id: ULID
    var subject: Subject? { Subject("notification", id.description) }

    struct Output: Codable, Sendable {
        var unreadCount: Int
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        try Notification.read(id, of: user, tx, context)
        return Output(unreadCount: try Notification.unreadCount(of: user, tx))
    }
}

/// Marks every notification as read.
struct ReadAllNotifications: Command {
    static let name = "notification_read_all"
    static let summary = "Mark all of the signed-in person's notifications as read."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("notifications/read-all")
    static let action = "notification.read_all"

    struct Output: Codable, Sendable {
        /// How many were unread.
        var count: Int
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        Output(count: try Notification.readAll(of: context.userID(), tx, context))
    }
}

/// Takes a notification out of the list.
struct RemoveNotification: Command {
    static let name = "notification_remove"
    static let summary = "Take a notification out of the signed-in person's list."
    static let effect = Effect.destructive
    static let audience = Audience.users
    static let route = Route.delete("notifications/:id")
    static let action = "notification.remove"

    @Input("The notification's id.") var id: ULID
    var subject: Subject? { Subject("notification", id.description) }

    struct Output: Codable, Sendable {
        var isRemoved: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        try Notification.remove(id, of: context.userID(), tx)
        return Output(isRemoved: true)
    }
}
