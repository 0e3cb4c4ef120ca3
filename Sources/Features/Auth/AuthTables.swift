import Storage

let sessionMigration = Migration("0111_user_sessions") { _ in
    [
        """
        CREATE TABLE user_sessions (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id),
            created_at BIGINT NOT NULL, last_used_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            revoked_at BIGINT, revoked_reason TEXT CHECK (revoked_reason IN ('logout', 'revoked', \
            'refresh_reused', 'password_changed', 'password_reset', 'account')), ip TEXT, user_agent TEXT,
            CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL)))
        """,
        "CREATE INDEX user_sessions_user ON user_sessions (user_id, id)",
        "CREATE INDEX user_sessions_expiry ON user_sessions (expires_at)",
        // Every refresh token that a session ever had, so that the reuse of any of them is seen.
        """
        CREATE TABLE refresh_tokens (
            token_hash TEXT NOT NULL PRIMARY KEY, session_id \(.id) NOT NULL REFERENCES user_sessions (id),
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT)
        """,
        "CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id)",
        "CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at)",
        """
        CREATE TABLE guest_sessions (
            id \(.id) PRIMARY KEY, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            converted_user_id \(.id) REFERENCES users (id), converted_at BIGINT,
            CHECK ((converted_user_id IS NULL) = (converted_at IS NULL)))
        """,
        "CREATE INDEX guest_sessions_expiry ON guest_sessions (expires_at)",
    ]
}

let signInMigration = Migration("0112_sign_in") { _ in
    [
        """
        CREATE TABLE sign_in_failures (
            email TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL CHECK (failures >= 0),
            first_failed_at BIGINT NOT NULL, last_failed_at BIGINT NOT NULL, locked_until BIGINT, last_ip TEXT)
        """,
        "CREATE INDEX sign_in_failures_time ON sign_in_failures (last_failed_at)",
        """
        CREATE TABLE rate_windows (
            key TEXT NOT NULL PRIMARY KEY, started_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0))
        """,
        "CREATE INDEX rate_windows_end ON rate_windows (ends_at)",
        """
        CREATE TABLE password_reset_tokens (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id), token_hash TEXT NOT NULL UNIQUE,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT)
        """,
        "CREATE INDEX password_reset_tokens_user ON password_reset_tokens (user_id)",
        """
        CREATE TABLE phone_codes (
            user_id \(.id) PRIMARY KEY REFERENCES users (id), phone TEXT NOT NULL, sealed_code TEXT NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, attempts INTEGER NOT NULL)
        """,
    ]
}

let twoFactorMigration = Migration("0113_two_factor") { _ in
    [
        // A secret that waits to be confirmed stands apart: setting up again never ends what is on.
        """
        CREATE TABLE totp_pending (
            user_id \(.id) PRIMARY KEY REFERENCES users (id), secret TEXT NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE totp_secrets (
            user_id \(.id) PRIMARY KEY REFERENCES users (id), secret TEXT NOT NULL, enabled_at BIGINT NOT NULL,
            last_used_at BIGINT, last_step BIGINT NOT NULL)
        """,
        """
        CREATE TABLE backup_codes (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id), code_hash TEXT NOT NULL,
            created_at BIGINT NOT NULL, used_at BIGINT, UNIQUE (user_id, code_hash))
        """,
        """
        CREATE TABLE trusted_devices (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id), token_hash TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL, ip TEXT, user_agent TEXT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            last_used_at BIGINT)
        """,
        "CREATE INDEX trusted_devices_user ON trusted_devices (user_id, id)",
        "CREATE INDEX trusted_devices_expiry ON trusted_devices (expires_at)",
        """
        CREATE TABLE used_challenges (
            jti TEXT NOT NULL PRIMARY KEY, expires_at BIGINT NOT NULL)
        """,
    ]
}
