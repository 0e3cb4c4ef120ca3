import Storage

/// `notifications` and `notification_preferences` (domain specification §1.8). A
/// preference is found by its three words, so it has no id beside them.
let inboxMigration = Migration("0156_inbox") { _ in
    [
        """
        CREATE TABLE notifications (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id),
            category TEXT NOT NULL CHECK (category IN ('lesson_updates', 'messages', 'reviews', \
            'learning_tips', 'system_updates', 'promotional')),
            type TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, data TEXT, read_at BIGINT,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX notifications_user ON notifications (user_id, id)",
        "CREATE INDEX notifications_unread ON notifications (user_id, id) WHERE read_at IS NULL",
        """
        CREATE TABLE notification_preferences (
            user_id \(.id) NOT NULL REFERENCES users (id),
            category TEXT NOT NULL CHECK (category IN ('lesson_updates', 'messages', 'reviews', \
            'learning_tips', 'system_updates', 'promotional')),
            channel TEXT NOT NULL CHECK (channel IN ('email', 'push', 'sms')),
            enabled \(.bool) NOT NULL, locked \(.bool) NOT NULL, updated_at BIGINT NOT NULL,
            PRIMARY KEY (user_id, category, channel), CHECK (enabled OR NOT locked))
        """,
    ]
}
