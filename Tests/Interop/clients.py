"""Has every client list everything, call every tool, and replay with and without a person's yes."""

from __future__ import annotations

import json
import re

from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError

from checks import Report
from seed import INVITE, TEACHER, Seed
from sessions import LEGACY, MODERN, Person, Session, fast, official

PREFIX = "instainstru_"
# Every tool that was called by any client; what is listed and not here fails.
REPLAY = PREFIX + "webhook_replay"
COMMANDS = {REPLAY} | {
    PREFIX + name
    for name in ("job_retry", "job_discard", "queue_pause", "queue_resume", "payments_reconcile")
}


def arguments(seed: Seed, entry: str, job: str) -> dict[str, list[dict]]:
    """Valid calls of every tool, plain and with everything given."""
    event = seed.ledger_id("evt_seed_0")
    month = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2099-01-01T00:00:00Z"}
    calls = {
        "webhooks_list": [
            {},
            {"source": "stripe", "status": "processed", "event_type": "transfer.created", "limit": 5},
            {"since_hours": 168, "limit": 200},
            month,
            {"source": "", "event_type": ""},
            {"limit": "7"},
        ],
        "webhooks_failed": [{}, {"source": "stripe", "since_hours": 48, "limit": 2}, {"source": "nobody"}],
        "webhook_detail": [{"event_id": event}, {"event_id": event, "full_payload": True}],
        "webhook_replay": [{"event_id": seed.ledger_id("evt_broken_0")}],
        "audit_search": [
            {},
            {"limit": 500, "since_hours": 720, "detail": True},
            {"status": "success", "resource_type": "webhook"},
            {"actor_email": "suite@example.com"},
            month,
        ],
        "audit_user_activity": [{"user_email": "suite@example.com"}, {"user_email": "nobody@example.com"}],
        "audit_resource_history": [
            {"resource_type": "payment", "resource_id": seed.payments[0]},
            {"resource_type": "webhook", "resource_id": event, "limit": 1, "detail": True},
        ],
        "audit_recent_admin_actions": [{}, {"include_reads": True, "include_automated": True, "limit": 20}],
        "audit_entry": [{"entry_id": entry}],
        "celery_worker_status": [{}],
        "celery_queue_depth": [{}],
        "celery_failed_tasks": [{}, {"limit": 1}],
        "celery_payment_health": [{}],
        "celery_active_tasks": [{}],
        "celery_task_history": [
            {},
            {"task_name": "webhooks.process", "state": "FAILURE", "hours": 24, "limit": 5},
            {"state": "PENDING"},
        ],
        "celery_beat_schedule": [{}],
        "celery_task_history_persistent": [{}, {"status": "SUCCESS", "since_hours": 2160, "limit": 3}],
        "celery_task_stats": [{}, {"task_name": "webhooks.process", "since_hours": 1}],
        "job_retry": [{"task_name": "webhooks.process", "reason": "the suite looks", "dry_run": True}],
        "job_discard": [{"job_ids": [job], "reason": "the suite looks", "dry_run": True}],
        "queue_pause": [{"queue": "analytics", "reason": "the suite pauses it"}],
        "queue_resume": [{"queue": "analytics"}],
        "payments_reconciliation": [{}, {"include_resolved": True, "limit": 5}],
        "payments_reconcile": [{"dry_run": True}],
        "search_top_queries": [{}, {"min_count": 1, "limit": 3}],
        "search_zero_results": [{}],
        "invites_list": [{}, {"reveal": True, "reason": "the suite looks", "limit": 1}],
        "invites_detail": [{"identifier": INVITE}],
        "founding_funnel_summary": [{}, {"view": "cohort"}],
        "founding_stuck_instructors": [{}],
        "services_catalog": [{}],
        "service_lookup": [{"query": "piano"}, {"query": "qqqq"}],
        "instructors_list": [{}, {"limit": 1}],
        "instructors_coverage": [{}, {"group_by": "service", "top": 1}],
        "instructors_detail": [{"identifier": seed.instructor}, {"identifier": TEACHER}],
    }
    return {PREFIX + name: list_ for name, list_ in calls.items()}


async def exercise(report: Report, session: Session, seed: Seed) -> None:
    """Everything a reader does."""
    tools = await session.tools()
    with report.part("lists"):
        check_lists(report, tools)
        templates = {template.uri_template for template in await session.templates()}
        report.equal(templates, {"instainstru://webhooks/{id}", "instainstru://audit/{id}"}, "the templates")
        await session.resources()
        prompts = [prompt.name for prompt in await session.prompts()]
        report.check("webhook_triage" in prompts, "webhook_triage is among the prompts", prompts)
    with report.part("tools"):
        entry = await first_entry(session)
        calls = arguments(seed, entry, await failed_job(session))
        for tool in tools:
            if not report.check(tool.name in calls, f"{tool.name} is called by this suite"):
                continue
            for given in calls[tool.name]:
                await call_and_check(report, session, tool, given)
        await walk(report, session, "webhooks_list", "events", {"limit": 7, "since_hours": 24})
        await walk(report, session, "audit_search", "entries", {"limit": 50, "action": "payment.capture"})
    with report.part("resources and prompts"):
        event = seed.ledger_id("evt_seed_1")
        text = await session.read(f"instainstru://webhooks/{event}")
        report.equal(json.loads(text)["event"]["id"], event, "the resource's event")
        report.check("pi_seed_secret_do_not_store" not in text, "secrets of the payload are redacted")
        text = await session.read(f"instainstru://audit/{entry}")
        report.equal(json.loads(text)["entry"]["id"], entry, "the resource's entry")
        text = await session.prompt("webhook_triage", {"source": "stripe", "hours": "48"})
        report.check("48" in text and "stripe" in text, "the prompt uses its arguments", text)
        values = await session.complete("instainstru://webhooks/{id}", "id", event[:4])
        report.check(event in values and len(values) <= 100, "ids are completed", values[:3])


def check_lists(report: Report, tools: list) -> None:
    names = [tool.name for tool in tools]
    report.equal(len(set(names)), len(names), "the number of tool names")
    for tool in tools:
        report.check(
            re.fullmatch(r"[A-Za-z0-9_-]{1,60}", tool.name), f"{tool.name} is a name every client takes"
        )
        report.check(tool.title and tool.description, f"{tool.name} has a title and a description")
        hints = tool.annotations
        known = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        report.check(None not in known, f"{tool.name} sets all four hints", known)
        report.equal(hints.read_only_hint, tool.name not in COMMANDS, f"readOnlyHint of {tool.name}")
        for label, schema in (("input", tool.input_schema), ("output", tool.output_schema)):
            Draft202012Validator.check_schema(schema)
            report.equal(schema.get("type"), "object", f"the {label} schema's type of {tool.name}")
            combined = [key for key in ("anyOf", "oneOf", "allOf") if key in schema]
            report.check(not combined, f"the {label} schema of {tool.name} has no {combined} at its root")


async def first_entry(session: Session) -> str:
    result = await session.call(PREFIX + "audit_search", {"limit": 1})
    return result.structured_content["entries"][0]["id"]


async def failed_job(session: Session) -> str:
    """A job that was given up: the one of the event that is broken."""
    result = await session.call(PREFIX + "celery_failed_tasks", {"limit": 1})
    return result.structured_content["failed_tasks"][0]["task_id"]


async def call_and_check(report: Report, session: Session, tool, given: dict) -> dict | None:
    """One call that must succeed and be what its schema and its text say."""
    result = await session.call(tool.name, given)
    label = f"{tool.name}({json.dumps(given)})"
    texts = [block.text for block in result.content if block.type == "text"]
    if not report.check(not result.is_error, f"{label} succeeds", texts):
        return None
    report.equal(len(texts), 1, f"the number of text blocks of {label}")
    report.equal(json.loads(texts[0]), result.structured_content, f"the text of {label}")
    report.valid(result.structured_content, tool.output_schema, label)
    return result.structured_content


async def walk(report: Report, session: Session, tool: str, rows: str, given: dict) -> None:
    """Follows next_cursor to the end: no row twice, none missing, and the total is their number."""
    first = (await session.call(PREFIX + tool, given)).structured_content
    total, seen, page = first["meta"]["total_count"], [], first
    for _ in range(200):
        seen += [row["id"] for row in page[rows]]
        cursor = page["meta"].get("next_cursor")
        if not cursor:
            break
        result = await session.call(PREFIX + tool, {**given, "cursor": cursor})
        if not report.check(not result.is_error, f"the next page of {tool} is answered", result.content):
            return
        page = result.structured_content
    report.equal(len(set(seen)), len(seen), f"the number of different rows of {tool}")
    report.equal(seen, sorted(seen, reverse=True), f"the order of {tool}")
    report.equal(len(seen), total, f"the number of rows over all pages of {tool}")


async def replay_with_person(report: Report, open_session, seed: Seed, event: str) -> None:
    """A client that can ask: yes replays, no and a dismissed form do not."""
    ledger = seed.ledger_id(event)
    given = {"event_id": ledger, "dry_run": False, "force": True, "reason": "asked for by the suite"}
    for declines_by in ("decline", "cancel", "unticked"):
        person, before = Person(agrees=False, declines_by=declines_by), seed.replays(ledger)
        async with open_session(person) as session:
            result = await session.call(REPLAY, given)
        report.check(result.is_error, f"a person's {declines_by} is an error result", result.content)
        report.equal(len(person.questions), 1, f"the number of questions before a {declines_by}")
        report.equal(seed.replays(ledger), before, f"the number of replays after a {declines_by}")
    person = Person(agrees=True)
    async with open_session(person) as session:
        result = await session.call(REPLAY, given)
    if report.check(not result.is_error, "a replay that was agreed to succeeds", result.content):
        report.equal(result.structured_content["result"]["status"], "replayed", "the result of the replay")
        report.equal(seed.replays(ledger), before + 1, "the number of replays after a yes")
    report.check(
        person.questions and ledger in person.questions[0], "the question names the event", person.questions
    )


async def replay_with_token(report: Report, session: Session, seed: Seed, event: str) -> None:
    """A client that cannot ask: a preview with a token, good once, for this call alone."""
    ledger = seed.ledger_id(event)
    before = seed.replays(ledger)
    given = {"event_id": ledger, "dry_run": False, "force": True, "reason": "asked for by the suite"}
    preview = await session.call(REPLAY, given)
    if not report.check(not preview.is_error, "the preview succeeds", preview.content):
        return
    token = preview.structured_content["confirmation"]["confirm_token"]
    report.equal(preview.structured_content["result"], None, "the result of a preview")
    report.equal(seed.replays(ledger), before, "the number of replays after a preview")
    other = await session.call(REPLAY, {**given, "reason": "something else", "confirm_token": token})
    report.check(other.is_error, "the token is refused for other arguments", other.content)
    wrong = await session.call(REPLAY, {**given, "confirm_token": token[:-3] + "xyz"})
    report.check(wrong.is_error, "a wrong token is refused", wrong.content)
    done = await session.call(REPLAY, {**given, "confirm_token": token})
    if report.check(not done.is_error, "the token confirms the call", done.content):
        report.equal(done.structured_content["result"]["status"], "replayed", "the result of the replay")
    again = await session.call(REPLAY, {**given, "confirm_token": token})
    report.check(again.is_error, "the token is good once", again.content)
    report.equal(seed.replays(ledger), before + 1, "the number of replays after one confirmed call")


async def refusals(report: Report, session: Session) -> None:
    """What a model does wrong comes back as something it can act on."""
    for given, word in (
        ({"nonsense": 1}, "nonsense"),
        ({"limit": "many"}, "limit"),
        ({"limit": 0}, "limit"),
        ({"cursor": "!"}, "cursor"),
        ({"status": "lost"}, "status"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"limit": True}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"source": ["a", "b"]}, "source"),
    ):
        result = await session.call(PREFIX + "webhooks_list", given)
        text = result.content[0].text if result.content else ""
        report.check(result.is_error and word in text, f"{given} is refused and '{word}' named", text)
    for given in ({}, {"event_id": "short"}, {"event_id": "01J00000000000000000000000"}):
        result = await session.call(PREFIX + "webhook_detail", given)
        report.check(
            result.is_error and result.content[0].text,
            f"webhook_detail({given}) is an error result",
            result.content,
        )
    try:
        result = await session.call(PREFIX + "no_such_tool", {})
        report.fail("an unknown tool is a protocol error", repr(result.content)[:300])
    except MCPError as error:
        report.equal(error.error.code, -32602, "the code for an unknown tool")


async def run(report: Report, seed: Seed, token: str, log) -> None:
    """Every client, era and transport."""
    server, number = seed.server, 0
    for make, label in ((official, "mcp"), (fast, "fastmcp")):
        for transport in ("http", "stdio"):
            for mode in (MODERN, "auto", LEGACY):
                with report.part(f"{label} {mode} {transport}"):
                    # On stdio the caller is whoever started it, or a token's owner.
                    given = token if transport == "http" or number % 2 else None
                    number += 1

                    def open_session(person=None, make=make, mode=mode, transport=transport, given=given):
                        return make(server, given, mode, transport, person, log)

                    async with open_session() as session:
                        await exercise(report, session, seed)
                        with report.part("refusals"):
                            await refusals(report, session)
                        with report.part("replay with a token"):
                            await replay_with_token(report, session, seed, f"evt_seed_{number % 8}")
                    with report.part("replay with a person"):
                        await replay_with_person(report, open_session, seed, f"evt_seed_{(number + 3) % 8}")
