#!/usr/bin/env python3
"""Fuzzes the HTTP API from its own description: no 5xx, no answer that the description does not allow.

    FUZZ_EXAMPLES=50 fuzz.py --binary .build/debug/instainstru [--seed N] [--callers student,admin]

The server is freshly started and holds a few events and people. It is called by a
program with a token that may read and write, by a guest, a student, an instructor
and an administrator, and at last by people whose sessions may end.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from harness import Client, Failed, Scratch, Server, SQLiteFile, checkr_event, stripe_event, wait_until
from people import People, Person

CALLERS = ("operators", "guest", "student", "instructor", "admin", "endings")

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


# What ends the session it is called in, or the account: with sessions that nothing else needs.
ENDINGS = (
    "auth_logout",
    "auth_change_password",
    "my_account_deactivate",
    "my_account_suspend",
    "my_instructor_profile_delete",
    "privacy_delete_me",
)
TEACHING = "/(account|addresses|conversations|instructor-referrals|instructors|messages|reviews|services)(/|$)"
OPERATORS = "^/api/v1/admin/mcp/|webhooks/(stripe|checkr)$|health$|^/ready$"


class Fuzzer:
    """One server, and schemathesis over parts of its description as different callers."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
        self.examples = int(os.environ.get("FUZZ_EXAMPLES", "50"))
        self.callers = options.callers.split(",")
        self.more = options.more
        self.folder = folder
        self.database = SQLiteFile(folder)
        settings = {"LOG_LEVEL": "notice", "TRUSTED_PROXIES": "127.0.0.1"}
        self.server = Server(options.binary, folder, settings=settings)

    def run(self) -> None:
        print(f"fuzz: {self.examples} examples for each operation, seed {self.seed}", flush=True)
        try:
            self.server.start()
            self.deliver()
            failed = [name for name in self.callers if not self.call_as(name)]
            self.look()
            if failed:
                raise Failed(f"schemathesis found something as {', '.join(failed)}")
            audit = self.server.command("audit", "verify")
            if audit.returncode != 0:
                raise Failed(f"audit verify: {audit.stdout}{audit.stderr}")
        finally:
            self.server.kill()

    def call_as(self, caller: str) -> bool:
        print(f"fuzz: as {caller}", flush=True)
        return getattr(self, caller)()

    def deliver(self) -> None:
        """A few events, so that some of what is asked for exists."""
        client = Client(self.server.url)
        for n in range(20):
            item = {"id": f"pi_{n}", "object": "payment_intent", "status": "succeeded"}
            client.stripe(stripe_event(f"evt_{n}", "payment_intent.succeeded", item))
        client.checkr(checkr_event("evt_checkr", "report.created", {"candidate_id": "nobody"}))
        description = client.get("/openapi.json")
        if description.status != 200:
            raise Failed(f"/openapi.json was answered {description}")

    def operators(self) -> bool:
        """The operations that are tools too, as a program; webhooks as their sources."""
        database, token = self.database, self.server.token("fuzz")
        wait_until("the audit log", lambda: database.rows("SELECT COUNT(*) FROM audit_logs")[0][0] > 0)
        events = database.rows("SELECT id FROM webhook_events ORDER BY id LIMIT 10")
        entries = database.rows("SELECT id FROM audit_logs ORDER BY id LIMIT 10")
        return self.schemathesis(
            ["--include-path-regex", OPERATORS, *authorization(token)],
            {
                "FUZZ_EVENT_IDS": " ".join(id for (id,) in events),
                "FUZZ_ENTRY_IDS": " ".join(id for (id,) in entries),
            },
            self.examples,
        )

    @functools.cached_property
    def people(self) -> People:
        return People(self.server, self.database)

    def guest(self) -> bool:
        """Somebody without an account, where none is needed."""
        paths = public(Client(self.server.url).get("/openapi.json").json)
        return self.person([option for path in paths for option in ("--include-path", path)], None)

    def student(self) -> bool:
        return self.person([], self.people.student)

    def instructor(self) -> bool:
        """What differs for who teaches; in the rest they are as a student."""
        return self.person(["--include-path-regex", TEACHING], self.people.instructor)

    def admin(self) -> bool:
        return self.person([], self.people.admin)

    def endings(self) -> bool:
        """What ends a session, with several that may end."""
        leaving = [Person(self.server, role, f"{role}{n}") for role in ("student", "instructor") for n in (1, 2)]
        options = [option for id in ENDINGS for option in ("--include-operation-id", id)]
        tokens = " ".join(person.token for person in leaving)
        return self.schemathesis(
            [*options, *authorization(leaving[0].token)],
            {"FUZZ_KNOWN": self.known([person.password for person in leaving]), "FUZZ_SESSIONS": tokens},
            self.some,
        )

    def person(self, filters: list[str], person: Person | None) -> bool:
        """Everything for people, as one of them."""
        options = ["--exclude-path-regex", OPERATORS, *filters]
        for id in ENDINGS:
            options += ["--exclude-operation-id", id]
        if person:
            options += authorization(person.token)
        return self.schemathesis(
            options, {"FUZZ_KNOWN": self.known([person.password if person else "?"])}, self.some
        )

    @property
    def some(self) -> int:
        """There are many operations and several callers, so each gets fewer examples."""
        return max(3, self.examples // 4)

    def known(self, passwords: list[str]) -> str:
        return json.dumps({**self.people.known(), "passwords": passwords})

    def schemathesis(self, options: list[str], environment: dict[str, str], examples: int) -> bool:
        """One run; whether it found nothing."""
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{self.server.url}/openapi.json"]
        command += ["--max-examples", str(examples), "--seed", str(self.seed), "--checks", ",".join(CHECKS)]
        command += ["--no-color", "--workers", "1", "--request-timeout", "30"]
        command += ["--generation-database", "none", "--phases", "examples,coverage,fuzzing"]
        hooks = {
            "SCHEMATHESIS_HOOKS": "fuzz_hooks",
            "PYTHONPATH": str(Path(__file__).resolve().parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return (
            subprocess.run(
                [*command, *options, *self.more], cwd=self.folder, env={**os.environ, **hooks, **environment}
            ).returncode
            == 0
        )

    def look(self) -> None:
        """At the server's log, and at what it stored."""
        lines = self.server.log.read_text().splitlines()
        unexpected = [line for line in lines if "unexpected error" in line]
        if unexpected:
            raise Failed("the server's log has unexpected errors:\n" + "\n".join(unexpected[:5]))
        if self.server.process.poll() is not None:
            raise Failed(f"the server ended with code {self.server.process.returncode}")
        stored = self.database.rows("SELECT source, COUNT(*) FROM webhook_events GROUP BY source")
        print(f"fuzz: events in the ledger afterwards: {dict(stored)}")


def authorization(token: str) -> list[str]:
    return ["--header", f"Authorization: Bearer {token}"]


def public(description: dict) -> list[str]:
    """The paths that have something for anyone."""
    return [
        path
        for path, methods in description["paths"].items()
        if any(not operation["security"] for operation in methods.values())
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--callers", default=",".join(CALLERS))
    parser.add_argument("more", nargs="*", help="options of schemathesis, after --")
    try:
        with Scratch("fuzz") as folder:
            Fuzzer(parser.parse_args(), folder).run()
    except Failed as failure:
        print(f"fuzz: FAILED: {failure}")
        return 1
    print("fuzz: nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
