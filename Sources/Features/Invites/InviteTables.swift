import Storage

/// `beta_invites`, `beta_access`, `beta_settings` (domain specification §1.10), and batches of sending.
/// A registration may use the invite before it adds the user, so these references are
/// checked at the end of the transaction.
let inviteMigration = Migration("0140_invites") { _ in
    [
        """
        CREATE TABLE beta_invites (
            id \(.id) PRIMARY KEY, code \(.text) NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 16),
            email \(.text), role \(.text) NOT NULL, grant_founding_status \(.bool) NOT NULL,
            expires_at BIGINT, used_at BIGINT,
            used_by_user_id \(.id) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
            revoked_at BIGINT, sent_at BIGINT,
            source TEXT, note TEXT, created_at BIGINT NOT NULL,
            CHECK (email IS NULL OR email = lower(email)),
            CHECK ((used_at IS NULL) = (used_by_user_id IS NULL)),
            CHECK (used_at IS NULL OR revoked_at IS NULL))
        """,
        "CREATE INDEX beta_invites_email ON beta_invites (email, id)",
        "CREATE INDEX beta_invites_sent ON beta_invites (sent_at) WHERE sent_at IS NOT NULL",
        "CREATE INDEX beta_invites_user ON beta_invites (used_by_user_id) WHERE used_by_user_id IS NOT NULL",
        """
        CREATE INDEX beta_invites_founding ON beta_invites (expires_at)
        WHERE grant_founding_status AND used_at IS NULL AND revoked_at IS NULL
        """,
        """
        CREATE TABLE beta_access (
            id \(.id) PRIMARY KEY,
            user_id \(.id) NOT NULL REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
            role \(.text) NOT NULL, invited_by_code \(.text),
            granted_at BIGINT NOT NULL, phase \(.text) NOT NULL, UNIQUE (user_id, role, phase))
        """,
        """
        CREATE TABLE beta_settings (
            id INTEGER PRIMARY KEY CHECK (id = 1), beta_disabled \(.bool) NOT NULL, beta_phase TEXT NOT NULL,
            allow_signup_without_invite \(.bool) NOT NULL, updated_at BIGINT)
        """,
        """
        INSERT INTO beta_settings (id, beta_disabled, beta_phase, allow_signup_without_invite)
        VALUES (1, FALSE, 'instructor_only', FALSE)
        """,
        """
        CREATE TABLE beta_invite_batches (
            id \(.id) PRIMARY KEY, role \(.text) NOT NULL, grant_founding_status \(.bool) NOT NULL,
            expires_in_days INTEGER NOT NULL, source TEXT, note TEXT, created_at BIGINT NOT NULL,
            finished_at BIGINT)
        """,
        """
        CREATE TABLE beta_invite_batch_items (
            batch_id \(.id) NOT NULL REFERENCES beta_invite_batches (id), position INTEGER NOT NULL,
            email \(.text) NOT NULL, invite_id \(.id) REFERENCES beta_invites (id), problem TEXT,
            PRIMARY KEY (batch_id, position), CHECK (invite_id IS NULL OR problem IS NULL))
        """,
    ]
}
