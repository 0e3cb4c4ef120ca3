"""The measurements; each gives numbers and judges nothing."""

from __future__ import annotations

import concurrent.futures
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Tests" / "EndToEnd"))

from harness import (  # noqa: E402
    REST,
    STRIPE_PATH,
    Client,
    Failed,
    Server,
    stripe_event,
    stripe_headers,
    wait_until,
)

CALLS = ("server/discover", "ping", "tools/list", "webhook_detail")
LISTS = ("webhooks_list", "audit_search")


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def wrk(url: str, call: str, token: str, ids: Path, connections: int, seconds: float) -> dict:
    """One run of wrk; fails when any answer was not a success."""
    threads = min(2, connections)
    command = [
        "wrk",
        f"-t{threads}",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "--timeout",
        "10s",
        "-s",
        str(HERE / "mcp.lua"),
        url,
        "--",
        call,
        token,
        str(ids),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        raise Failed(f"wrk {call}: {done.stdout}{done.stderr}")
    found = json.loads(lines[-1])
    if found["failed"] or not found["requests"]:
        raise Failed(f"wrk {call}: {found['failed']} of {found['requests']} requests failed")
    return found


def calls(
    server: Server,
    echo: str,
    token: str,
    ids: Path,
    rounds: int,
    seconds: float,
    names: tuple[str, ...] = CALLS,
) -> dict:
    """Closed loop at 32 connections, every call and the echo in turn, round after round."""
    found: dict[str, list[dict]] = {name: [] for name in ("echo", *names)}
    for _ in range(rounds):
        for name in found:
            url = echo if name == "echo" else server.url
            found[name].append(wrk(url, name, token, ids, 32, seconds))
    result = {}
    for name, runs in found.items():
        ratios = [run["per_second"] / base["per_second"] for run, base in zip(runs, found["echo"])]
        result[name] = {
            "per_second": median([run["per_second"] for run in runs]),
            "of_echo": median(ratios),
            "p50_ms": median([run["p50_ms"] for run in runs]),
            "p99_ms": median([run["p99_ms"] for run in runs]),
        }
    return result


def lists(server: Server, token: str, ids: Path, rounds: int, seconds: float) -> dict:
    """One connection: what a single caller waits for."""
    runs: dict[str, list[dict]] = {name: [] for name in (*LISTS, "webhook_detail")}
    for _ in range(rounds):
        for name in runs:
            runs[name].append(wrk(server.url, name, token, ids, 1, seconds))
    return {
        name: {key: median([run[key] for run in of]) for key in ("per_second", "p50_ms", "p99_ms")}
        for name, of in runs.items()
    }


class Payments:
    """Numbers of payments that have not been captured yet."""

    def __init__(self, count: int):
        self.count, self.next = count, 0

    def take(self) -> int:
        self.next += 1
        if self.next > self.count:
            raise Failed("there are no payments left to capture; fill in more")
        return self.next - 1


def signed_file(path: Path, name: str, count: int, payments: Payments, known: float) -> None:
    """Signed deliveries, `known` of them about a payment that they capture."""
    with path.open("wb") as file:
        for n in range(count):
            if (n * 7919 % 1000) / 1000 < known:
                item = {
                    "id": f"pi_bench_{payments.take()}",
                    "object": "payment_intent",
                    "amount": 8_000,
                    "currency": "usd",
                    "status": "succeeded",
                    "metadata": {"note": "x" * 200},
                }
                body = stripe_event(f"evt_{name}_{n}", "payment_intent.succeeded", item)
            else:
                item = {
                    "id": f"tr_{n}",
                    "object": "transfer",
                    "amount": 8_000,
                    "metadata": {"note": "x" * 200},
                }
                body = stripe_event(f"evt_{name}_{n}", "transfer.created", item)
            file.write(framed("POST", STRIPE_PATH, body, stripe_headers(body)))


def framed(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One request as `load` reads it."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    request = head.encode() + body
    return struct.pack("<I", len(request)) + request


def load(tool: Path, server: Server, file: Path, connections: int, rate: float, seconds: float) -> dict:
    """One run of `load`; fails when any request was not accepted."""
    port = server.url.rsplit(":", 1)[1]
    done = subprocess.run(
        [str(tool), "127.0.0.1", port, str(file), str(connections), str(rate), str(seconds)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Failed(f"load: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)
    if found["failed"]:
        raise Failed(f"load: {found['failed']} of {found['sent']} requests were not accepted")
    return found


def webhooks(
    tool: Path, server: Server, database, folder: Path, payments: Payments, rounds: int, seconds: float
) -> dict:
    """A steady 1,000 a second for the latency, then as many as are taken."""
    file, steady, most, delays = folder / "requests", [], [], []
    for number in range(rounds):
        run = f"{database.name}{time.time_ns()}"
        signed_file(file, run, int(1_000 * seconds), payments, known=0.5)
        since = int(time.time() * 1_000_000)
        steady.append(load(tool, server, file, 64, 1_000, seconds))
        settle(database)
        delays.append(delay(database, since))
        run = f"{database.name}{time.time_ns()}"
        signed_file(file, run, int(8_000 * seconds), payments, known=0.1)
        since = time.monotonic()
        most.append(load(tool, server, file, 64, 0, seconds))
        settle(database)
        most[-1]["settled_seconds"] = time.monotonic() - since
    file.unlink()
    return {
        "steady": {
            key: median([run[key] for run in steady]) for key in ("per_second", "p50_ms", "p99_ms", "p999_ms")
        },
        "processed": {key: median([run[key] for run in delays]) for key in ("p50_ms", "p99_ms")},
        "most": {
            **{key: median([run[key] for run in most]) for key in ("per_second", "p50_ms", "p99_ms")},
            "settled_per_second": median([run["accepted"] / run["settled_seconds"] for run in most]),
        },
    }


def settle(database) -> None:
    """Waits until nothing is left to process."""
    sql = "SELECT COUNT(*) FROM jobs WHERE state <> 'discarded' AND attempt <= 1"
    wait_until("all events to be processed", lambda: database.rows(sql)[0][0] == 0, timeout=600, every=0.2)


def delay(database, since: int) -> dict:
    """From received to processed, of the events since a moment."""
    rows = database.rows(
        f"SELECT processed_at - received_at FROM webhook_events WHERE received_at >= {since}"
    )
    ordered = sorted(row[0] for row in rows)
    return {"p50_ms": ordered[len(ordered) // 2] / 1_000, "p99_ms": ordered[int(len(ordered) * 0.99)] / 1_000}


# The audit log's share of a command


NO_AUDIT = {
    "sqlite": """
        ALTER TABLE audit_logs RENAME TO audit_logs_kept;
        ALTER TABLE audit_pending RENAME TO audit_pending_kept;
        CREATE VIEW audit_logs AS SELECT * FROM audit_logs_kept WHERE 0;
        CREATE VIEW audit_pending AS SELECT * FROM audit_pending_kept WHERE 0;
        CREATE TRIGGER drop_logs INSTEAD OF INSERT ON audit_logs BEGIN SELECT 1; END;
        CREATE TRIGGER drop_pending INSTEAD OF INSERT ON audit_pending BEGIN SELECT 1; END;""",
    "postgres": """
        ALTER TABLE audit_logs RENAME TO audit_logs_kept;
        ALTER TABLE audit_pending RENAME TO audit_pending_kept;
        CREATE VIEW audit_logs AS SELECT * FROM audit_logs_kept WHERE false;
        CREATE VIEW audit_pending AS SELECT * FROM audit_pending_kept WHERE false;
        CREATE RULE drop_logs AS ON INSERT TO audit_logs DO INSTEAD NOTHING;
        CREATE RULE drop_pending AS ON INSERT TO audit_pending DO INSTEAD NOTHING;""",
}
WITH_AUDIT = """
    DROP VIEW audit_logs;
    DROP VIEW audit_pending;
    ALTER TABLE audit_logs_kept RENAME TO audit_logs;
    ALTER TABLE audit_pending_kept RENAME TO audit_pending;"""


def audit_share(
    tool: Path, server: Server, database, folder: Path, token: str, events: list[str], rounds: int, count: int
) -> dict:
    """Confirmed replays a second, with the audit log and with its tables swapped for ones that keep nothing."""
    runs: dict[str, list[float]] = {"with": [], "without": []}
    # An event can be replayed for ever, but a promise to replay it holds until the next
    # replay: within a batch each is taken once.
    batches = -(-count // len(events))
    size = -(-count // batches)
    for _ in range(rounds):
        for kind in runs:
            server.stop()
            if kind == "without":
                database.run(NO_AUDIT[database.name])
            try:
                server.start()
                file, seconds = folder / "commits", 0.0
                for _ in range(batches):
                    confirmed_replays(server, token, events[:size], file)
                    time.sleep(1)
                    seconds += load(tool, server, file, 16, 0, 120)["seconds"]
                    file.unlink()
                runs[kind].append(batches * size / seconds)
            finally:
                server.stop()
                if kind == "without":
                    database.run(WITH_AUDIT)
    server.start()
    ratios = [with_ / without for with_, without in zip(runs["with"], runs["without"])]
    return {
        "with_per_second": median(runs["with"]),
        "without_per_second": median(runs["without"]),
        "cost": 1 - median(ratios),
    }


def confirmed_replays(server: Server, token: str, events: list[str], file: Path) -> None:
    """Asks for previews, and writes the calls that confirm them."""
    given = {"dry_run": False, "force": True, "reason": "measured by the benchmark"}

    def preview(part: list[str]) -> list[bytes]:
        client, requests = Client(server.url, token), []
        for event in part:
            path = REST + f"webhooks/{event}/replay"
            answer = client.post_json(path, given)
            if answer.status != 200:
                raise Failed(f"a preview was answered {answer}")
            body = json.dumps(
                {**given, "confirm_token": answer.json["confirmation"]["confirm_token"]}
            ).encode()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            requests.append(framed("POST", path, body, headers))
        return requests

    with concurrent.futures.ThreadPoolExecutor(8) as pool, file.open("wb") as out:
        for requests in pool.map(preview, [events[n::8] for n in range(8)]):
            out.write(b"".join(requests))


def verify(server: Server, rounds: int) -> dict:
    """How fast the whole log is recomputed, on the running system."""
    rates, entries = [], 0
    for _ in range(rounds):
        start = time.monotonic()
        done = server.command("audit", "verify", "--json", timeout=3_600)
        took = time.monotonic() - start
        if done.returncode != 0:
            raise Failed(f"audit verify: {done.stdout[-2_000:]}{done.stderr}")
        entries = json.loads(done.stdout)["entries"]
        rates.append(entries / took)
    return {"entries": entries, "per_second": median(rates), "seconds": entries / median(rates)}


def start_up(server: Server, rounds: int) -> dict:
    """From exec to the first healthy answer on an existing database; then memory at rest."""
    times = []
    for _ in range(rounds):
        server.stop()
        start = time.monotonic()
        server.start()
        times.append((time.monotonic() - start) * 1e3)
    time.sleep(10)
    return {"healthy_ms": median(times), **memory(server.process.pid)}


def memory(pid: int) -> dict:
    """Resident and proportional memory in MB."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            found[f"{name.lower()}_mb"] = int(rest.split()[0]) / 1024
    return found


def soak(
    tool: Path,
    server: Server,
    database,
    folder: Path,
    token: str,
    ids: Path,
    payments: Payments,
    minutes: int,
) -> dict:
    """Memory, minute by minute, under lists, details and 200 webhooks a second."""
    file, samples = folder / "soak", [memory(server.process.pid)["rss_mb"]]
    for minute in range(minutes):
        signed_file(file, f"soak{time.time_ns()}", 200 * 50, payments, known=0.1)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            jobs = [
                pool.submit(load, tool, server, file, 8, 200, 50),
                pool.submit(wrk, server.url, "webhook_detail", token, ids, 4, 50),
                pool.submit(wrk, server.url, "webhooks_list", token, ids, 2, 50),
            ]
            for job in jobs:
                job.result()
        samples.append(memory(server.process.pid)["rss_mb"])
        print(f"    minute {minute + 1}: {samples[-1]:.0f} MB", flush=True)
    file.unlink()
    settle(database)
    time.sleep(10)
    half = samples[len(samples) // 2 :]
    return {
        "samples_mb": [round(sample, 1) for sample in samples],
        "afterwards_mb": memory(server.process.pid)["rss_mb"],
        "second_half_growth_mb": half[-1] - half[0],
    }


def machine() -> dict:
    """What this was measured on."""

    def text(*command: str) -> str:
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except OSError:
            return ""

    info = Path("/proc/cpuinfo").read_text()
    model = next(
        (line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "?"
    )
    total = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(total, 1),
        "kernel": text("uname", "-r"),
        "swift": text("swift", "--version").splitlines()[0] if text("swift", "--version") else "?",
        "postgres": text("psql", "--version"),
        "sqlite": __import__("sqlite3").sqlite_version,
        "load_before": os.getloadavg()[0],
    }
