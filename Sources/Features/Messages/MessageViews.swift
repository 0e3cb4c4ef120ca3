import Kernel
import Storage

/// A message as its two readers see it. `content` is somebody else's words: untrusted.
struct MessageView: Codable, Sendable {
    var id: ULID
    var conversationID: ULID
    var bookingID: ULID?
    /// null for what the system says.
    var senderID: ULID?
    var messageType: MessageType
    var content: String?
    var createdAt: Instant
    var editedAt: Instant?
    var isDeleted: Bool
    /// When the other one read it.
    var readAt: Instant?

    init(_ message: Message) {
        id = message.id
        conversationID = message.conversationID
        bookingID = message.bookingID
        senderID = message.senderID
        messageType = message.type
        content = message.content.map { UntrustedText.cleaned($0) }
        createdAt = message.createdAt
        editedAt = message.editedAt
        isDeleted = message.isDeleted
        readAt = message.readAt
    }
}

/// A conversation as one of the two sees it.
struct ConversationView: Codable, Sendable {
    struct Person: Codable, Sendable {
        var id: ULID
        var name: String
        var isInstructor: Bool
    }

    var id: ULID
    var otherUser: Person
    var state: ConversationState
    var unreadCount: Int
    var lastMessage: MessageView?
    var lastMessageAt: Instant?
    var createdAt: Instant

    /// One statement more than the rows took, for the names.
    static func of(_ rows: [ConversationRow], for user: ULID, _ db: Snapshot) throws -> [ConversationView] {
        let others = rows.compactMap { $0.conversation.other(than: user) }
        let names = try User.names(others, db)
        return zip(rows, others).map { row, other in
            ConversationView(
                id: row.conversation.id,
                otherUser: Person(
                    id: other, name: names[other] ?? User.formerName,
                    isInstructor: other == row.conversation.instructorID),
                state: row.state, unreadCount: row.unreadCount, lastMessage: row.last.map(MessageView.init),
                lastMessageAt: row.conversation.lastMessageAt, createdAt: row.conversation.createdAt)
        }
    }

    static func of(_ conversation: Conversation, for user: ULID, _ db: Snapshot) throws -> ConversationView {
        let rows = try conversation.row(of: user, db).map { [$0] } ?? []
        guard let view = try of(rows, for: user, db).first else {
            throw Failure(.internal, "A conversation is there and is not.")
        }
        return view
    }
}
