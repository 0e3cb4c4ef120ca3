import Kernel
import Storage

let reconciliationMigration = Migration("0195_reconciliation") { _ in
    [
        """
        CREATE TABLE reconciliation_runs (
            id \(.id) PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
            since BIGINT NOT NULL, until BIGINT NOT NULL, compared BIGINT NOT NULL DEFAULT 0,
            found BIGINT NOT NULL DEFAULT 0, resolved BIGINT NOT NULL DEFAULT 0, problem TEXT,
            created_at BIGINT NOT NULL, finished_at BIGINT)
        """,
        """
        CREATE TABLE reconciliation_differences (
            id \(.id) PRIMARY KEY, run_id \(.id) NOT NULL REFERENCES reconciliation_runs (id),
            kind TEXT NOT NULL, object_id TEXT NOT NULL, booking_id \(.id), amount_cents BIGINT NOT NULL,
            ours TEXT NOT NULL, theirs TEXT NOT NULL, found_at BIGINT NOT NULL, resolved_at BIGINT)
        """,
        """
        CREATE UNIQUE INDEX reconciliation_differences_open ON reconciliation_differences (kind, object_id)
        WHERE resolved_at IS NULL
        """,
        "CREATE INDEX reconciliation_differences_object ON reconciliation_differences (object_id, kind)",
        "CREATE INDEX reconciliation_differences_run ON reconciliation_differences (run_id)",
    ]
}
