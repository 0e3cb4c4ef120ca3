import Storage

/// `conversations`, `messages`, `message_notifications`, `conversation_user_state` (domain
/// specification §1.8).
///
/// `sort_id` is the id of the last message, or the conversation's own before the
/// first: lists are in its order, and their cursors are ids as everywhere.
let messageMigration = Migration("0148_messages") { _ in
    [
        """
        CREATE TABLE conversations (
            id \(.id) PRIMARY KEY, student_id \(.id) NOT NULL REFERENCES users (id),
            instructor_id \(.id) NOT NULL REFERENCES users (id),
            last_message_at BIGINT, sort_id \(.id) NOT NULL, created_at BIGINT NOT NULL,
            UNIQUE (student_id, instructor_id), CHECK (student_id <> instructor_id))
        """,
        "CREATE INDEX conversations_student ON conversations (student_id, sort_id)",
        "CREATE INDEX conversations_instructor ON conversations (instructor_id, sort_id)",
        """
        CREATE TABLE messages (
            id \(.id) PRIMARY KEY, conversation_id \(.id) NOT NULL REFERENCES conversations (id),
            booking_id \(.id) REFERENCES bookings (id), sender_id \(.id) REFERENCES users (id),
            content TEXT NOT NULL CHECK (length(content) BETWEEN 1 AND 1000),
            message_type TEXT NOT NULL CHECK (message_type IN ('user', 'system_booking_created',
                'system_booking_cancelled', 'system_booking_rescheduled', 'system_booking_completed',
                'system_conversation_started')),
            created_at BIGINT NOT NULL, delivered_at BIGINT, edited_at BIGINT, is_deleted \(.bool) NOT NULL,
            deleted_at BIGINT, deleted_by \(.id), CHECK ((message_type = 'user') = (sender_id IS NOT NULL)),
            CHECK (is_deleted = (deleted_at IS NOT NULL)))
        """,
        "CREATE INDEX messages_conversation ON messages (conversation_id, id)",
        """
        CREATE TABLE message_notifications (
            id \(.id) PRIMARY KEY, message_id \(.id) NOT NULL REFERENCES messages (id),
            conversation_id \(.id) NOT NULL, user_id \(.id) NOT NULL REFERENCES users (id),
            is_read \(.bool) NOT NULL, read_at BIGINT,
            UNIQUE (message_id, user_id), CHECK (is_read = (read_at IS NOT NULL)))
        """,
        """
        CREATE INDEX message_notifications_unread ON message_notifications (user_id, conversation_id)
        WHERE NOT is_read
        """,
        """
        CREATE TABLE conversation_user_state (
            conversation_id \(.id) NOT NULL REFERENCES conversations (id),
            user_id \(.id) NOT NULL REFERENCES users (id),
            state TEXT NOT NULL CHECK (state IN ('active', 'archived', 'trashed')),
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (conversation_id, user_id))
        """,
    ]
}
