import Storage

/// The job engine: queues, priorities, schedules, workers and history.
///
/// `jobs` is made anew because its states change: what waits for a time is kept
/// apart from what is ready, so that a claim never steps over the former.
let jobEngineMigration = Migration("0105_job_engine") { _ in
    [
        """
        CREATE TABLE jobs_new (
            id \(.id) PRIMARY KEY, name TEXT NOT NULL, queue TEXT NOT NULL,
            priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 10),
            payload TEXT NOT NULL, payload_version INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('scheduled', 'available', 'running', 'discarded')),
            attempt INTEGER NOT NULL CHECK (attempt >= 0), max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
            run_at BIGINT NOT NULL, started_at BIGINT, lease_until BIGINT, worker TEXT, unique_key TEXT, error TEXT,
            cancel_requested_at BIGINT, request_id TEXT, trace_id TEXT, created_at BIGINT NOT NULL,
            finished_at BIGINT, CHECK ((state = 'running') = (lease_until IS NOT NULL)))
        """,
        """
        INSERT INTO jobs_new (id, name, queue, priority, payload, payload_version, state, attempt, max_attempts, \
        run_at, lease_until, worker, unique_key, error, request_id, trace_id, created_at, finished_at)
        SELECT id, name, CASE name WHEN 'webhooks.process' THEN 'webhooks' ELSE 'celery' END, 5, payload, 1, \
        CASE WHEN state = 'available' THEN 'scheduled' ELSE state END, attempt, max_attempts, run_at, \
        lease_until, worker, unique_key, error, request_id, trace_id, created_at, finished_at FROM jobs
        """,
        "DROP TABLE jobs",
        "ALTER TABLE jobs_new RENAME TO jobs",
        "CREATE INDEX jobs_ready ON jobs (queue, priority DESC, run_at, id) WHERE state = 'available'",
        "CREATE INDEX jobs_scheduled ON jobs (run_at, id) WHERE state = 'scheduled'",
        "CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running'",
        "CREATE INDEX jobs_discarded ON jobs (finished_at) WHERE state = 'discarded'",
        "CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE state <> 'discarded'",
        "CREATE TABLE job_windows (unique_key TEXT PRIMARY KEY, until BIGINT NOT NULL)",
        """
        CREATE TABLE job_queues (
            name TEXT PRIMARY KEY, paused_at BIGINT, paused_by TEXT, reason TEXT)
        """,
        """
        CREATE TABLE job_schedules (
            entry TEXT PRIMARY KEY, job TEXT NOT NULL, last_slot BIGINT NOT NULL, last_enqueued_at BIGINT,
            missed BIGINT NOT NULL)
        """,
        """
        CREATE TABLE job_workers (
            id TEXT PRIMARY KEY, hostname TEXT NOT NULL, pid BIGINT NOT NULL, queues TEXT NOT NULL,
            concurrency BIGINT NOT NULL, active BIGINT NOT NULL, processed BIGINT NOT NULL, deploy_sha TEXT,
            started_at BIGINT NOT NULL, heartbeat_at BIGINT NOT NULL, stopped_at BIGINT)
        """,
        """
        CREATE TABLE task_executions (
            id \(.id) PRIMARY KEY, job_id \(.id) NOT NULL, task_name TEXT NOT NULL, queue TEXT NOT NULL,
            worker TEXT, attempt INTEGER NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('completed', 'retryable', 'cancelled', 'discarded', 'snoozed')),
            arguments TEXT, received_at BIGINT NOT NULL, started_at BIGINT NOT NULL, finished_at BIGINT NOT NULL,
            duration_ms BIGINT NOT NULL, error_type TEXT, error_message TEXT, result_summary TEXT,
            request_id TEXT, trace_id TEXT, deploy_sha TEXT)
        """,
        "CREATE INDEX task_executions_name ON task_executions (task_name, id)",
        """
        CREATE INDEX task_executions_trouble ON task_executions (outcome, id) WHERE outcome <> 'completed'
        """,
        """
        CREATE INDEX task_executions_named_trouble ON task_executions (task_name, outcome, id)
        WHERE outcome <> 'completed'
        """,
    ]
}
