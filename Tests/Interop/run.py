#!/usr/bin/env python3
"""Drives the real server the way other people's software does.

    run.py --binary .build/debug/instainstru [--only clients,wire,tokens,corpus]

Runs on SQLite, and on PostgreSQL too when TEST_POSTGRES_URL is set. Each
database gets a freshly started server with a small seeded ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import clients
import corpus
import tokens
import wire
from checks import Report
from harness import Failed, PostgresDatabase, Scratch, Server, SQLiteFile
from seed import Seed

PARTS = ("clients", "wire", "tokens", "corpus")


def run(binary: str, kind: str, parts: list[str], report: Report) -> None:
    with Scratch(f"interop-{kind}") as folder:
        database = PostgresDatabase() if kind == "postgres" else SQLiteFile(folder)
        server = Server(binary, folder, database.url, {"LOG_LEVEL": "notice"}).start()
        try:
            seed = Seed(server, database)
            seed.plant()
            token = server.token("interop")
            with (folder / "stdio.log").open("w") as log:
                if "clients" in parts:
                    asyncio.run(clients.run(report, seed, token, log))
            if "wire" in parts:
                wire.run(report, seed, token)
            if "tokens" in parts:
                tokens.run(report, seed)
            if "corpus" in parts:
                corpus.run(report, seed, token)
            with report.part("afterwards"):
                done = server.command("audit", "verify")
                report.equal(done.returncode, 0, "the exit code of audit verify")
                report.equal(server.stop(), 0, "the exit code of the server")
                unexpected = [
                    line for line in server.log.read_text().splitlines() if "unexpected error" in line
                ]
                report.check(not unexpected, "the log has no unexpected errors", unexpected[:5])
        finally:
            server.kill()
            if kind == "postgres":
                database.drop()
        if report.failures:
            raise Failed("see above")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts")
    options = parser.parse_args()
    parts = options.only.split(",")
    kinds = ["sqlite"] + (["postgres"] if os.environ.get("TEST_POSTGRES_URL") else [])
    failed = 0
    for kind in kinds:
        print(f"interop: on {kind}", flush=True)
        report = Report()
        try:
            run(options.binary, kind, parts, report)
        except Failed as failure:
            if not report.failures:
                report.fail(str(failure))
        failed |= report.finish()
    print("interop: FAILED" if failed else "interop: all passed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
