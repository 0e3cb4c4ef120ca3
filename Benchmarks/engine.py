"""Measures the job engine with `bench-jobs`, which is the engine with nothing around it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Tests" / "EndToEnd"))

from harness import Failed, PostgresDatabase, SQLiteFile  # noqa: E402

WAITING = (1_000, 1_000_000)
DAYS = 90
DAY = 86_400_000_000


class Engine:
    """One new database, and the verbs of `bench-jobs` over it."""

    def __init__(self, binary: str, kind: str, scratch: str):
        self.binary, self.kind = str(Path(binary).resolve()), kind
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-jobs-{kind}.", dir=scratch))
        self.database = PostgresDatabase() if kind == "postgres" else SQLiteFile(self.folder)
        self.url = self.database.url or f"sqlite:{self.database.path}"
        self("migrate")

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_) -> None:
        if self.kind == "postgres":
            self.database.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __call__(self, *arguments) -> list[dict]:
        done = subprocess.run(
            [self.binary, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "DATABASE_URL": self.url},
        )
        if done.returncode != 0:
            raise Failed(f"bench-jobs {arguments} ended with {done.returncode}: {done.stderr[:2_000]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    # The databases' own words for the same.

    @property
    def is_postgres(self) -> bool:
        return self.kind == "postgres"

    def numbers(self, count: int) -> str:
        if self.is_postgres:
            return f"generate_series(1::bigint, {count}) AS numbers(n)"
        return f"""(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})
            SELECT n FROM s) AS numbers"""

    def padded(self, number: str, width: int) -> str:
        return f"lpad(({number})::text, {width}, '0')" if self.is_postgres else f"printf('%0{width}d', {number})"

    def tidy(self) -> None:
        self.database.run("VACUUM ANALYZE" if self.is_postgres else "ANALYZE")

    # Volumes.

    def wait_with(self, count: int) -> None:
        """Fills the standard queue, all priorities."""
        now = int(time.time() * 1_000_000)
        self.database.run(
            f"""DELETE FROM jobs;
            INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, max_attempts,
                run_at, created_at)
            SELECT '01' || {self.padded("n", 24)}, 'bench.noop', 'celery', n % 11, '{{}}', 1, 'available', 0, 5,
                {now} - n * 10, {now} - n * 10 FROM {self.numbers(count)}"""
        )
        self.tidy()

    def remember(self, count: int) -> None:
        """Fills the history of ninety days, and its counts as the server would have folded them."""
        start = int(time.time() * 1_000_000) - DAYS * DAY
        step = DAYS * DAY // count
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        # 50 bits of time in ten digits, most significant first.
        head = " || ".join(f"substr('{digits}', CAST((ms >> {b}) & 31 AS INTEGER) + 1, 1)" for b in range(45, -1, -5))
        outcome = "CASE WHEN n % 97 = 0 THEN 'discarded' WHEN n % 53 = 0 THEN 'retryable' ELSE 'completed' END"
        trouble = "CASE WHEN n % 97 = 0 OR n % 53 = 0 THEN"
        self.database.run(
            f"""INSERT INTO task_executions (id, job_id, task_name, queue, worker, attempt, outcome, arguments,
                received_at, started_at, finished_at, duration_ms, error_type, error_message)
            SELECT {head} || {self.padded("n", 16)}, '01' || {self.padded("n", 24)}, 'bench.task_' || (n % 20),
                'queue_' || (n % 20 % 8), 'wrk_bench', 1, {outcome}, '{{"number":1}}',
                at - took * 1000 - 1000, at - took * 1000, at, took,
                {trouble} 'Failure' END, {trouble} 'the provider did not answer in time' END
            FROM (SELECT n, at, at / 1000 AS ms, CASE WHEN n % 50 = 0 THEN 100 + n % 37 * 40 ELSE n % 41 END AS took
                  FROM (SELECT n, {start} + n * {step} AS at FROM {self.numbers(count)}) AS moments) AS rows_;"""
        )
        bucket = """CASE WHEN duration_ms < 100 THEN duration_ms WHEN duration_ms < 1000
            THEN duration_ms / 10 * 10 ELSE duration_ms / 100 * 100 END"""
        for grain, length in (("d", DAY), ("h", DAY // 24), ("m", 60_000_000)):
            # Minutes and hours matter at the two ends of a window only.
            ends = "1 = 1" if grain == "d" else f"finished_at < {start + DAY} OR finished_at > {start + (DAYS - 2) * DAY}"
            joined = "string_agg" if self.is_postgres else "group_concat"
            self.database.run(
                f"""INSERT INTO tally_histograms (metric, grain, bucket, d1, d2, d4, counts)
                SELECT 'tasks', '{grain}', at, task_name, outcome, queue, {joined}(took || ':' || amount, ' ')
                FROM (SELECT finished_at / {length} * {length} AS at, task_name, outcome, queue, {bucket} AS took,
                      COUNT(*) AS amount FROM task_executions WHERE {ends} GROUP BY 1, 2, 3, 4, 5) AS counted
                GROUP BY at, task_name, outcome, queue"""
            )
        self.tidy()


def measure(binary: str, kind: str, scratch: str, rounds: int = 3, executions: int = 5_000_000) -> dict:
    """Everything about the engine on one kind of database."""
    found: dict = {}
    with Engine(binary, kind, scratch) as engine:
        found["start"] = engine("latency", 300)[0]
        found["noop"] = _median(engine, rounds, "noop", 20_000, "--kind", 1)
        found["noop_standard"] = _median(engine, rounds, "noop", 10_000, "--kind", 0)
        found["noop_database_only"] = _median(engine, rounds, "noop", 20_000, "--kind", 2)
        found["bare_one"] = _median(engine, rounds, "ceiling", 5_000, "--size", 1)
        found["bare_group"] = _median(engine, rounds, "ceiling", 20_000, "--size", 64)
    with Engine(binary, kind, scratch) as engine:
        claims = {}
        for waiting in WAITING:
            engine.wait_with(waiting)
            claims[str(waiting)] = engine("claim", 200)[0]
        few, many = (claims[str(waiting)]["p50_ms"] for waiting in WAITING)
        found["claim"] = {**claims, "growth": round(many / few, 3)}
    with Engine(binary, kind, scratch) as engine:
        engine.remember(executions)
        asked = {answer.pop("what"): answer for answer in engine("history")}
        found["history"] = {"rows": executions, **asked}
    return found


def _median(engine: Engine, rounds: int, *arguments) -> dict:
    runs = [engine(*arguments)[0]["per_second"] for _ in range(rounds)]
    return {"per_second": statistics.median(runs), "runs": runs}
