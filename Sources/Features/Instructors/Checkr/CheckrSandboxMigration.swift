import Storage

/// The tables of the built-in Checkr.
let checkrSandboxMigration = Migration("0123_checkr_sandbox") { _ in
    [
        """
        CREATE TABLE checkr_sandbox_candidates (
            id TEXT PRIMARY KEY, custom_id TEXT NOT NULL, email TEXT NOT NULL, first_name TEXT NOT NULL,
            last_name TEXT NOT NULL, idempotency_key TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX checkr_sandbox_candidates_custom ON checkr_sandbox_candidates (custom_id)",
        """
        CREATE TABLE checkr_sandbox_invitations (
            id TEXT PRIMARY KEY, candidate_id TEXT NOT NULL REFERENCES checkr_sandbox_candidates (id),
            package TEXT NOT NULL, idempotency_key TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX checkr_sandbox_invitations_candidate ON checkr_sandbox_invitations (candidate_id)",
        """
        CREATE TABLE checkr_sandbox_reports (
            id TEXT PRIMARY KEY, invitation_id TEXT NOT NULL UNIQUE REFERENCES checkr_sandbox_invitations (id),
            candidate_id TEXT NOT NULL, package TEXT NOT NULL, status TEXT NOT NULL, result TEXT,
            assessment TEXT, created_at BIGINT NOT NULL, completed_at BIGINT)
        """,
        """
        CREATE TABLE checkr_sandbox_events (
            id TEXT PRIMARY KEY, event_type TEXT NOT NULL, payload TEXT NOT NULL, deliver_at BIGINT NOT NULL,
            delivered_at BIGINT, created_at BIGINT NOT NULL)
        """,
    ]
}
