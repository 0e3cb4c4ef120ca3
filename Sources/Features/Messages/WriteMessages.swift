import Kernel
import Storage

/// Begins a conversation with an instructor, or finds the one there is.
struct StartConversation: Command {
    static let name = "conversation_start"
    static let summary = "Begin a conversation with an instructor, or find the one there is."
    static let effect = Effect.additive
    static let audience = Audience.holders(.sendMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.post("conversations")
    static let creates = true
    static let action = "conversation.start"

    @Input("The instructor's user id.") var instructorID: ULID
    @Input("What to write at once.", .length(1...1_000)) var initialMessage: String?

    struct Output: Codable, Sendable {
        var conversation: ConversationView
        /// False when it was there before.
        var isNew: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        guard try Access.of(instructorID, tx).has(.instructor) else {
            throw Failure(
                .notFound, "There is no instructor with the id \(instructorID).",
                reason: "instructor_not_found")
        }
        let (conversation, isNew) = try Conversation.open(
            student: user, instructor: instructorID, tx, context)
        if let initialMessage { _ = try conversation.write(initialMessage, from: user, tx, context) }
        return Output(
            conversation: try ConversationView.of(conversation, for: user, tx), isNew: isNew)
    }
}

/// Puts a conversation into another list of the person's.
struct MoveConversation: Command {
    static let name = "conversation_move"
    static let summary = "Archive a conversation, throw it away or take it back; only for oneself."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.viewMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.put("conversations/:id/state")
    static let action = "conversation.move"

    @Input("The conversation's id.") var id: ULID
    @Input("The list.") var state: ConversationState
    var subject: Subject? { Subject("conversation", id.description) }

    typealias Output = ConversationView

    func run(_ tx: Transaction, _ context: Context) throws -> ConversationView {
        let user = try context.userID()
        let conversation = try Conversation.find(id, of: user, tx)
        try conversation.move(to: state, of: user, tx, context)
        return try ConversationView.of(conversation, for: user, tx)
    }
}

/// Writes a message.
struct WriteMessage: Command {
    static let name = "message_write"
    static let summary = "Write a message in a conversation."
    static let effect = Effect.additive
    static let audience = Audience.holders(.sendMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.post("conversations/:id/messages")
    static let creates = true
    static let action = "message.write"

    @Input("The conversation's id.") var id: ULID
    @Input("The words.", .length(1...1_000)) var content: String
    @Input("The lesson that it is about.") var bookingID: ULID?
    var subject: Subject? { Subject("conversation", id.description) }

    typealias Output = MessageView

    func run(_ tx: Transaction, _ context: Context) throws -> MessageView {
        let user = try context.userID()
        let conversation = try Conversation.find(id, of: user, tx)
        if let bookingID { try conversation.requireLesson(bookingID, tx) }
        let message = try conversation.write(content, from: user, booking: bookingID, tx, context)
        return try MessageView.of(message, tx)
    }
}

/// Changes a message of one's own.
struct EditMessage: Command {
    static let name = "message_edit"
    static let summary = "Change one's own message within 5 minutes."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.sendMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.patch("messages/:id")
    static let action = "message.change"

    @Input("The message's id.") var id: ULID
    @Input("The new words.", .length(1...1_000)) var content: String
    var subject: Subject? { Subject("message", id.description) }

    typealias Output = MessageView

    func run(_ tx: Transaction, _ context: Context) throws -> MessageView {
        try Message.lock(id, by: context.userID(), tx).edit(content, tx, context)
        return try MessageView.of(id, tx)
    }
}

/// Takes back a message of one's own.
struct DeleteMessage: Command {
    static let name = "message_delete"
    static let summary = "Take one's own message out of sight."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.sendMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.delete("messages/:id")
    static let action = "message.remove"

    @Input("The message's id.") var id: ULID
    var subject: Subject? { Subject("message", id.description) }

    typealias Output = MessageView

    func run(_ tx: Transaction, _ context: Context) throws -> MessageView {
        let user = try context.userID()
        try Message.lock(id, by: user, tx).delete(by: user, tx, context)
        return try MessageView.of(id, tx)
    }
}

/// Marks messages as read.
struct MarkMessagesRead: Command {
    static let name = "message_mark_read"
    static let summary = "Mark messages as read: a whole conversation, or some by id."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.viewMessages)
    static let bucket = RateBucket.conversation
    static let route = Route.post("messages/mark-read")
    static let action = "message.mark_read"

    @Input("The whole conversation.") var conversationID: ULID?
    @Input("Instead: these messages.", .count(1...100)) var messageIDs: [ULID]?

    struct Output: Codable, Sendable {
        /// How many were unread.
        var count: Int
        var unreadCount: Int
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        let count: Int
        switch (conversationID, messageIDs) {
        case (let id?, nil):
            count = try Conversation.find(id, of: user, tx).markRead(by: user, tx, context)
        case (nil, let ids?): count = try Message.markRead(ids, by: user, tx, context)
        default:
            throw Failure.invalid([.init("conversation_id", "or message_ids is required, and not both")])
        }
        return Output(count: count, unreadCount: try Conversation.unreadCount(of: user, tx))
    }
}

extension MessageView {
    static func of(_ id: ULID, _ db: Snapshot) throws -> MessageView {
        guard let message = try Message.find([id], db)[id] else {
            throw Failure(.internal, "A message is there and is not.")
        }
        return MessageView(message)
    }
}

extension Conversation {
    /// - Throws: ``Kernel/Failure/Code/notFound`` for a lesson that is not between the two.
    func requireLesson(_ booking: ULID, _ db: Snapshot) throws {
        let found: Int? = try db.value(
            """
            SELECT 1 FROM bookings
            WHERE id = \(booking) AND student_id = \(studentID) AND instructor_id = \(instructorID)
            """)
        guard found != nil else {
            throw Failure(
                .notFound, "There is no booking with the id \(booking).", reason: "booking_not_found")
        }
    }
}
