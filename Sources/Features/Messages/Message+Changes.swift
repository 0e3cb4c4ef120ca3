import JSON
package import Kernel
package import Storage

extension Conversation {
    /// Adds a message of one of the two. The other has it as unread, and back in
    /// their active list wherever they had put the conversation.
    package func write(
        _ content: String, from sender: ULID, booking: ULID? = nil, _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        let text = try Message.checked(content)
        guard let reader = other(than: sender) else {
            throw Failure(
                .notFound, "There is no conversation with the id \(id).", reason: "conversation_not_found")
        }
        let message = try add(text, .user, from: sender, booking: booking, to: [reader], tx, context)
        try tx.run(
            """
            UPDATE conversation_user_state SET state = 'active', updated_at = \(context.now)
            WHERE conversation_id = \(id) AND user_id = \(reader) AND state <> 'active'
            """)
        // None of the words: they would stay readable after the message is changed or deleted.
        try tx.notify(
            user: reader, category: .messages, type: "message.received", title: "You have a new message",
            body: "Open your conversation to read it.",
            data: ["conversation_id": .string(id.description), "message_id": .string(message.description)])
        return message
    }

    /// Adds what the system says, unread for both.
    @discardableResult
    package func announce(
        _ type: MessageType, _ content: String, booking: ULID? = nil, _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        try add(
            content, type, from: nil, booking: booking, to: [studentID, instructorID], tx, context)
    }

    private func add(
        _ text: String, _ type: MessageType, from sender: ULID?, booking: ULID?, to readers: [ULID],
        _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        let message = context.newID()
        try tx.run(
            """
            INSERT INTO messages (id, conversation_id, booking_id, sender_id, content, message_type, \
            created_at, delivered_at, is_deleted)
            VALUES (\(message), \(id), \(booking), \(sender), \(text), \(type), \(context.now), \
            \(context.now), \(false))
            """)
        let rows: [SQL] = readers.map { "(\(context.newID()), \(message), \(id), \($0), \(false))" }
        try tx.runMany(
            SQL.inserts(
                """
                INSERT INTO message_notifications (id, message_id, conversation_id, user_id, is_read) \
                VALUES
                """,
                rows))
        // Of two at once the later id stays, in whichever order they commit.
        try tx.run(
            """
            UPDATE conversations SET last_message_at = \(context.now), sort_id = \(message)
            WHERE id = \(id) AND sort_id < \(message)
            """)
        try tx.audit(
            "message.send", Subject("message", message.description),
            metadata: ["conversation_id": .string(id.description)])
        return message
    }

    /// Marks everything as read that the person has in it.
    /// - Returns: how many were not.
    package func markRead(by user: ULID, _ tx: Transaction, _ context: Context) throws -> Int {
        try tx.run(
            """
            UPDATE message_notifications SET is_read = \(true), read_at = \(context.now)
            WHERE user_id = \(user) AND conversation_id = \(id) AND NOT is_read
            """
        ).affected
    }
}

extension Message {
    /// The words as they are stored: without what is invisible and without white space around.
    /// - Throws: ``Kernel/Failure/Code/invalidInput`` for none or too many.
    static func checked(_ content: String) throws -> String {
        var text = UntrustedText.cleaned(content)[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        // Both databases count code points.
        guard (1...maximumCharacters).contains(text.unicodeScalars.count) else {
            throw Failure.invalid(
                [
                    .init(
                        "content",
                        "must have 1 to \(maximumCharacters) characters, not \(text.unicodeScalars.count)")
                ])
        }
        return String(text)
    }

    /// Marks some as read, whichever conversations they are in; others' stay untouched.
    package static func markRead(_ ids: [ULID], by user: ULID, _ tx: Transaction, _ context: Context) throws
        -> Int
    {
        try tx.run(
            """
            UPDATE message_notifications SET is_read = \(true), read_at = \(context.now)
            WHERE user_id = \(user) AND message_id \(in: ids) AND NOT is_read
            """
        ).affected
    }

    /// Writes other words into it, within five minutes.
    /// - Throws: ``Kernel/Failure/Code/conflict``, `edit_window_closed`, later.
    package func edit(_ content: String, _ tx: Transaction, _ context: Context) throws {
        let text = try Self.checked(content)
        guard type == .user, context.now <= createdAt + Self.editWindow else {
            throw Failure(
                .conflict, "A message can be changed for 5 minutes.", reason: "edit_window_closed")
        }
        try tx.run("UPDATE messages SET content = \(text), edited_at = \(context.now) WHERE id = \(id)")
        try tx.audit("message.edit", subject)
    }

    /// Takes it out of sight; nobody has it as unread any more.
    package func delete(by user: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE messages SET is_deleted = \(true), deleted_at = \(context.now), deleted_by = \(user)
            WHERE id = \(id)
            """)
        try tx.audit("message.delete", subject)
    }
}
