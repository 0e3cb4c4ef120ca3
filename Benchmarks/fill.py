"""Fills a migrated database with as much history as asked for, as the server itself would have left it.

Events are processed and have their attempts and their counts; audit entries
wait in `audit_pending`, and the server seals and counts them when it starts.
"""

from __future__ import annotations

import collections
import itertools
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Iterator

MINUTE = 60_000_000
DAYS = 30
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS = [a + b for a in DIGITS for b in DIGITS]

EVENT_COLUMNS = (
    "id,source,event_type,event_id,payload,headers,status,processing_error,processing_duration_ms,idempotency_key,"
    "related_entity_type,related_entity_id,received_at,processed_at,replay_count,attempt_count,delivery_count,"
    "request_id,ip"
)
ATTEMPT_COLUMNS = "webhook_id,attempt,started_at,duration_ms,outcome,error,worker,deploy_sha"
AUDIT_COLUMNS = (
    "id,timestamp,category,actor_type,actor_id,actor_email,actor_ip,actor_user_agent,action,resource_type,"
    "resource_id,description,changes,metadata,status,error_message,request_id"
)
TALLY_COLUMNS = "metric,grain,bucket,d1,d2,d3,d4,count"

STRIPE_TYPES = (
    "payment_intent.succeeded",
    "payment_intent.created",
    "payment_intent.amount_capturable_updated",
    "charge.succeeded",
    "charge.refunded",
    "transfer.created",
    "payout.paid",
    "account.updated",
)
CHECKR_TYPES = ("report.created", "report.updated", "report.completed")


def ulid(microseconds: int, number: int) -> str:
    """A ULID of that time; different for different numbers, and in their order."""
    value = microseconds // 1000
    head = "".join(PAIRS[value >> shift & 1023] for shift in (40, 30, 20, 10, 0))
    tail = "".join(PAIRS[number >> shift & 1023] for shift in (30, 20, 10, 0))
    return head + tail + "BENCHMRK"


def times(count: int, until: int) -> Iterator[tuple[int, int]]:
    """`count` moments of the last thirty days, oldest first, each with its number."""
    start, span = until - DAYS * 86_400_000_000, DAYS * 86_400_000_000
    return ((number, start + span * number // count) for number in range(count))


class Events:
    """Webhook events and what hangs on them; counts while it makes them."""

    def __init__(self, count: int, until: int):
        self.count, self.until = count, until
        self.tally: collections.Counter = collections.Counter()
        self.sample: list[str] = []
        self.replayable: list[str] = []
        filler = {
            "object": "payment_intent",
            "currency": "usd",
            "livemode": False,
            "payment_method_types": ["card"],
        }
        self.body = json.dumps({"filler": "x" * 300, **filler}, separators=(",", ":"))[1:-1]
        self.headers = (
            '{"content-type":"application/json","stripe-signature":"***","user-agent":"Stripe/1.0"}'
        )

    def rows(self) -> Iterator[tuple]:
        for number, at in times(self.count, self.until):
            id = ulid(at, number)
            stripe = number % 10 != 0
            source = "stripe" if stripe else "checkr"
            kind = STRIPE_TYPES[number % 8] if stripe else CHECKR_TYPES[number % 3]
            status = "dead_letter" if number % 97 == 0 else "unmatched" if number % 41 == 0 else "processed"
            error = None if status == "processed" else f"no payment intent pi_{number} is known here"
            event = f"evt_bench_{number}"
            related = ("payment", id) if status == "processed" and number % 3 == 0 else (None, None)
            payload = (
                f'{{"id":"{event}","type":"{kind}","data":{{"object":{{"id":"obj_{number}",{self.body}}}}}}}'
            )
            self.tally[source, kind, status, at - at % MINUTE] += 1
            if number % max(1, self.count // 1_000) == 0:
                self.sample.append(id)
            # What has no effect can be replayed for ever.
            if kind == "transfer.created" and status == "processed" and len(self.replayable) < 200_000:
                self.replayable.append(id)
            yield (
                id,
                source,
                kind,
                event,
                payload,
                self.headers,
                status,
                error,
                3,
                None,
                *related,
                at,
                at + 9_000,
                0,
                1,
                1,
                f"req-{number}",
                "127.0.0.1",
            )

    def attempts(self) -> Iterator[tuple]:
        for number, at in times(self.count, self.until):
            status = "dead_letter" if number % 97 == 0 else "unmatched" if number % 41 == 0 else "processed"
            error = None if status == "processed" else f"no payment intent pi_{number} is known here"
            yield ulid(at, number), 1, at + 6_000, 3, status, error, "worker-1", "0123abc"

    def tallies(self) -> Iterator[tuple]:
        sums: collections.Counter = collections.Counter()
        for (source, kind, status, bucket), count in self.tally.items():
            for grain, length in (("m", MINUTE), ("h", 60 * MINUTE), ("d", 1440 * MINUTE)):
                sums[grain, bucket - bucket % length, source, kind, status] += count
        for (grain, bucket, source, kind, status), count in sums.items():
            yield "webhooks", grain, bucket, source, kind, status, "", count


def audit_rows(count: int, until: int) -> Iterator[tuple]:
    """Six reads, three automated changes and one administrator's action in ten."""
    for number, at in times(count, until):
        id, kind = ulid(at, number), number % 10
        if kind < 6:
            row = (
                "read",
                "mcp",
                "tok_1",
                "ada@example.com",
                "mcp.webhooks.list",
                "mcp",
                None,
                "List webhooks",
                None,
            )
        elif kind < 9:
            changes = '{"status":{"new":"succeeded","old":"requires_capture"}}'
            row = ("automated", "webhook", "stripe", None, "payment.capture", "payment", id, None, changes)
        else:
            row = (
                "admin",
                "mcp",
                "tok_2",
                f"admin{number % 50}@example.com",
                "mcp.webhooks.replay",
                "webhook",
                id,
                "Replay webhook",
                None,
            )
        category, actor_type, actor, email, action, resource, resource_id, description, changes = row
        metadata = (
            '{"actor":"bench","arguments":{"limit":50},"client":{"name":"bench","version":"1.0"},'
            f'"number":{number},"surface":"mcp"}}'
        )
        status = "denied" if number % 211 == 0 else "failed" if number % 101 == 0 else "success"
        yield (
            id,
            at,
            category,
            actor_type,
            actor,
            email,
            "127.0.0.1",
            "bench/1.0",
            action,
            resource,
            resource_id,
            description,
            changes,
            metadata,
            status,
            None,
            f"req-{number}",
        )


def payment_rows(count: int, now: int) -> tuple[Iterable[tuple], Iterable[tuple]]:
    """Bookings with payments that wait to be captured, for live webhooks to be about."""
    bookings = (
        (ulid(now, number), ulid(now, number), ulid(now, number), "PENDING", "authorized", now, now)
        for number in range(count)
    )
    payments = (
        (
            ulid(now, number),
            ulid(now, number),
            f"pi_bench_{number}",
            8_000,
            "requires_capture",
            now - 1,
            now,
            now,
        )
        for number in range(count)
    )
    return bookings, payments


class SQLiteSink:
    """Bulk loading of a SQLite file that nobody else has open."""

    def __init__(self, path: str):
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            self.connection.execute(f"PRAGMA {pragma}").fetchall()

    def without_indexes(self, tables: tuple[str, ...]) -> list[str]:
        marks = ",".join("?" * len(tables))
        found = self.connection.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
            tables,
        ).fetchall()
        for name, _ in found:
            self.connection.execute(f"DROP INDEX {name}")
        return [sql for _, sql in found]

    def insert(self, table: str, columns: str, rows: Iterable[tuple]) -> None:
        marks = ",".join("?" * len(columns.split(",")))
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        self.connection.execute("COMMIT")

    def run(self, statements: list[str]) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def close(self) -> None:
        self.connection.execute("PRAGMA journal_mode=WAL").fetchall()
        self.connection.close()


class PostgresSink:
    """Bulk loading of a PostgreSQL database by COPY."""

    def __init__(self, url: str):
        self.url = url

    def _psql(self, *arguments: str, **options) -> list[str]:
        return ["psql", self.url, "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments]

    def without_indexes(self, tables: tuple[str, ...]) -> list[str]:
        names = ",".join(f"'{table}'" for table in tables)
        # Indexes that are not a constraint's.
        sql = f"""SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public'
                  AND i.tablename IN ({names})
                  AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"""
        text = subprocess.run(
            self._psql("-A", "-t", "-F", "\t", "-c", sql), check=True, capture_output=True, text=True
        ).stdout
        found = [line.split("\t", 1) for line in text.splitlines() if line]
        self.run([f"DROP INDEX {name}" for name, _ in found])
        return [definition for _, definition in found]

    def insert(self, table: str, columns: str, rows: Iterable[tuple]) -> None:
        psql = subprocess.Popen(self._psql(), stdin=subprocess.PIPE, text=True)
        psql.stdin.write(f"COPY {table} ({columns}) FROM STDIN;\n")
        for chunk in _chunks(rows, 5_000):
            psql.stdin.write(
                "".join(
                    "\t".join("\\N" if cell is None else str(cell).replace("\\", "\\\\") for cell in row)
                    + "\n"
                    for row in chunk
                )
            )
        psql.stdin.write("\\.\n")
        psql.stdin.close()
        if psql.wait() != 0:
            raise RuntimeError(f"COPY into {table} failed")

    def run(self, statements: list[str]) -> None:
        if statements:
            subprocess.run(self._psql(), input=";\n".join(statements) + ";\n", text=True, check=True)

    def close(self) -> None:
        self.run(["VACUUM ANALYZE"])


def _chunks(rows: Iterable[tuple], size: int) -> Iterator[list[tuple]]:
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, size)):
        yield chunk


def fill(sink, webhooks: int, audit: int, payments: int) -> Events:
    """Loads everything, and says which ids there are."""
    now = int(time.time() * 1_000_000)
    events = Events(webhooks, now - 60_000_000)
    indexes = sink.without_indexes(("webhook_events", "audit_logs", "webhook_attempts"))
    sink.insert("webhook_events", EVENT_COLUMNS, events.rows())
    sink.insert("webhook_attempts", ATTEMPT_COLUMNS, events.attempts())
    sink.insert("tallies", TALLY_COLUMNS, events.tallies())
    sink.insert("audit_logs", AUDIT_COLUMNS, audit_rows(audit, now - 60_000_000))
    sink.insert("audit_pending", "entry_id", ((ulid(at, n),) for n, at in times(audit, now - 60_000_000)))
    bookings, intents = payment_rows(payments, now)
    sink.insert(
        "bookings", "id,student_id,instructor_id,status,payment_status,created_at,updated_at", bookings
    )
    sink.insert(
        "payment_intents",
        "id,booking_id,stripe_payment_intent_id,amount,status,status_at,created_at,updated_at",
        intents,
    )
    sink.run(indexes)
    sink.close()
    return events
