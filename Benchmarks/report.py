"""Turns results.json into README.md."""

from __future__ import annotations

COLUMNS = ("sqlite demo", "postgres demo", "sqlite large", "postgres large")

HEAD = """# What it costs

Written by `make bench`; [results.json](results.json) has every number. Each figure is the median of {rounds}
interleaved runs of the release build, load generator and database on the same two cores, `bench-echo` (Hummingbird
decoding and encoding a small JSON body, nothing else) measured in turn with the calls that are compared with it.
PostgreSQL runs with its default durability, SQLite with `synchronous = FULL`: an acknowledged webhook is on disk.

Machine: {cpu}, {cores} cores, {memory_gb} GB, Linux {kernel}; {swift}; SQLite {sqlite}; {postgres}; {date}.
The machine is shared: read ratios rather than absolute numbers.

"""

TAIL = """
How each is measured:

- **Calls**: wrk with [mcp.lua](mcp.lua), 32 connections, closed loop, MCP 2026-07-28 requests with a bearer token. Lists:
  one connection, so the latency is what a single caller waits for.
- **Webhooks**: [load.c](load.c) sends signed deliveries made beforehand. At the fixed rate the loop is open: latency counts
  from the moment a delivery was due. Half of the deliveries of the steady run capture a payment, a tenth of the others.
  "Received to processed" is read from the ledger.
- **Audit**: confirmed replays a second with 16 connections, against the same with `audit_logs` and `audit_pending` swapped
  for views that keep nothing, so that both the entries and their sealing are what is taken away.
- **Jobs**: `bench-jobs`, the engine with nothing around it, one process ([engine.py](engine.py)). "Started" counts from the call
  that enqueues, its commit included. Jobs that do nothing wait for the disk twice, with their claim and with their end, unless
  they are database only. The bare loops run over the same table in the same process and keep no history.
- **People**: pages are read as calls are, one instructor after the other of 200 ([marketplace.py](marketplace.py)); a search is
  one of a list of services, names and beginnings of them, and is written down before it is answered.
- **Volumes**: the demo's is {demo}; the large one {large}. [fill.py](fill.py) loads them; the server itself seals and
  counts the audit entries.
"""


def page(results: dict) -> str:
    runs, machine = results["runs"], results["machine"]
    shown = [name for name in COLUMNS if name in runs]
    lines = ["| what | reach | " + " | ".join(shown) + " |", "|---|---|" + "--:|" * len(shown)]
    for what, reach, value in ROWS:
        cells = []
        for name in shown:
            try:
                cells.append(value(runs, name))
            except (KeyError, ZeroDivisionError):
                cells.append("")
        if any(cells):
            lines.append(f"| {what} | {reach} | " + " | ".join(cells) + " |")
    sizes = {
        volume: next((_size(runs[n]) for n in shown if n.endswith(volume) and "rows" in runs[n]), "not measured")
        for volume in ("demo", "large")
    }
    return HEAD.format(rounds=3, **machine) + "\n".join(lines) + "\n" + TAIL.format(**sizes)


def _size(run: dict) -> str:
    return f"{run['rows']['webhooks']:,} webhook events and {run['rows']['audit']:,} audit entries"


def _rate(part: str, call: str):
    return lambda runs, name: f"{runs[name][part][call]['per_second']:,.0f}/s"


def _ratio(call: str):
    def value(runs: dict, name: str) -> str:
        found = runs[name]["calls"][call]
        return f"{found['of_echo']:.0%} ({found['per_second']:,.0f}/s)"

    return value


def _p50(call: str):
    def value(runs: dict, name: str) -> str:
        found = runs[name]["lists"][call]
        return f"{found['p50_ms']:.2f} ms (p99 {found['p99_ms']:.1f})"

    return value


def _page(page: str):
    def value(runs: dict, name: str) -> str:
        found = runs[name]["people"]["reads"][page]
        return f"p99 {found['p99_ms']:.1f} ms (p50 {found['p50_ms']:.1f}, {found['per_second']:,.0f}/s)"

    return value


def _search(instructors: str):
    def value(runs: dict, name: str) -> str:
        found = runs[name]["people"]["search"][instructors]
        return f"p95 {found['p95_ms']:.1f} ms (p50 {found['p50_ms']:.1f})"

    return value


def _growth(call: str):
    def value(runs: dict, name: str) -> str:
        kind, volume = name.split()
        if volume == "demo":
            return "1"
        return f"{runs[name]['lists'][call]['p50_ms'] / runs[kind + ' demo']['lists'][call]['p50_ms']:.2f}×"

    return value


def _of(part: str, *path: str, form: str):
    def value(runs: dict, name: str) -> str:
        found = runs[name][part]
        for key in path:
            found = found[key]
        return form.format(found)

    return value


def _slowest(history: dict) -> str:
    answers = {what: answer for what, answer in history.items() if what != "rows"}
    what = max(answers, key=lambda what: answers[what]["p99_ms"])
    return f"{answers[what]['p99_ms']:.1f} ms ({what})"


ROWS = (
    ("bare echo, 32 connections", "the ceiling", _rate("calls", "echo")),
    ("`webhook_detail`, 32 connections", "≥ 50 % of the echo", _ratio("webhook_detail")),
    ("`server/discover`", "≥ 60 % of the echo", _ratio("server/discover")),
    ("`ping`", "≥ 60 % of the echo", _ratio("ping")),
    ("`tools/list`", "≥ 5,000/s", _rate("calls", "tools/list")),
    ("`webhooks_list`, 50 rows, one connection", "p50 ≤ 4 ms", _p50("webhooks_list")),
    ("`audit_search`, 100 rows, one connection", "p50 ≤ 4 ms", _p50("audit_search")),
    ("`webhook_detail`, one connection", "", _p50("webhook_detail")),
    ("`webhooks_list` against the demo's volume", "≤ 1.5×", _growth("webhooks_list")),
    ("`audit_search` against the demo's volume", "≤ 1.5×", _growth("audit_search")),
    (
        "webhook acknowledged at 1,000/s, p99",
        "≤ 10 ms",
        _of("webhooks", "steady", "p99_ms", form="{:.1f} ms"),
    ),
    ("the same, p50", "", _of("webhooks", "steady", "p50_ms", form="{:.2f} ms")),
    (
        "received to processed at 1,000/s, p99",
        "≤ 100 ms",
        _of("webhooks", "processed", "p99_ms", form="{:.1f} ms"),
    ),
    (
        "most webhooks acknowledged",
        "≥ 3,000/s SQLite, ≥ 2,000/s PostgreSQL",
        _of("webhooks", "most", "per_second", form="{:,.0f}/s"),
    ),
    (
        "the same, acknowledged and processed",
        "",
        _of("webhooks", "most", "settled_per_second", form="{:,.0f}/s"),
    ),
    ("confirmed replays", "", _of("audit", "with_per_second", form="{:,.0f}/s")),
    ("audit log's share of them", "≤ 15 %", _of("audit", "cost", form="{:.0%}")),
    ("`audit verify`", "≥ 200,000 entries/s", _of("verify", "per_second", form="{:,.0f}/s")),
    ("start to first healthy answer", "≤ 150 ms", _of("startup", "healthy_ms", form="{:.0f} ms")),
    (
        "memory at rest, resident (proportional)",
        "≤ 60 MB",
        lambda runs, name: f"{runs[name]['startup']['rss_mb']:.0f} MB ({runs[name]['startup']['pss_mb']:.0f})",
    ),
    ("memory after the load", "flat", _of("soak", "afterwards_mb", form="{:.0f} MB")),
    ("growth in the second half of it", "0", _of("soak", "second_half_growth_mb", form="{:+.1f} MB")),
    ("`GET auth/me`, 32 connections", "p99 < 10 ms", _page("auth/me")),
    ("`GET instructors/{id}`", "p99 < 10 ms", _page("instructor")),
    ("`GET services/catalog`", "p99 < 10 ms", _page("catalog")),
    ("`GET public/instructors/{id}/availability`", "p99 < 10 ms", _page("availability")),
    ("`GET search`, 200 instructors, one connection", "p95 < 20 ms", _search("200")),
    ("the same among 20,000", "p95 < 60 ms", _search("20000")),
    ("start of the demo, a month of webhooks included", "", _of("people", "demo_seconds", form="{:.0f} s")),
    ("job enqueued to started, idle, p99", "≤ 50 ms", _of("jobs", "start", "p99_ms", form="{:.1f} ms")),
    ("the same, p50", "", _of("jobs", "start", "p50_ms", form="{:.1f} ms")),
    (
        "jobs that do nothing, 64 at a time",
        "≥ 3,000/s SQLite, ≥ 5,000/s PostgreSQL",
        _of("jobs", "noop", "per_second", form="{:,.0f}/s"),
    ),
    ("the same, 8 at a time", "", _of("jobs", "noop_standard", "per_second", form="{:,.0f}/s")),
    (
        "the same, 64 at a time, database only",
        "",
        _of("jobs", "noop_database_only", "per_second", form="{:,.0f}/s"),
    ),
    (
        "bare `UPDATE … SKIP LOCKED` and `DELETE`, 8 loops, 64 at a time",
        "the ceiling",
        _of("jobs", "bare_group", "per_second", form="{:,.0f}/s"),
    ),
    ("the same, one at a time", "", _of("jobs", "bare_one", "per_second", form="{:,.0f}/s")),
    ("claim with 1,000 jobs waiting, p50", "", _of("jobs", "claim", "1000", "p50_ms", form="{:.2f} ms")),
    ("claim with 1,000,000 against that", "≤ 1.5×", _of("jobs", "claim", "growth", form="{:.2f}×")),
    (
        "slowest question to the history of jobs, p99",
        "≤ 10 ms",
        lambda runs, name: _slowest(runs[name]["jobs"]["history"]),
    ),
)
