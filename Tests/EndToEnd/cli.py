#!/usr/bin/env python3
"""Uses the built binary as a person at a terminal does, verb by verb.

    cli.py --binary .build/debug/instainstru [--only settings,migrate,doctor,tokens,calls,audit,stdio,stop,tls,demo]

Runs on SQLite, and on PostgreSQL too when TEST_POSTGRES_URL is set; the demo
makes its month on SQLite beside everything else, for that takes longest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

from demo import Demo
from harness import (
    REST,
    Client,
    Failed,
    PostgresDatabase,
    Scratch,
    Server,
    SQLiteFile,
    stripe_event,
    wait_until,
)

PARTS = ("settings", "migrate", "doctor", "tokens", "calls", "audit", "stdio", "stop", "tls", "demo")
# An idle server stops in well under a second; the rest is for a busy machine.
STOP_LIMIT = 3.0


class Report:
    """Every check of a run; a failed one does not end it."""

    def __init__(self):
        self.passed, self.failures, self.name = 0, [], ""

    @contextmanager
    def part(self, name: str):
        self.name, before, start = name, (self.passed, len(self.failures)), time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self.check(False, f"{type(error).__name__}: {error}")
        passed, failed = self.passed - before[0], len(self.failures) - before[1]
        took = time.monotonic() - start
        print(
            f"  {name}: {passed} passed" + (f", {failed} FAILED" if failed else "") + f" in {took:.1f} s",
            flush=True,
        )

    def check(self, truth, what: str, found=None) -> bool:
        if truth:
            self.passed += 1
        else:
            self.failures.append(
                f"{self.name}: {what}" + ("" if found is None else f"\n      found {found!r}"[:2_000])
            )
        return bool(truth)

    def equal(self, found, expected, what: str) -> bool:
        return self.check(found == expected, f"{what} is {expected!r}", found)

    def refused(self, done: subprocess.CompletedProcess, *words: str) -> None:
        """A command that must fail, say why on standard error, and print nothing else."""
        what = " ".join(done.args[1:3])
        self.check(done.returncode not in (0, None) and done.returncode > 0, f"{what} fails", done.returncode)
        self.equal(done.stdout, "", f"the output of a refused {what}")
        for word in words:
            self.check(word in done.stderr, f"{what} says {word!r}", done.stderr)

    def done(self, done: subprocess.CompletedProcess) -> str:
        """A command that must succeed; its output."""
        self.check(
            done.returncode == 0, f"{' '.join(done.args[1:4])} succeeds", (done.returncode, done.stderr)
        )
        return done.stdout


class Place:
    """A data folder, its database, and a server that may run over both."""

    def __init__(self, binary: str, folder: Path, kind: str, settings: dict[str, str] | None = None):
        self.kind = kind
        self.database = PostgresDatabase() if kind == "postgres" else SQLiteFile(folder)
        self.server = Server(binary, folder, self.database.url, {"LOG_LEVEL": "notice", **(settings or {})})

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_) -> None:
        self.server.kill()
        if self.kind == "postgres":
            self.database.drop()

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
        """One command, with more settings than the server's own."""
        kept, self.server.settings = self.server.settings, {**self.server.settings, **settings}
        try:
            return self.server.command(*arguments, timeout=60)
        finally:
            self.server.settings = kept

    def deliver(self, name: str, count: int) -> None:
        client = Client(self.server.url)
        for n in range(count):
            answer = client.stripe(
                stripe_event(f"evt_{name}_{n}", "transfer.created", {"id": f"tr_{n}", "object": "t"})
            )
            if answer.status != 200:
                raise Failed(f"a signed webhook was answered {answer}")

    def settle(self) -> None:
        wait_until("all events to be processed", lambda: not self.database.rows("SELECT 1 FROM jobs LIMIT 1"))
        wait_until(
            "all entries to be sealed", lambda: not self.database.rows("SELECT 1 FROM audit_pending LIMIT 1")
        )


def settings(report: Report, place: Place) -> None:
    wrong = {
        "PORT": "abc",
        "RATE_LIMIT_BURST": "0",
        "LOG_LEVEL": "loud",
        "AUDIT_SIGNING_KEY": "short",
        "AUDIT_LOG_ORIGIN": "two words",
        "DATABASE_URL": "mysql://user:hunter2@host/db",
        "CHECKR_WEBHOOK_PASS": "",
    }
    # The user of that password is named, for it is the pair that is incomplete.
    names = [name.replace("CHECKR_WEBHOOK_PASS", "CHECKR_WEBHOOK_USER") for name in wrong]
    for verb in ("serve", "doctor", "migrate", "demo"):
        done = place.run(verb, **wrong)
        report.refused(done, *names)
        report.check("hunter2" not in done.stderr, "no password is shown", done.stderr)
    report.refused(place.run("serve", "--port", "99999"), "PORT", "99999")
    # What the parser of arguments refuses itself has its own exit code and the usage.
    done = place.run("serve", "--bogus")
    report.check(done.returncode == 64 and "--bogus" in done.stderr, "an unknown flag is named", done)


def migrate(report: Report, place: Place) -> None:
    first = report.done(place.run("migrate"))
    report.check(first.count("applied 0") >= 8, "a fresh database is migrated", first)
    report.equal(report.done(place.run("migrate")).strip(), "Nothing to do.", "the second time")


def doctor(report: Report, place: Place) -> None:
    good = report.done(place.run("doctor"))
    report.check("WRONG" not in good, "a good folder has nothing wrong", good)
    report.check(
        f"database: {'postgres' if place.kind == 'postgres' else 'sqlite'}" in good,
        "it names the database",
        good,
    )
    report.check("STRIPE_WEBHOOK_SECRET=***" in good and "whsec" not in good, "secrets are not shown", good)
    place.server.start()
    place.server.token("doctor")
    place.settle()
    place.server.stop()
    other = "A" * 43
    found = place.run("doctor", AUDIT_SIGNING_KEY=other)
    report.check(
        found.returncode == 1 and re.search(r"WRONG +audit key: another key", found.stdout),
        "another key is named",
        found.stdout,
    )
    report.refused(
        place.run("serve", "--port", "0", AUDIT_SIGNING_KEY=other), "another key", "AUDIT_SIGNING_KEY"
    )
    # A tool with the wrong key must not sign anything.
    report.done(place.run("call", "webhooks_list", AUDIT_SIGNING_KEY=other))
    report.done(place.run("audit", "verify"))
    place.database.run(
        "INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, max_attempts,"
        " run_at, created_at) VALUES ('01M82TSVD8A6Q4K3DVTACBZKA2', 'no.such_job', 'celery', 5, '{}', 1,"
        " 'available', 0, 5, 1, 1)"
    )
    found = place.run("doctor")
    report.check(
        found.returncode == 1 and "no.such_job" in found.stdout, "an orphaned job is named", found.stdout
    )
    place.database.run("DELETE FROM jobs WHERE name = 'no.such_job'")
    report.done(place.run("doctor"))
    found = place.run("doctor", DATABASE_URL="postgres://nobody:hunter2@127.0.0.1:1/none")
    report.check(
        found.returncode == 1 and "127.0.0.1:1" in found.stderr, "an absent database is named", found.stderr
    )
    report.check("hunter2" not in found.stdout + found.stderr, "its password is not", found)
    file = place.server.data / "file"
    file.write_text("not a folder")
    done = subprocess.run(
        [place.server.binary, "doctor", "--data", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**place.server.environment, "DATABASE_URL": ""},
    )
    report.check(
        done.returncode == 1 and str(file) in done.stderr, "a folder that cannot be made is named", done
    )


def tokens(report: Report, place: Place) -> None:
    done = place.run("token", "create", "--name", "reader", "--owner", "ada@example.com", "--expires", "12h")
    lines = report.done(done).splitlines()
    report.check(
        len(lines) == 1 and lines[0].startswith("itk_"), "the token is alone on standard output", lines
    )
    token, id = lines[-1], lines[-1].split("_")[1]
    listed = report.done(place.run("token", "list"))
    row = next((line for line in listed.splitlines() if line.startswith(id)), "")
    for word in ("reader", "ada@example.com", "mcp:read", "active"):
        report.check(word in row, f"the list shows {word}", listed)
    report.check(
        token not in listed and token.split("_")[2] not in listed, "the list keeps the secret", listed
    )
    place.server.start()
    client = Client(place.server.url, token)
    report.equal(client.get(REST + "webhooks").status, 200, "the status with the new token")
    report.done(place.run("token", "revoke", id))

    def is_refused() -> bool:
        return client.get(REST + "webhooks").status == 401

    wait_until("the revoked token to be refused", is_refused, timeout=5)
    report.check("revoked" in place.run("token", "list").stdout, "the list says that it is revoked")
    report.done(place.run("token", "revoke", id))
    report.refused(
        place.run("token", "revoke", "01M82TSVD8A6Q4K3DVTACBZKA2"), "01M82TSVD8A6Q4K3DVTACBZKA2", "list"
    )
    report.refused(place.run("token", "revoke", "nonsense"), "nonsense", "ULID")
    wrong = place.run("token", "create", "--name", "x", "--scopes", "mcp:all", "--expires", "5y")
    report.refused(wrong, "mcp:all", "mcp:read, mcp:write", "5y", "90d")


def calls(report: Report, place: Place) -> None:
    place.server.start()
    place.deliver("call", 5)
    place.settle()
    token, url = place.server.token("cli"), place.server.url
    remote = ("--url", url, "--token", token)

    def answer(*arguments: str, **settings: str) -> dict:
        return json.loads(report.done(place.run("call", *arguments, "--json", **settings)))

    window = ("--start-time", "2026-01-01T00:00:00Z", "--limit", "2")
    here, there = answer("webhooks_list", *window), answer("webhooks_list", *window, *remote)
    for found in (here, there):
        report.check(found["meta"].pop("request_id") and found["meta"].pop("generated_at"), "it says when")
    report.equal(there, here, "the answer over --url")
    report.equal(len(here["events"]), 2, "the rows of a limit of 2")
    report.equal(
        answer("webhooks_list", INSTAINSTRU_TOKEN=token, *window, *remote[:2])["events"],
        here["events"],
        "the answer with the token from the environment",
    )
    report.equal(
        answer("webhooks_list", *window, "--url", url + "/", "--token", token)["events"],
        here["events"],
        "the answer of a URL that ends in a slash",
    )
    table = report.done(place.run("call", "webhooks_list", *window))
    report.check(
        "total_count: 5" in table and "transfer.created" in table, "without --json it is a table", table
    )
    for where in ((), remote):
        bad = place.run("call", "webhooks_list", "--limit", "0", "--bogus", "1", *where)
        report.refused(bad, "limit: must be from 1 to 200, not 0", "bogus", "event_type")
        missing = place.run("call", "webhook_detail", "--event-id", "01M82TSVD8A6Q4K3DVTACBZKA2", *where)
        report.refused(missing, "01M82TSVD8A6Q4K3DVTACBZKA2", "webhooks_list")
        report.refused(place.run("call", "no_such_operation", *where), "no_such_operation")
    report.refused(place.run("call", "webhooks_list", "stray"), "stray", "--name value")
    report.refused(place.run("call", "webhooks_list", "--url", url), "INSTAINSTRU_TOKEN")
    report.refused(place.run("call", "webhooks_list", "--url", url, "--token", "itk_wrong"), "token")
    report.refused(
        place.run("call", "webhooks_list", "--url", "http://127.0.0.1:1", "--token", "x"), "127.0.0.1:1"
    )
    listed = report.done(place.run("call"))
    report.check(
        "webhook_replay: " in listed and "--event-id" in listed,
        "without an operation they are listed",
        listed,
    )
    reader = place.server.token("cli-reader", scopes="mcp:read")
    id = here["events"][0]["id"]
    report.refused(
        place.run("call", "webhook_replay", "--event-id", id, "--url", url, "--token", reader), "mcp:write"
    )
    Client(url, token).get(REST + "no/such/route")
    unknown = """SELECT metadata FROM audit_logs WHERE action = 'mcp.unknown' AND status = 'failed'"""
    wait_until("three entries of what does not exist", lambda: len(place.database.rows(unknown)) == 3)
    names = sorted(json.loads(row[0])["operation"] for row in place.database.rows(unknown))
    report.equal(
        names, ["GET no/such/route", "instainstru_no_such_operation", "no_such_operation"], "what they name"
    )


def audit(report: Report, place: Place) -> None:
    report.refused(place.run("audit", "export", "--out", "none.jsonl"), "sealed")
    server = place.server.start()
    over = threading.Event()

    def send() -> None:
        n = 0
        while not over.is_set():
            place.deliver(f"audit{n}", 5)
            n += 1

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        token = server.token("audit")
        for _ in range(30):
            Client(server.url, token).get(REST + "webhooks?limit=1")
        sealed = "SELECT COUNT(*) FROM audit_leaves"
        wait_until("thirty entries to be sealed", lambda: place.database.rows(sealed)[0][0] >= 30)
        found = json.loads(report.done(place.run("audit", "verify", "--json")))
        report.check(found["entries"] >= 30 and not found["problems"], "a running log is clean", found)
        said = report.done(place.run("audit", "export", "--out", "log.jsonl"))
    finally:
        over.set()
        sender.join()
    file = server.data / "log.jsonl"
    lines = file.read_text().splitlines()
    report.check(
        len(lines) >= 30 and said.startswith(f"{len(lines)} entries"), "every entry is exported", said
    )
    report.equal(
        [json.loads(line)["seq"] for line in lines], list(range(len(lines))), "the sequence of the export"
    )
    report.done(place.run("audit", "verify", "--file", "log.jsonl"))
    report.done(place.run("audit", "verify", "--checkpoint", "log.jsonl.checkpoint"))
    broken = server.data / "broken.jsonl"
    broken.write_text("\n".join([*lines[:4], lines[4].replace("success", "failed"), *lines[5:]]) + "\n")
    (server.data / "broken.jsonl.checkpoint").write_bytes((server.data / "log.jsonl.checkpoint").read_bytes())
    done = place.run("audit", "verify", "--file", "broken.jsonl")
    report.check(done.returncode == 2 and "NOT" in done.stdout, "an edited file is not clean", done)
    report.refused(place.run("audit", "verify", "--file", "absent.jsonl"), "absent.jsonl")
    report.refused(
        place.run("audit", "export", "--out", "no/such/folder/log.jsonl"), "no/such/folder/log.jsonl"
    )


def stdio(report: Report, place: Place) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "cli", "version": "1"},
    }
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "instainstru_webhooks_list", "arguments": {}, "_meta": meta},
        },
    ]
    done = subprocess.run(
        [place.server.binary, "mcp", "--stdio", "--data", str(place.server.data)],
        input="".join(json.dumps(message) + "\n" for message in asked),
        capture_output=True,
        text=True,
        timeout=60,
        env=place.server.environment,
        cwd=place.server.data,
    )
    answers = {line["id"]: line for line in map(json.loads, report.done(done).splitlines())}
    tools = {tool["name"] for tool in answers[1]["result"]["tools"]}
    report.check(
        {"instainstru_webhooks_list", "instainstru_audit_search"} <= tools, "tools are listed", tools
    )
    report.equal(
        answers[2]["result"]["structuredContent"]["meta"]["total_count"], 0, "the count of an empty ledger"
    )
    report.check(place.run("mcp").returncode == 64, "without --stdio it says what to do")


def stop(report: Report, place: Place) -> None:
    times = []
    for ending in (signal.SIGINT, signal.SIGTERM):
        server = place.server.start()
        idle = Client(server.url)
        idle.get("/health")
        place.deliver(f"stop{ending}", 20)
        start = time.monotonic()
        server.process.send_signal(ending)
        report.equal(server.process.wait(30), 0, f"the exit code after {ending.name}")
        times.append(time.monotonic() - start)
        received = "SELECT COUNT(*) FROM webhook_events"
        report.check(place.database.rows(received)[0][0] % 20 == 0, "what was acknowledged is kept")
    report.check(max(times) < STOP_LIMIT, f"a stop takes less than {STOP_LIMIT} s", times)
    print(f"    stopped in {' and '.join(f'{took:.2f}' for took in times)} s", flush=True)


def tls(report: Report, place: Place) -> None:
    """A server whose certificate is right, one of a stranger, and one without any."""
    ca, other = os.environ.get("TEST_POSTGRES_CA"), os.environ.get("TEST_POSTGRES_OTHER_CA")
    if place.kind != "postgres" or not ca:
        if place.kind == "postgres":
            print("    skipped: the server has no TLS (openssl is missing, or WITH_POSTGRES_TLS is not on)")
        return
    parts = urllib.parse.urlsplit(place.database.url)
    port, path = parts.port, parts.path

    def url(mode: str, host: str = "localhost", root: str | None = None, more: str = "") -> str:
        return f"postgres://postgres@{host}:{port}{path}?sslmode={mode}{more}" + (
            f"&sslrootcert={root}" if root else ""
        )

    place.server.settings["DATABASE_URL"] = url("verify-full", root=ca)
    report.done(place.run("migrate"))
    report.done(place.run("doctor"))
    place.server.start()
    place.deliver("tls", 3)
    place.settle()
    open_ = f"""SELECT ssl, COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                WHERE datname = '{path[1:]}' AND pid <> pg_backend_pid() GROUP BY ssl"""
    found = place.database.rows(open_)
    report.check([row[0] for row in found] == ["t"], "every connection of the server is encrypted", found)
    place.server.stop()
    wrong = place.run("doctor", DATABASE_URL=url("verify-full", root=other))
    report.check(
        wrong.returncode == 1 and "certificate verify failed" in wrong.stderr, "a wrong CA is refused", wrong
    )
    # The certificate is for localhost, whatever the address.
    host = place.run(
        "doctor", DATABASE_URL=url("verify-full", host="db.example.com", root=ca, more="&hostaddr=127.0.0.1")
    )
    report.check(host.returncode == 1 and "db.example.com" in host.stderr, "another name is refused", host)
    place.database.run("ALTER SYSTEM SET ssl = off; SELECT pg_reload_conf()")
    try:
        plain = "SELECT 1 FROM pg_settings WHERE name = 'ssl' AND setting = 'off'"
        wait_until("TLS to be off", lambda: place.database.rows(plain))
        for mode in ("require", "verify-full"):
            done = place.run("doctor", DATABASE_URL=url(mode, root=ca))
            report.check(
                done.returncode == 1 and "does not support SSL" in done.stderr,
                f"a plain server is refused with sslmode={mode}",
                done,
            )
        report.done(place.run("doctor", DATABASE_URL=url("prefer")))
    finally:
        place.database.run("ALTER SYSTEM RESET ssl; SELECT pg_reload_conf()")


def run(binary: str, kind: str, parts: list[str], report: Report) -> None:
    each = (settings, migrate, doctor, tokens, calls, audit, stdio, stop, tls)
    for part in each:
        if part.__name__ not in parts:
            continue
        with (
            report.part(f"{kind}, {part.__name__}"),
            Scratch("cli") as folder,
            Place(binary, folder, kind) as place,
        ):
            part(report, place)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts")
    options = parser.parse_args()
    parts, report = options.only.split(","), Report()
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    with Scratch("cli-demo") as folder:
        demo = Demo(options.binary, folder) if "demo" in parts else None
        try:
            for kind in ["sqlite"] + (["postgres"] if os.environ.get("TEST_POSTGRES_URL") else []):
                run(options.binary, kind, parts, report)
            if demo:
                with report.part("demo"):
                    demo.run(report)
        finally:
            if demo:
                demo.kill()
    for failure in report.failures:
        print(f"  ✗ {failure}")
    failed = bool(report.failures) or not report.passed
    print("cli: FAILED" if failed else "cli: all passed")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
