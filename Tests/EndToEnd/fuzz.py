#!/usr/bin/env python3
"""Fuzzes the HTTP API from its own description: no 5xx, no answer that the description does not allow.

    FUZZ_EXAMPLES=50 fuzz.py --binary .build/debug/instainstru [--seed N]

The server is freshly started, with a token that may read and write, and holds
a few events, so that some of what is asked for exists.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from harness import Client, Failed, Scratch, Server, SQLiteFile, checkr_event, stripe_event, wait_until

# What must hold of every answer. Not among them is `positive_data_acceptance`: an id of the
# right form that is nobody's is rightly answered 404.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


def run(options: argparse.Namespace) -> None:
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    examples = os.environ.get("FUZZ_EXAMPLES", "50")
    print(f"fuzz: {examples} examples for each operation, seed {seed}", flush=True)
    with Scratch("fuzz") as folder:
        server = Server(options.binary, folder, settings={"LOG_LEVEL": "notice"}).start()
        try:
            client = Client(server.url)
            for n in range(20):
                item = {"id": f"pi_{n}", "object": "payment_intent", "status": "succeeded"}
                client.stripe(stripe_event(f"evt_{n}", "payment_intent.succeeded", item))
            client.checkr(checkr_event("evt_checkr", "report.created", {"candidate_id": "nobody"}))
            description = client.get("/openapi.json")
            if description.status != 200:
                raise Failed(f"/openapi.json was answered {description}")
            command = [
                str(Path(sys.executable).parent / "schemathesis"),
                "run",
                f"{server.url}/openapi.json",
                "--header",
                f"Authorization: Bearer {server.token('fuzz')}",
                "--max-examples",
                examples,
                "--seed",
                str(seed),
                "--checks",
                ",".join(CHECKS),
                "--no-color",
                "--workers",
                "1",
                "--request-timeout",
                "30",
                "--generation-database",
                "none",
                "--phases",
                "examples,coverage,fuzzing",
            ]
            done = subprocess.run(command, cwd=folder, env={**os.environ, **known(server)})
            unexpected = [line for line in server.log.read_text().splitlines() if "unexpected error" in line]
            if unexpected:
                raise Failed("the server's log has unexpected errors:\n" + "\n".join(unexpected[:5]))
            if server.process.poll() is not None:
                raise Failed(f"the server ended with code {server.process.returncode}")
            stored = SQLiteFile(folder).rows("SELECT source, COUNT(*) FROM webhook_events GROUP BY source")
            print(f"fuzz: events in the ledger afterwards: {dict(stored)}")
            if done.returncode != 0:
                raise Failed(f"schemathesis ended with code {done.returncode}")
            audit = server.command("audit", "verify")
            if audit.returncode != 0:
                raise Failed(f"audit verify: {audit.stdout}{audit.stderr}")
        finally:
            server.kill()


def known(server: Server) -> dict[str, str]:
    """The environment of the hooks: where they are, and the ids there are."""
    database = SQLiteFile(server.data)
    wait_until("the audit log", lambda: database.rows("SELECT COUNT(*) FROM audit_logs")[0][0] > 0)
    events = database.rows("SELECT id FROM webhook_events ORDER BY id LIMIT 10")
    entries = database.rows("SELECT id FROM audit_logs ORDER BY id LIMIT 10")
    return {
        "SCHEMATHESIS_HOOKS": "fuzz_hooks",
        "PYTHONPATH": str(Path(__file__).resolve().parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FUZZ_EVENT_IDS": " ".join(id for (id,) in events),
        "FUZZ_ENTRY_IDS": " ".join(id for (id,) in entries),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int)
    try:
        run(parser.parse_args())
    except Failed as failure:
        print(f"fuzz: FAILED: {failure}")
        return 1
    print("fuzz: nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
