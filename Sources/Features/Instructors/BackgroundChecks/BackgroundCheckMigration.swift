import Storage

/// Consents, requests to the provider, and what is done about adverse results.
let backgroundCheckMigration = Migration("0122_background_checks") { dialect in
    [
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_report_id TEXT",
        """
        ALTER TABLE instructor_profiles ADD COLUMN bgc_env TEXT NOT NULL DEFAULT 'sandbox'
        CHECK (bgc_env IN ('sandbox', 'production'))
        """,
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_invited_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_includes_canceled \(.bool) NOT NULL DEFAULT FALSE",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_in_dispute \(.bool) NOT NULL DEFAULT FALSE",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_dispute_note TEXT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_dispute_opened_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_dispute_resolved_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_pre_adverse_notice_id TEXT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_pre_adverse_sent_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_final_adverse_sent_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN bgc_review_email_sent_at BIGINT",
        "CREATE INDEX instructor_profiles_bgc ON instructor_profiles (bgc_status, id)",
        """
        CREATE INDEX instructor_profiles_expiry ON instructor_profiles (bgc_valid_until)
        WHERE bgc_status = 'passed'
        """,
        "CREATE INDEX background_checks_instructor ON background_checks (instructor_id, id)",
        """
        CREATE TABLE bgc_consent (
            id \(.id) PRIMARY KEY, instructor_id \(.id) NOT NULL REFERENCES instructor_profiles (id),
            consented_at BIGINT NOT NULL, consent_version TEXT NOT NULL, disclosure_version TEXT NOT NULL,
            ip_address TEXT, user_agent TEXT)
        """,
        "CREATE INDEX bgc_consent_instructor ON bgc_consent (instructor_id, id)",
        """
        CREATE TABLE bgc_requests (
            id \(.id) PRIMARY KEY, instructor_id \(.id) NOT NULL REFERENCES instructor_profiles (id),
            kind TEXT NOT NULL CHECK (kind IN ('invite', 'recheck')),
            status TEXT NOT NULL CHECK (status IN ('queued', 'candidate', 'invitation', 'invited', 'failed')),
            env TEXT NOT NULL, package TEXT NOT NULL, candidate_key TEXT NOT NULL, invitation_key TEXT NOT NULL,
            calls BIGINT NOT NULL, candidate_id TEXT, invitation_id TEXT, error_code TEXT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        "CREATE INDEX bgc_requests_instructor ON bgc_requests (instructor_id, id)",
        """
        CREATE UNIQUE INDEX bgc_requests_open ON bgc_requests (instructor_id)
        WHERE status NOT IN ('invited', 'failed')
        """,
        """
        CREATE TABLE bgc_adverse_action_events (
            id \(.id) PRIMARY KEY, profile_id \(.id) NOT NULL REFERENCES instructor_profiles (id),
            notice_id TEXT NOT NULL, event_type TEXT NOT NULL, created_at BIGINT NOT NULL,
            UNIQUE (profile_id, notice_id, event_type))
        """,
    ] + Migration.appendOnly("bgc_consent", dialect)
        + Migration.appendOnly("bgc_adverse_action_events", dialect)
}
