import JSON
import Kernel
import Storage

/// A notification as its owner sees it.
struct NotificationView: Codable, Sendable {
    var id: ULID
    var category: NotificationCategory
    var type: String
    var title: String
    var body: String
    var data: RawJSON?
    var readAt: Instant?
    var createdAt: Instant

    init(_ notification: Notification) {
        id = notification.id
        category = notification.category
        type = notification.type
        title = notification.title
        body = notification.body
        data = notification.data.map { UntrustedText.cleaned(json: $0) }
        readAt = notification.readAt
        createdAt = notification.createdAt
    }
}

/// The person's notifications.
struct ListNotifications: Query {
    static let name = "notification_list"
    static let summary = "The signed-in person's notifications, newest first, and how many are unread."
    static let audience = Audience.users
    static let route = Route.get("notifications")

    @Input("Only unread ones.") var unreadOnly = false
    @Input("Rows to return.", .range(1...100)) var limit = 20
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        var notifications: [EncodedRow<NotificationView>]
        /// At most ``Notification/countLimit``.
        var unreadCount: Int
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, unreadOnly, limit) = (try context.userID(), unreadOnly, limit)
        let place = try PageStart(cursor, filters: "\(user)/\(unreadOnly)", window: nil)
        let (found, unread) = try await db.read { db in
            (
                try Notification.page(
                    of: user, isUnread: unreadOnly, after: place.after, limit: limit + 1, db),
                try Notification.unreadCount(of: user, db)
            )
        }
        let page = try ListPage(found.map { ($0.id, NotificationView($0)) }, limit: limit, from: place)
        return Output(notifications: page.rows, unreadCount: unread, nextCursor: page.nextCursor)
    }
}

/// How many the person has not read.
struct CountNotifications: Query {
    static let name = "notification_unread_count"
    static let summary = "How many notifications the signed-in person has not read."
    static let audience = Audience.users
    static let route = Route.get("notifications/unread-count")

    struct Output: Codable, Sendable {
        var unreadCount: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        return Output(unreadCount: try await db.read { try Notification.unreadCount(of: user, $0) })
    }
}
