#!/usr/bin/env python3
"""Kills workers again and again, and shows that every job has its effect once.

    jobs.py --binary .build/debug/bench-jobs [--postgres] [--jobs 20000] [--seed N]

A second apart, one of the workers (16 processes over the PostgreSQL of
TEST_POSTGRES_URL, one over SQLite) is ended by kill -9 and another started.
On PostgreSQL every third is instead stopped for longer than its lease and let
go on, so that it comes back to jobs that others have. Meanwhile more jobs are
enqueued, a third of them for later. Afterwards:

- every job's effect is in the database once, and no job is left;
- no job was without a living worker for longer than a lease;
- the history has for each job its attempts without a gap and one that completed.

JOB_STRESS sets the number of jobs, too.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness import Failed, PostgresDatabase, Scratch, SQLiteFile, wait_until

LEASE = 3
# A worker looks for leases that ran out every third of its own.
OVERDUE = LEASE
WORKERS = {"postgres": 16, "sqlite": 1}
PATIENCE = 300


class Workers:
    """The processes that work, and what is done to them."""

    def __init__(self, binary: str, folder: Path, url: str, count: int, mind: random.Random):
        self.binary, self.folder, self.mind, self.count = str(Path(binary).resolve()), folder, mind, count
        self.environment = {**os.environ, "DATABASE_URL": url}
        self.processes: list[subprocess.Popen] = []
        self.stopped: list[tuple[float, subprocess.Popen]] = []
        self.kills = self.pauses = 0
        self.log = folder / "workers.log"

    def command(self, *arguments) -> subprocess.Popen:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.binary, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
            )

    def finish(self, *arguments) -> None:
        process = self.command(*arguments)
        if process.wait(PATIENCE) != 0:
            raise Failed(f"bench-jobs {arguments} ended with {process.returncode}: {self.log_tail()}")

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:]

    def fill(self) -> None:
        """Starts workers until there are enough; one that ended by itself is an error."""
        for process in list(self.processes):
            if process.poll() is not None:
                raise Failed(f"a worker ended by itself with {process.returncode}: {self.log_tail()}")
        while len(self.processes) < self.count:
            self.processes.append(self.command("work", "--lease", LEASE, "--pool", 3))

    def disaster(self) -> None:
        running = [p for p in self.processes if all(p is not stopped for _, stopped in self.stopped)]
        victim = self.mind.choice(running)
        if self.count > 1 and self.mind.random() < 1 / 3:
            victim.send_signal(signal.SIGSTOP)
            self.stopped.append((time.monotonic() + LEASE * 1.7, victim))
            self.pauses += 1
        else:
            victim.kill()
            victim.wait()
            self.processes.remove(victim)
            self.kills += 1

    def let_go(self, everyone: bool = False) -> None:
        for due, process in list(self.stopped):
            if everyone or due <= time.monotonic():
                process.send_signal(signal.SIGCONT)
                self.stopped.remove((due, process))

    def end(self, database) -> None:
        """Asks all of them to end; a worker that has begun does so with code 0, and soon."""
        self.let_go(everyone=True)
        pids = {process.pid for process in self.processes}
        wait_until(
            "every worker to begin",
            lambda: pids <= {pid for (pid,) in database.rows("SELECT pid FROM job_workers")},
        )
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                code = process.wait(30)
            except subprocess.TimeoutExpired:
                raise Failed("a worker did not end within 30 s of SIGTERM") from None
            if code != 0:
                raise Failed(f"a worker ended with code {code} on SIGTERM: {self.log_tail()}")

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


class Checks:
    """What must be true, meanwhile and afterwards."""

    def __init__(self, database, jobs: int):
        self.database, self.jobs = database, jobs
        self.problems: list[str] = []
        self.overdue = 0.0

    def expect(self, truth: bool, problem: str) -> None:
        if not truth:
            self.problems.append(problem)

    def left(self) -> int:
        """How many jobs are left; notes how long the leases of any have been over."""
        now = int(time.time() * 1_000_000)
        left, first = self.database.rows("SELECT COUNT(*), MIN(lease_until) FROM jobs")[0]
        if first is not None:
            self.overdue = max(self.overdue, (now - first) / 1_000_000)
        return left

    def run(self) -> None:
        rows, problem = self.database.rows, self.expect
        problem(self.overdue <= OVERDUE, f"a job was without a worker for {self.overdue:.1f} s")
        left = rows("SELECT state, COUNT(*) FROM jobs GROUP BY state")
        problem(not left, f"jobs are left: {left}")
        count, distinct, least, most = rows(
            "SELECT COUNT(*), COUNT(DISTINCT number), MIN(number), MAX(number) FROM job_effects"
        )[0]
        problem(
            (count, distinct, least, most) == (self.jobs, self.jobs, 0, self.jobs - 1),
            f"{count} effects of {distinct} jobs, numbers {least} to {most}, of {self.jobs} jobs",
        )
        twice = rows("SELECT number, COUNT(*) FROM job_effects GROUP BY number HAVING COUNT(*) > 1 LIMIT 5")
        problem(not twice, f"effects more than once: {twice}")
        # Attempts are numbered from 1, none missing or double, and only the last completed.
        wrong = rows(
            """SELECT job_id, COUNT(*), MIN(attempt), MAX(attempt), COUNT(DISTINCT attempt),
               SUM(CASE outcome WHEN 'completed' THEN 1 ELSE 0 END),
               MAX(CASE outcome WHEN 'completed' THEN attempt ELSE 0 END)
               FROM task_executions GROUP BY job_id
               HAVING COUNT(*) <> MAX(attempt) OR COUNT(DISTINCT attempt) <> MAX(attempt) OR MIN(attempt) <> 1
               OR SUM(CASE outcome WHEN 'completed' THEN 1 ELSE 0 END) <> 1
               OR MAX(CASE outcome WHEN 'completed' THEN attempt ELSE 0 END) <> MAX(attempt) LIMIT 5"""
        )
        problem(not wrong, f"attempts that do not fit: {wrong}")
        seen = rows("SELECT COUNT(DISTINCT job_id) FROM task_executions")[0][0]
        problem(seen == self.jobs, f"the history knows {seen} of {self.jobs} jobs")
        strangers = rows(
            """SELECT COUNT(*) FROM job_effects e LEFT JOIN task_executions t ON t.job_id = e.job
               AND t.attempt = e.attempt AND t.worker = e.worker AND t.outcome = 'completed'
               WHERE t.id IS NULL"""
        )[0][0]
        problem(strangers == 0, f"{strangers} effects are not of the attempt that completed")
        counted = rows(
            """SELECT d2, CAST(SUM(delta) AS BIGINT) FROM tally_deltas WHERE metric = 'tasks' GROUP BY d2"""
        )
        actual = rows("SELECT outcome, COUNT(*) FROM task_executions GROUP BY outcome")
        problem(sorted(counted) == sorted(actual), f"counts {counted} are not the rows' {actual}")
        long = rows(
            f"""SELECT COUNT(*), MAX(finished_at - started_at) FROM task_executions
                WHERE outcome = 'retryable' AND error_type = 'WorkerLost'
                AND finished_at - started_at > {(2 * LEASE + 6) * 1_000_000}"""
        )[0]
        problem(long[0] == 0, f"jobs whose worker was gone for long: {long}")
        self.outcomes = dict(rows("SELECT outcome, COUNT(*) FROM task_executions GROUP BY outcome"))
        self.errors = dict(
            rows(
                """SELECT error_type, COUNT(*) FROM task_executions WHERE error_type IS NOT NULL
                   GROUP BY error_type"""
            )
        )


def run(options: argparse.Namespace) -> None:
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    name = "postgres" if options.postgres else "sqlite"
    count = WORKERS[name]
    print(f"jobs: {options.jobs} jobs, {count} workers on {name}, seed {seed}", flush=True)
    with Scratch(f"jobs-{name}") as folder:
        database = PostgresDatabase() if options.postgres else SQLiteFile(folder)
        url = database.url or f"sqlite:{database.path}"
        workers = Workers(options.binary, folder, url, count, random.Random(seed))
        checks = Checks(database, options.jobs)
        half = options.jobs // 2
        start = time.monotonic()
        try:
            workers.finish("migrate")
            workers.finish("enqueue", half, "--later", 3)
            workers.fill()
            more = workers.command("enqueue", options.jobs - half, "--from", half, "--later", 3, "--batch", 50)
            while more.poll() is None or checks.left():
                if time.monotonic() > start + PATIENCE:
                    checks.problems.append(f"{checks.left()} jobs are left after {PATIENCE} s")
                    break
                time.sleep(1)
                workers.let_go()
                workers.disaster()
                workers.fill()
            checks.expect(more.wait(60) == 0, f"enqueuing ended with {more.returncode}")
            took = time.monotonic() - start
            workers.end(database)
            checks.run()
        finally:
            workers.let_go(everyone=True)
            workers.kill()
        print(
            f"  {took:.0f} s, {workers.kills} workers killed, {workers.pauses} stopped for {LEASE * 1.7:.0f} s; "
            f"attempts {checks.outcomes}, errors {checks.errors}; "
            f"a lease was over for at most {checks.overdue:.1f} s"
        )
        checks.expect(workers.kills > 0, "no worker was killed")
        if checks.problems:
            raise Failed("\n".join(f"  ✗ {problem[:600]}" for problem in checks.problems))
        if options.postgres:
            database.drop()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--postgres", action="store_true", help="use the server of TEST_POSTGRES_URL")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOB_STRESS", "20000")))
    parser.add_argument("--seed", type=int)
    try:
        run(parser.parse_args())
    except Failed as failure:
        print(f"jobs: FAILED\n{failure}")
        return 1
    print("jobs: every effect once, nothing lost, nothing stuck")
    return 0


if __name__ == "__main__":
    sys.exit(main())
