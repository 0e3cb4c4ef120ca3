#!/usr/bin/env python3
"""Measures the release build and writes Benchmarks/README.md.

    WITH_POSTGRES_FSYNC=on Scripts/with-postgres \\
        python3 Benchmarks/run.py --binary .build/release/instainstru --echo .build/release/bench-echo \\
        --jobs .build/release/bench-jobs

Needs wrk and a C compiler. Without TEST_POSTGRES_URL only SQLite is measured.
What was measured is kept in results.json, one entry per database and volume,
so that a run of some of them replaces these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import engine
import measure
import report
from fill import PostgresSink, SQLiteSink, fill
from harness import Failed, PostgresDatabase, Server, SQLiteFile, wait_until
from marketplace import Marketplace

HERE = Path(__file__).resolve().parent
VOLUMES = {"demo": (10_000, 50_000), "large": (5_000_000, 10_000_000)}
PARTS = ("startup", "calls", "lists", "webhooks", "audit", "verify", "soak", "people", "jobs")


class Bench:
    """One database at one volume."""

    def __init__(self, options: argparse.Namespace, kind: str, volume: str, tool: Path, echo: str):
        self.options, self.kind, self.volume, self.tool, self.echo = options, kind, volume, tool, echo
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{kind}-{volume}.", dir=options.scratch))
        self.database = PostgresDatabase() if kind == "postgres" else SQLiteFile(self.folder)
        self.server = Server(options.binary, self.folder, self.database.url, {"LOG_LEVEL": "warning"})

    def run(self) -> dict:
        options, found = self.options, {}
        try:
            self.say("filling")
            start = time.monotonic()
            self.prepare()
            found["rows"] = dict(zip(("webhooks", "audit"), self.size()))
            found["fill_seconds"] = round(time.monotonic() - start)
            token = self.server.token("bench", expires="7d")
            for part in options.parts:
                if part == "jobs":
                    continue
                if part in ("soak", "people") and self.volume != "demo":
                    continue
                self.say(part)
                found[part] = self.measure(part, token)
                self.say(f"  {json.dumps(found[part])}")
        finally:
            self.server.kill()
            if self.kind == "postgres":
                self.database.drop()
            subprocess.run(["rm", "-rf", str(self.folder)], check=False)
        return found

    def prepare(self) -> None:
        done = self.server.command("migrate")
        if done.returncode != 0:
            raise Failed(f"migrate: {done.stdout}{done.stderr}")
        sink = (
            PostgresSink(self.database.url)
            if self.kind == "postgres"
            else SQLiteSink(str(self.database.path))
        )
        webhooks, audit = self.size()
        self.payments = measure.Payments(self.options.payments)
        self.events = fill(sink, webhooks, audit, self.options.payments)
        self.ids = self.folder / "ids"
        self.ids.write_text("\n".join(self.events.sample[-1_000:]) + "\n")
        self.server.start()
        self.say("sealing")
        wait_until(
            "the audit log to be sealed",
            lambda: not self.database.rows("SELECT 1 FROM audit_pending LIMIT 1"),
            timeout=7_200,
            every=1,
        )
        wait_until(
            "the counts to be folded",
            lambda: not self.database.rows("SELECT 1 FROM tally_deltas LIMIT 1"),
            timeout=600,
            every=1,
        )
        self.server.stop(timeout=60)
        if self.kind == "postgres":
            self.database.run("VACUUM ANALYZE")
        self.server.start()

    def size(self) -> tuple[int, int]:
        webhooks, audit = VOLUMES[self.volume]
        if self.volume == "large":
            webhooks, audit = self.options.large_webhooks or webhooks, self.options.large_audit or audit
        return webhooks, audit

    def measure(self, part: str, token: str) -> dict:
        options, server, rounds, seconds = (
            self.options,
            self.server,
            self.options.rounds,
            self.options.seconds,
        )
        if part == "startup":
            return measure.start_up(server, 5)
        if part == "calls":
            return measure.calls(server, self.echo, token, self.ids, rounds, seconds)
        if part == "lists":
            return measure.lists(server, token, self.ids, rounds, seconds)
        if part == "webhooks":
            return measure.webhooks(
                self.tool, server, self.database, self.folder, self.payments, rounds, options.webhook_seconds
            )
        if part == "audit":
            return measure.audit_share(
                self.tool,
                server,
                self.database,
                self.folder,
                token,
                self.events.replayable,
                rounds,
                options.commits,
            )
        if part == "verify":
            return measure.verify(server, 3 if self.volume == "demo" else 1)
        if part == "people":
            return Marketplace(server, self.database, self.folder, self.echo, rounds, seconds).measure()
        return measure.soak(
            self.tool, server, self.database, self.folder, token, self.ids, self.payments, options.minutes
        )

    def say(self, text: str) -> None:
        print(f"  {self.kind} {self.volume}: {text}", flush=True)


def start_echo(binary: str) -> tuple[subprocess.Popen, str]:
    """The bare ceiling, on a port of its own."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([binary, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until("the echo", answers)
    return process, f"http://127.0.0.1:{port}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--echo", required=True)
    parser.add_argument("--jobs", help="bench-jobs, for the part of that name")
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--volumes", default="demo,large")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="of each run of wrk")
    parser.add_argument("--webhook-seconds", type=float, default=20)
    parser.add_argument("--commits", type=int, default=2_000, help="confirmed replays in each run")
    parser.add_argument("--minutes", type=int, default=10, help="of the soak")
    parser.add_argument(
        "--payments", type=int, default=120_000, help="payments that live webhooks may capture"
    )
    parser.add_argument("--executions", type=int, default=5_000_000, help="rows of the jobs' history")
    parser.add_argument("--large-webhooks", type=int)
    parser.add_argument("--large-audit", type=int)
    parser.add_argument("--scratch", default=tempfile.gettempdir(), help="where the databases go")
    parser.add_argument("--results", default=str(HERE / "results.json"))
    parser.add_argument("--readme", default=str(HERE / "README.md"))
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    results_file = Path(options.results)
    results = json.loads(results_file.read_text()) if results_file.exists() else {"runs": {}}
    results["machine"] = measure.machine()
    tool = Path(tempfile.mkdtemp(prefix="bench-tool.")) / "load"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(tool), str(HERE / "load.c")], check=True)
    echo, url = start_echo(options.echo)
    try:
        for volume in options.volumes.split(","):
            for kind in options.databases.split(","):
                if kind == "postgres" and not os.environ.get("TEST_POSTGRES_URL"):
                    print("  postgres: skipped, TEST_POSTGRES_URL is not set")
                    continue
                key = f"{kind} {volume}"
                found = results["runs"].setdefault(key, {})
                # The engine is measured in databases of its own.
                if "jobs" in options.parts and volume == "demo" and options.jobs:
                    found["jobs"] = engine.measure(
                        options.jobs, kind, options.scratch, options.rounds, options.executions
                    )
                    print(f"  {kind}: jobs: {json.dumps(found['jobs'])}", flush=True)
                if options.parts != ["jobs"]:
                    found.update(Bench(options, kind, volume, tool, url).run())
                results_file.write_text(json.dumps(results, indent=1) + "\n")
                Path(options.readme).write_text(report.page(results))
    except Failed as failure:
        print(f"bench: FAILED: {failure}")
        return 1
    finally:
        echo.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
