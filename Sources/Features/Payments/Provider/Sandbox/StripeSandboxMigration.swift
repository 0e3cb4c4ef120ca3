import Storage

/// The tables of the built-in Stripe.
let stripeSandboxMigration = Migration("0180_stripe_sandbox") { _ in
    [
        // `parent` and `owner` are what lists are asked by: the payment of a charge or refund, the
        // transfer of a reversal and the group of a transfer; the customer or the account that has it.
        """
        CREATE TABLE stripe_sandbox_objects (
            id \(.id) PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, parent TEXT, owner TEXT,
            amount BIGINT NOT NULL, returned BIGINT NOT NULL, card TEXT, tried_at BIGINT, due_at BIGINT,
            created_at BIGINT NOT NULL, body TEXT NOT NULL,
            CHECK (amount >= 0 AND returned >= 0 AND returned <= amount))
        """,
        """
        CREATE INDEX stripe_sandbox_objects_kind
        ON stripe_sandbox_objects (kind, account, created_at, id)
        """,
        """
        CREATE INDEX stripe_sandbox_objects_parent
        ON stripe_sandbox_objects (parent, kind, account, created_at, id)
        WHERE parent IS NOT NULL
        """,
        """
        CREATE INDEX stripe_sandbox_objects_owner
        ON stripe_sandbox_objects (owner, kind, account, created_at, id)
        WHERE owner IS NOT NULL
        """,
        """
        CREATE INDEX stripe_sandbox_objects_due ON stripe_sandbox_objects (due_at) WHERE due_at IS NOT NULL
        """,
        """
        CREATE TABLE stripe_sandbox_calls (
            account TEXT NOT NULL, idempotency_key TEXT NOT NULL, fingerprint TEXT NOT NULL,
            status BIGINT NOT NULL, answer TEXT NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (account, idempotency_key))
        """,
        """
        CREATE TABLE stripe_sandbox_events (
            id \(.id) PRIMARY KEY, event_type TEXT NOT NULL, account TEXT NOT NULL, payload TEXT NOT NULL,
            delivered_at BIGINT, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX stripe_sandbox_events_time ON stripe_sandbox_events (created_at, id)",
    ]
}
