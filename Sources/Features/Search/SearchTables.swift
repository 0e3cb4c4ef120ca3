import Kernel
import Storage

let searchMigration = Migration("0137_search") { dialect in
    [
        """
        CREATE TABLE search_queries (
            id \(.id) PRIMARY KEY, original_query TEXT NOT NULL, normalized_query \(.text) NOT NULL,
            parsing_mode TEXT NOT NULL CHECK (parsing_mode IN ('regex', 'llm', 'hybrid')),
            parsing_latency_ms INTEGER, result_count INTEGER NOT NULL, top_result_ids TEXT NOT NULL,
            user_id \(.id), session_id TEXT, total_latency_ms INTEGER NOT NULL, cache_hit \(.bool) NOT NULL,
            degraded \(.bool) NOT NULL, created_at BIGINT NOT NULL)
        """,
        // The questions about what was searched for read nothing but this.
        "CREATE INDEX search_queries_words ON search_queries (id, normalized_query, result_count)",
        "CREATE INDEX search_queries_user ON search_queries (user_id, id) WHERE user_id IS NOT NULL",
        "CREATE INDEX search_queries_nothing ON search_queries (id, normalized_query) WHERE result_count = 0",
        """
        CREATE TABLE search_clicks (
            id \(.id) PRIMARY KEY,
            search_query_id \(.id) NOT NULL REFERENCES search_queries (id) ON DELETE CASCADE,
            service_id \(.id) REFERENCES service_catalog (id) ON DELETE SET NULL,
            instructor_id \(.id) REFERENCES instructor_profiles (id) ON DELETE SET NULL,
            position INTEGER NOT NULL,
            action TEXT NOT NULL CHECK (action IN ('view', 'book', 'message', 'favorite')),
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX search_clicks_query ON search_clicks (search_query_id, action)",
        "CREATE INDEX search_clicks_service ON search_clicks (service_id)",
        "CREATE INDEX search_clicks_instructor ON search_clicks (instructor_id)",
        """
        CREATE TABLE search_history (
            id \(.id) PRIMARY KEY, user_id \(.id) REFERENCES users (id), guest_session_id \(.text),
            search_query TEXT NOT NULL, normalized_query \(.text) NOT NULL, search_type TEXT NOT NULL
            CHECK (search_type IN ('natural_language', 'category', 'service_pill', 'filter', 'search_history')),
            results_count INTEGER, search_count INTEGER NOT NULL CHECK (search_count > 0),
            first_searched_at BIGINT NOT NULL, last_searched_at BIGINT NOT NULL, deleted_at BIGINT,
            converted_to_user_id \(.id) REFERENCES users (id), converted_at BIGINT,
            UNIQUE (user_id, normalized_query), UNIQUE (guest_session_id, normalized_query),
            CHECK ((user_id IS NULL) <> (guest_session_id IS NULL)),
            CHECK ((converted_to_user_id IS NULL) = (converted_at IS NULL)))
        """,
        "CREATE INDEX search_history_user ON search_history (user_id, last_searched_at)",
        "CREATE INDEX search_history_guest ON search_history (guest_session_id, last_searched_at)",
        """
        CREATE INDEX search_history_deleted ON search_history (deleted_at) WHERE deleted_at IS NOT NULL
        """,
        """
        CREATE INDEX search_history_guests ON search_history (last_searched_at)
        WHERE guest_session_id IS NOT NULL
        """,
        """
        CREATE TABLE search_events (
            id \(.id) PRIMARY KEY, user_id \(.id), guest_session_id \(.text), search_query TEXT NOT NULL,
            search_type TEXT NOT NULL, results_count INTEGER, searched_at BIGINT NOT NULL, session_id TEXT,
            referrer TEXT, ip_hash TEXT, is_returning_user \(.bool) NOT NULL, search_context TEXT)
        """,
        """
        CREATE TABLE search_interactions (
            id \(.id) PRIMARY KEY,
            search_event_id \(.id) NOT NULL REFERENCES search_events (id) ON DELETE CASCADE,
            interaction_type TEXT NOT NULL CHECK (interaction_type IN
                ('click', 'hover', 'bookmark', 'view_profile', 'contact', 'book')),
            instructor_id \(.id), result_position INTEGER, time_to_interaction_ms BIGINT,
            interaction_duration_ms BIGINT, session_id TEXT, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX search_interactions_event ON search_interactions (search_event_id)",
        """
        CREATE TABLE search_config (
            id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE analytics_reports (
            kind TEXT NOT NULL, period_start BIGINT NOT NULL, body TEXT NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (kind, period_start))
        """,
        "CREATE INDEX users_first_name_key ON users (\(firstNameKey(dialect)))",
    ]
}

/// As in ``SearchCandidate/firstNameKey(_:)``; here on its own, because a migration does not change.
private func firstNameKey(_ dialect: Dialect) -> SQL {
    switch dialect {
    case .sqlite: "lower(first_name)"
    case .postgres: "lower(first_name COLLATE \"C\")"
    }
}
