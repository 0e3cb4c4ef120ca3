package import Storage

/// The platform's own tables. Each migration is immutable once landed.
package let kernelMigrations: [Migration] = [
    identityMigration, auditMigration, jobsMigration, webhooksMigration, tallyMigration,
    jobEngineMigration, tallyHistogramMigration, webhookOriginMigration,
]

private let identityMigration = Migration("0001_identity") { _ in
    [
        """
        CREATE TABLE service_tokens (
            id \(.id) PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
            scopes TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT,
            CHECK (expires_at > created_at))
        """,
        """
        CREATE TABLE confirmations (
            token_hash TEXT PRIMARY KEY, actor TEXT NOT NULL, operation TEXT NOT NULL, arguments_hash TEXT NOT NULL,
            state_hash TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT)
        """,
        "CREATE INDEX confirmations_expiry ON confirmations (expires_at)",
        """
        CREATE TABLE idempotency_keys (
            actor TEXT NOT NULL, operation TEXT NOT NULL, idempotency_key TEXT NOT NULL, request_hash TEXT NOT NULL,
            result TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            PRIMARY KEY (actor, operation, idempotency_key))
        """,
        "CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)",
    ]
}

private let auditMigration = Migration("0002_audit") { dialect in
    [
        """
        CREATE TABLE audit_logs (
            id \(.id) PRIMARY KEY, timestamp BIGINT NOT NULL,
            category TEXT NOT NULL CHECK (category IN ('admin', 'read', 'automated', 'user')),
            actor_type TEXT NOT NULL CHECK (actor_type IN ('user', 'system', 'mcp', 'webhook')),
            actor_id TEXT, actor_email TEXT, actor_ip TEXT, actor_user_agent TEXT, action TEXT NOT NULL,
            resource_type TEXT NOT NULL, resource_id TEXT, description TEXT, changes TEXT, metadata TEXT,
            status TEXT NOT NULL CHECK (status IN ('success', 'failed', 'denied')),
            error_message TEXT, request_id TEXT, trace_id TEXT, session_id TEXT)
        """,
        // Ids carry the time, so (column, id) answers every filter in order within any window.
        "CREATE INDEX audit_logs_action ON audit_logs (action, id)",
        "CREATE INDEX audit_logs_actor_email ON audit_logs (actor_email, id)",
        "CREATE INDEX audit_logs_actor_id ON audit_logs (actor_id, id)",
        "CREATE INDEX audit_logs_resource ON audit_logs (resource_type, resource_id, id)",
        "CREATE INDEX audit_logs_category ON audit_logs (category, id)",
        "CREATE INDEX audit_logs_status ON audit_logs (status, id) WHERE status <> 'success'",
        "CREATE TABLE audit_pending (entry_id \(.id) PRIMARY KEY)",
        """
        CREATE TABLE audit_leaves (
            seq BIGINT PRIMARY KEY, entry_id \(.id) NOT NULL UNIQUE, leaf_hash \(.bytes) NOT NULL)
        """,
        """
        CREATE TABLE audit_checkpoints (
            size BIGINT PRIMARY KEY, root \(.bytes) NOT NULL, note TEXT NOT NULL, frontier TEXT NOT NULL,
            created_at BIGINT NOT NULL)
        """,
    ] + Migration.appendOnly("audit_logs", dialect) + Migration.appendOnly("audit_leaves", dialect)
        + Migration.appendOnly("audit_checkpoints", dialect)
}

private let jobsMigration = Migration("0003_jobs") { _ in
    [
        """
        CREATE TABLE jobs (
            id \(.id) PRIMARY KEY, name TEXT NOT NULL, payload TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('available', 'running', 'discarded')),
            attempt INTEGER NOT NULL CHECK (attempt >= 0), max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
            run_at BIGINT NOT NULL, lease_until BIGINT, worker TEXT, unique_key TEXT, error TEXT,
            request_id TEXT, trace_id TEXT, created_at BIGINT NOT NULL, finished_at BIGINT,
            CHECK ((state = 'running') = (lease_until IS NOT NULL)))
        """,
        "CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'available'",
        "CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running'",
        "CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE state <> 'discarded'",
    ]
}

private let webhooksMigration = Migration("0004_webhooks") { dialect in
    [
        """
        CREATE TABLE webhook_events (
            id \(.id) PRIMARY KEY, source TEXT NOT NULL, event_type TEXT NOT NULL, event_id TEXT,
            payload TEXT NOT NULL, headers TEXT,
            status TEXT NOT NULL CHECK (status IN ('received', 'processing', 'processed', 'failed', 'unmatched',
                'dead_letter', 'replayed')),
            processing_error TEXT, processing_duration_ms BIGINT, idempotency_key TEXT,
            related_entity_type TEXT, related_entity_id TEXT, received_at BIGINT NOT NULL, processed_at BIGINT,
            replay_of \(.id) REFERENCES webhook_events (id), replay_count INTEGER NOT NULL, resolved_by \(.id),
            attempt_count INTEGER NOT NULL, delivery_count INTEGER NOT NULL, last_delivered_at BIGINT,
            request_id TEXT, ip TEXT)
        """,
        "CREATE UNIQUE INDEX webhook_events_identity ON webhook_events (source, event_id)",
        """
        CREATE UNIQUE INDEX webhook_events_replay ON webhook_events (source, idempotency_key)
        WHERE replay_of IS NOT NULL
        """,
        "CREATE INDEX webhook_events_source ON webhook_events (source, id)",
        "CREATE INDEX webhook_events_type ON webhook_events (event_type, id)",
        "CREATE INDEX webhook_events_status ON webhook_events (status, id)",
        // What webhooks_failed shows: waiting for somebody to look at it.
        """
        CREATE INDEX webhook_events_attention ON webhook_events (id)
        WHERE status IN ('failed', 'dead_letter') AND resolved_by IS NULL AND replay_of IS NULL
        """,
        """
        CREATE INDEX webhook_events_related ON webhook_events (related_entity_type, related_entity_id, id)
        WHERE related_entity_type IS NOT NULL
        """,
        """
        CREATE TABLE webhook_attempts (
            webhook_id \(.id) NOT NULL REFERENCES webhook_events (id), attempt INTEGER NOT NULL,
            started_at BIGINT NOT NULL, duration_ms BIGINT NOT NULL, outcome TEXT NOT NULL, error TEXT,
            worker TEXT, deploy_sha TEXT, PRIMARY KEY (webhook_id, attempt))
        """,
    ] + Migration.appendOnly("webhook_attempts", dialect)
}

private let tallyMigration = Migration("0005_tallies") { _ in
    [
        """
        CREATE TABLE tally_deltas (
            id \(.autoID), metric TEXT NOT NULL, bucket BIGINT NOT NULL, d1 TEXT NOT NULL, d2 TEXT NOT NULL,
            d3 TEXT NOT NULL, d4 TEXT NOT NULL, delta BIGINT NOT NULL)
        """,
        """
        CREATE TABLE tallies (
            metric TEXT NOT NULL, grain TEXT NOT NULL, bucket BIGINT NOT NULL, d1 TEXT NOT NULL, d2 TEXT NOT NULL,
            d3 TEXT NOT NULL, d4 TEXT NOT NULL, count BIGINT NOT NULL,
            PRIMARY KEY (metric, grain, bucket, d1, d2, d3, d4))
        """,
    ]
}
