import Kernel
import Storage

/// The person's conversations.
struct ListConversations: Query {
    static let name = "conversation_list"
    static let summary = "The signed-in person's conversations, the latest message first."
    static let audience = Audience.holders(.viewMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.get("conversations")

    @Input("Of which list.") var state = ConversationState.active
    @Input("Rows to return.", .range(1...100)) var limit = 20
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        var conversations: [EncodedRow<ConversationView>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, state, limit) = (try context.userID(), state, limit)
        let place = try PageStart(cursor, filters: "\(user)/\(state.rawValue)", window: nil)
        let found = try await db.read { db in
            let rows = try Conversation.page(of: user, state, after: place.after, limit: limit + 1, db)
            return zip(rows, try ConversationView.of(rows, for: user, db)).map {
                (id: $0.conversation.sortID, value: $1)
            }
        }
        let page = try ListPage(found, limit: limit, from: place)
        return Output(conversations: page.rows, nextCursor: page.nextCursor)
    }
}

/// One conversation.
struct ShowConversation: Query {
    static let name = "conversation_show"
    static let summary = "One of the signed-in person's conversations."
    static let audience = Audience.holders(.viewMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.get("conversations/:id")

    @Input("The conversation's id.") var id: ULID
    var subject: Subject? { Subject("conversation", id.description) }

    typealias Output = ConversationView

    func run(_ db: Reader, _ context: Context) async throws -> ConversationView {
        let (user, id) = (try context.userID(), id)
        return try await db.read { db in
            try ConversationView.of(Conversation.find(id, of: user, db), for: user, db)
        }
    }
}

/// What was written in a conversation.
struct ListMessages: Query {
    static let name = "message_list"
    static let summary = "The messages of a conversation, newest first."
    static let audience = Audience.holders(.viewMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.get("conversations/:id/messages")

    @Input("The conversation's id.") var id: ULID
    @Input("Rows to return.", .range(1...100)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    var subject: Subject? { Subject("conversation", id.description) }

    struct Output: Codable, Sendable {
        var messages: [EncodedRow<MessageView>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, id, limit) = (try context.userID(), id, limit)
        let place = try PageStart(cursor, filters: id.description, window: nil)
        let found = try await db.read { db in
            try Message.page(
                of: Conversation.find(id, of: user, db).id, after: place.after, limit: limit + 1, db)
        }
        let page = try ListPage(found.map { ($0.id, MessageView($0)) }, limit: limit, from: place)
        return Output(messages: page.rows, nextCursor: page.nextCursor)
    }
}

/// How many messages the person has not read.
struct CountMessages: Query {
    static let name = "message_unread_count"
    static let summary = "How many messages the signed-in person has not read."
    static let audience = Audience.users
    static let bucket = RateBucket.conversation
    static let route = Route.get("messages/unread-count")

    struct Output: Codable, Sendable {
        /// At most ``Conversation/unreadLimit``.
        var unreadCount: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        return Output(unreadCount: try await db.read { try Conversation.unreadCount(of: user, $0) })
    }
}

/// The limits that clients show.
struct ShowMessageRules: Query {
    static let name = "message_config"
    static let summary = "For how long messages can be changed and how long they may be."
    static let audience = Audience.users
    static let route = Route.get("messages/config")

    struct Output: Codable, Sendable {
        var editWindowMinutes: Int
        var maximumCharacters: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        Output(
            editWindowMinutes: Int(Message.editWindow.components.seconds / 60),
            maximumCharacters: Message.maximumCharacters)
    }
}
