"""Who may do what, on every surface: nobody, a stranger, a reader, a writer, and who was revoked."""

from __future__ import annotations

import json
import re
import time

from checks import Report
from harness import REST, Answer, Client
from seed import Seed
from wire import BOTH, DETAIL, MODERN, REPLAY, Wire


def run(report: Report, seed: Seed) -> None:
    parts = (
        ("nobody and strangers", strangers),
        ("a reader", reader),
        ("revoked and expired", revoked),
        ("metrics and health", open_paths),
    )
    with report.part("tokens"):
        for name, part in parts:
            with report.part(name):
                part(report, seed)


def challenged(report: Report, answer: Answer, status: int, error: str | None, what: str) -> None:
    """Checks a refusal's status and its challenge (RFC 6750, §3)."""
    report.equal(answer.status, status, f"the status for {what}")
    challenge = answer.headers.get("WWW-Authenticate", "")
    report.check(challenge.startswith("Bearer"), f"{what} is challenged", challenge)
    found = re.search(r'error="([^"]*)"', challenge)
    report.equal(found and found.group(1), error, f"the error in the challenge for {what}")
    report.check(answer.body, f"{what} is told something", answer)


def strangers(report: Report, seed: Seed) -> None:
    url, event = seed.server.url, seed.ledger_id("evt_seed_5")
    before = _denied(seed)
    for header, error, what in (
        (None, None, "no token"),
        ("Bearer", None, "an empty token"),
        ("Bearer wrong", "invalid_token", "a wrong token"),
        ("Bearer " + "x" * 5_000, "invalid_token", "a long token"),
        ("Basic YTpi", None, "another scheme"),
        ("Bearer a b", "invalid_token", "a token with a space"),
        ("Bearer \u00fc", "invalid_token", "a token in Latin-1"),
    ):
        headers = {"Authorization": header} if header else {}
        client = Client(url)
        ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
        answers = [
            (client.post("/mcp", ping, {**BOTH, **headers}), "POST /mcp"),
            (client.get("/mcp", headers), "GET /mcp"),
            (client.get(REST + "webhooks", headers), "the list over REST"),
            (
                client.post_json(REST + f"webhooks/{event}/replay", {"dry_run": False}, headers),
                "a replay over REST",
            ),
            (client.get(REST + "audit/search", headers), "the audit log over REST"),
        ]
        for answer, where in answers:
            # Which spelling of an unusable header is malformed and which is wrong is left open.
            expected = error if header in (None, "Bearer wrong") else _error(answer)
            challenged(report, answer, 401, expected, f"{what} at {where}")
    report.check(_denied(seed) > before, "refusals are in the audit log")
    answer = Client(url).get(REST + f"webhooks?token={seed.server.token('query')}")
    report.equal(answer.status, 401, "the status for a token in the query")


def _error(answer: Answer) -> str | None:
    found = re.search(r'error="([^"]*)"', answer.headers.get("WWW-Authenticate", ""))
    return found and found.group(1)


def _denied(seed: Seed) -> int:
    time.sleep(0.3)
    return seed.database.rows("SELECT COUNT(*) FROM audit_logs WHERE status = 'denied'")[0][0]


def reader(report: Report, seed: Seed) -> None:
    token = seed.server.token("reader", scopes="mcp:read")
    wire, client = Wire(seed.server.url, token), Client(seed.server.url, token)
    event, before = seed.ledger_id("evt_seed_5"), _denied(seed)
    report.equal(wire.modern("tools/list").status, 200, "the status of a reader's list")
    answer = wire.modern("tools/call", {"name": DETAIL, "arguments": {"event_id": event}})
    report.equal(answer.status, 200, "the status of a reader's look")
    for given in ({"event_id": event}, {"event_id": event, "dry_run": False}):
        answer = wire.modern("tools/call", {"name": REPLAY, "arguments": given})
        challenged(report, answer, 403, "insufficient_scope", f"a reader's replay {given}")
        report.check(
            "mcp:write" in answer.headers.get("WWW-Authenticate", ""),
            "the challenge names the scope that is missing",
        )
        answer = wire.legacy("tools/call", {"name": REPLAY, "arguments": given})
        challenged(report, answer, 403, "insufficient_scope", f"a reader's replay {given} in 2025-11-25")
    answer = client.post_json(REST + f"webhooks/{event}/replay", {"dry_run": True})
    challenged(report, answer, 403, "insufficient_scope", "a reader's replay over REST")
    report.check(_denied(seed) >= before + 5, "each refusal is in the audit log")
    rows = seed.database.rows(
        "SELECT DISTINCT actor_email FROM audit_logs WHERE status = 'denied' AND action LIKE '%replay%'"
    )
    report.check(("suite@example.com",) in rows, "the refusal names the token's owner", rows)


def revoked(report: Report, seed: Seed) -> None:
    token = seed.server.token("to be revoked")
    client = Client(seed.server.url, token)
    report.equal(client.get(REST + "webhooks").status, 200, "the status before the token is revoked")
    id = seed.database.rows("SELECT id FROM service_tokens WHERE name = 'to be revoked'")[0][0]
    done = seed.server.command("token", "revoke", id)
    report.equal(done.returncode, 0, "the exit code of token revoke")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and client.get(REST + "webhooks").status == 200:
        time.sleep(0.05)
    challenged(report, client.get(REST + "webhooks"), 401, "invalid_token", "a revoked token over REST")
    wire = Wire(seed.server.url, token)
    challenged(report, wire.modern("tools/list"), 401, "invalid_token", f"a revoked token over MCP {MODERN}")
    listed = seed.server.command("token", "list").stdout
    report.check("to be revoked" in listed and token not in listed, "tokens are listed without their secrets")
    stored = seed.database.rows(f"SELECT COUNT(*) FROM service_tokens WHERE token_hash = '{token}'")[0][0]
    report.equal(stored, 0, "the number of tokens stored in clear")
    late = seed.server.token("expired", expires="1h")
    seed.database.run(
        "UPDATE service_tokens SET created_at = created_at - 7200000000, expires_at = expires_at - 7200000000 "
        "WHERE name = 'expired'"
    )
    challenged(
        report, Client(seed.server.url, late).get(REST + "webhooks"), 401, "invalid_token", "an expired token"
    )


def open_paths(report: Report, seed: Seed) -> None:
    client = Client(seed.server.url)
    for path in ("/health", "/api/v1/health"):
        body = client.get(path).json
        for member in ("status", "service", "version", "git_sha", "started_at", "uptime_seconds"):
            report.check(member in body, f"{path} has {member}", body)
    report.equal(client.get("/ready").status, 200, "the status of /ready")
    metrics = client.get("/metrics")
    report.equal(metrics.status, 200, "the status of /metrics from this machine")
    for line in metrics.body.decode().splitlines():
        known = line.startswith("#") or re.fullmatch(r"[a-zA-Z_:][\w:]*(\{.*\})? [-+0-9.eEInfNa]+", line)
        if not known and line:
            report.fail("every line of /metrics is a sample or a comment", line)
            break
    answer = client.get("/metrics", {"X-Forwarded-For": "203.0.113.9"})
    report.equal(answer.status, 401, "the status of /metrics through a proxy without its token")
    report.equal(
        client.get("/openapi.json").json.get("openapi", "")[:3], "3.1", "the version of the description"
    )
