#!/usr/bin/env python3
"""Kills the server under load again and again, and shows that nothing is lost.

    crash.py --binary .build/debug/instainstru [--postgres] [--rounds 50] [--seed N]

Eight senders post signed webhooks, some of them more than once, while the
server is ended by kill -9 at random moments and started again. With
`--postgres` the database of TEST_POSTGRES_URL is restarted under the load
too, politely and as in a crash. Afterwards:

- every acknowledged event is in the ledger once, under the id acknowledged;
- every event ends processed, unmatched or dead_letter;
- what an event changed, it changed once, and what failed changed nothing;
- the counts that lists show are the counts of the rows;
- `audit verify` is clean, on the running system and on the stopped one.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import threading
import time

from harness import (
    Client,
    Counter,
    Failed,
    PostgresDatabase,
    PostgresServer,
    Scratch,
    Server,
    SQLiteFile,
    checkr_event,
    stripe_event,
    ulid,
    wait_until,
)

SENDERS = 8
# Known payments and instructors that are ready for events yet to be made.
AHEAD = 6_000
FINAL = {"processed", "unmatched", "dead_letter"}


class World:
    """The events, what each is about, and what each must do."""

    KINDS = [
        "captured",
        "captured",
        "captured",
        "disputed",
        "refunded",
        "paid out",
        "checked",
        "unknown",
        "broken",
        "captured",
    ]

    def __init__(self, seed: random.Random):
        self.seed, self.ready = seed, 0
        self.ids: dict[int, dict[str, str]] = {}

    def kind(self, n: int) -> str:
        return self.KINDS[n % len(self.KINDS)]

    def prepare(self, database, until: int) -> None:
        """Inserts the rows that the events up to number `until` are about."""
        if until <= self.ready:
            return
        numbers = range(self.ready, until)
        now = int(time.time() * 1_000_000)
        for n in numbers:
            self.ids[n] = {name: ulid(self.seed) for name in ("booking", "payment", "instructor", "account")}
        paid = [n for n in numbers if self.kind(n) in ("captured", "disputed", "refunded", "broken")]
        people = [n for n in numbers if self.kind(n) in ("paid out", "checked")]
        database.insert(
            "bookings",
            "id,student_id,instructor_id,status,payment_status,created_at,updated_at",
            [
                (self.ids[n]["booking"], ulid(self.seed), ulid(self.seed), "PENDING", "authorized", now, now)
                for n in paid
            ],
        )
        database.insert(
            "payment_intents",
            "id,booking_id,stripe_payment_intent_id,amount,status,status_at,created_at,updated_at",
            [
                (
                    self.ids[n]["payment"],
                    self.ids[n]["booking"],
                    f"pi_known_{n}",
                    8_000,
                    "requires_capture",
                    now - 1,
                    now,
                    now,
                )
                for n in paid
            ],
        )
        database.insert(
            "instructor_profiles",
            "id,user_id,is_live,checkr_candidate_id,created_at,updated_at",
            [(self.ids[n]["instructor"], ulid(self.seed), False, f"candidate_{n}", now, now) for n in people],
        )
        database.insert(
            "stripe_connected_accounts",
            "id,instructor_profile_id,stripe_account_id,onboarding_completed,created_at,updated_at",
            [
                (self.ids[n]["account"], self.ids[n]["instructor"], f"acct_{n}", True, now, now)
                for n in people
            ],
        )
        self.ready = until

    def event_id(self, n: int) -> str:
        return f"evt_crash_{n}"

    def body(self, n: int) -> tuple[str, bytes]:
        """The source and the signed bytes of event number `n`."""
        event, kind = self.event_id(n), self.kind(n)
        if kind == "captured":
            item = {"id": f"pi_known_{n}", "object": "payment_intent", "amount": 8_000, "status": "succeeded"}
            return "stripe", stripe_event(event, "payment_intent.succeeded", item)
        if kind == "unknown":
            item = {"id": f"pi_unknown_{n}", "object": "payment_intent", "amount": 1, "status": "succeeded"}
            return "stripe", stripe_event(event, "payment_intent.succeeded", item)
        if kind == "broken":
            return "stripe", stripe_event(event, "payment_intent.succeeded", {"id": f"pi_known_{n}"})
        if kind == "disputed":
            item = {
                "id": f"dp_{n}",
                "object": "dispute",
                "amount": 8_000,
                "status": "needs_response",
                "payment_intent": f"pi_known_{n}",
            }
            return "stripe", stripe_event(event, "charge.dispute.created", item)
        if kind == "refunded":
            item = {
                "id": f"ch_{n}",
                "object": "charge",
                "amount": 8_000,
                "amount_refunded": 2_500,
                "payment_intent": f"pi_known_{n}",
            }
            return "stripe", stripe_event(event, "charge.refunded", item)
        if kind == "paid out":
            item = {"id": f"po_{n}", "object": "payout", "amount": 5_000, "status": "paid"}
            return "stripe", stripe_event(event, "payout.paid", item, account=f"acct_{n}")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        item = {
            "id": f"rep_{n}",
            "object": "report",
            "candidate_id": f"candidate_{n}",
            "status": "complete",
            "result": "clear",
            "completed_at": now,
            "package": "standard",
        }
        return "checkr", checkr_event(event, "report.completed", item)

    def status(self, n: int) -> str:
        """How event number `n` ends unless its processing was killed too often."""
        return {"unknown": "unmatched", "broken": "dead_letter"}.get(self.kind(n), "processed")

    def entries(self, n: int) -> list[tuple[str, str]]:
        """The audit entries, action and resource, of processing event number `n`."""
        ids = self.ids[n]
        return {
            "captured": [("payment.capture", ids["payment"]), ("booking.status_change", ids["booking"])],
            "disputed": [("payment.dispute", ids["booking"]), ("payment.status_change", ids["booking"])],
            "refunded": [("payment.refund", ids["payment"])],
            "paid out": [("payment.payout", ids["instructor"])],
            "checked": [("instructor.bgc_status_change", ids["instructor"])],
        }.get(self.kind(n), [])


class Load:
    """Eight senders that behave as a provider does: what is not acknowledged is sent again."""

    def __init__(self, world: World, seed: int):
        self.world, self.seed = world, seed
        self.url = ""
        self.is_on = threading.Event()
        self.is_over = threading.Event()
        self.numbers = Counter(-1)
        self.lock = threading.Lock()
        self.acknowledged: dict[int, set[str]] = collections.defaultdict(set)
        self.waiting: set[int] = set()
        self.sent: set[int] = set()
        self.statuses: collections.Counter = collections.Counter()
        self.threads = [threading.Thread(target=self._send, args=(i,), daemon=True) for i in range(SENDERS)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.is_over.set()
        self.is_on.set()
        for thread in self.threads:
            thread.join(30)

    def _send(self, index: int) -> None:
        mind, client = random.Random(f"{self.seed}-{index}"), None
        while not self.is_over.is_set():
            self.is_on.wait()
            if client is None or not self.url.endswith(f":{client.port}"):
                client = Client(self.url, timeout=5)
            n = self._choose(mind)
            if n is None or not self.deliver(client, n):
                time.sleep(0.02)

    def _choose(self, mind: random.Random) -> int | None:
        with self.lock:
            if self.waiting and mind.random() < 0.3:
                return mind.choice(sorted(self.waiting)[:50])
            if self.sent and mind.random() < 0.08:
                return mind.randrange(self.numbers.value + 1)
        n = self.numbers.next()
        # No more rows are ready: send again what was sent before.
        return n if n < self.world.ready else mind.randrange(self.world.ready)

    def deliver(self, client: Client, n: int) -> bool:
        """Sends event number `n` once; true when it was acknowledged."""
        source, body = self.world.body(n)
        with self.lock:
            self.sent.add(n)
        try:
            answer = client.stripe(body) if source == "stripe" else client.checkr(body)
        except OSError:
            status, ledger = "no answer", None
        else:
            status, ledger = answer.status, answer.json.get("webhook_id") if answer.status == 200 else None
        with self.lock:
            self.statuses[status] += 1
            if ledger:
                self.acknowledged[n].add(ledger)
                self.waiting.discard(n)
            elif n not in self.acknowledged:
                self.waiting.add(n)
        return ledger is not None


class Rounds:
    """The disasters."""

    def __init__(self, server: Server, database, load: Load, mind: random.Random):
        self.server, self.database, self.load, self.mind = server, database, load, mind
        self.postgres = PostgresServer() if database.name == "postgres" else None

    def run(self, count: int) -> None:
        for number in range(1, count + 1):
            disaster = "kill -9"
            if self.postgres:
                disaster = self.mind.choice(["kill -9", "postgres fast", "postgres immediate"])
            self._bring_up()
            acknowledged = len(self.load.acknowledged)
            time.sleep(self.mind.uniform(0.2, 1.5))
            if disaster == "kill -9":
                self.server.kill()
                self.load.is_on.clear()
            else:
                self.postgres.restart(disaster.split()[1])
                self._recovers()
            new = len(self.load.acknowledged) - acknowledged
            print(f"  round {number:2}: {disaster:18} after {new} new acknowledged events", flush=True)

    def _bring_up(self) -> None:
        if self.server.process and self.server.process.poll() is None:
            return
        self.load.world.prepare(self.database, self.load.numbers.value + 1 + AHEAD)
        self.server.start()
        if self.postgres and self.mind.random() < 0.5:
            self.server.start_worker()
        self.load.url = self.server.url
        self.load.is_on.set()

    def _recovers(self) -> None:
        """The same process takes webhooks again after its database came back."""
        before = self.load.statuses[200]
        wait_until(
            "an acknowledged webhook after the restart of PostgreSQL",
            lambda: self.load.statuses[200] > before + 20,
            timeout=60,
        )


class Checks:
    """What must be true afterwards."""

    def __init__(self, world: World, load: Load, database):
        self.world, self.load, self.database = world, load, database
        self.problems: list[str] = []

    def expect(self, truth: bool, problem: str) -> None:
        if not truth:
            self.problems.append(problem)

    def wait(self) -> None:
        def unsettled() -> dict:
            sql = """SELECT status, COUNT(*) FROM webhook_events
                     WHERE status NOT IN ('processed', 'unmatched', 'dead_letter') GROUP BY status"""
            return dict(self.database.rows(sql))

        try:
            wait_until("every event to be settled", lambda: not unsettled(), timeout=180, every=0.5)
        except Failed as failure:
            self.problems.append(f"{failure}: {unsettled()}")

    def run(self) -> dict:
        rows = self._ledger()
        self._effects(rows)
        self._attempts()
        self._counts()
        return dict(collections.Counter(status for _, status in rows.values()))

    def _ledger(self) -> dict[int, tuple[str, str]]:
        found: dict[int, tuple[str, str]] = {}
        for ledger, event, status in self.database.rows("SELECT id, event_id, status FROM webhook_events"):
            n = int(event.removeprefix("evt_crash_"))
            self.expect(n not in found, f"{event} is in the ledger twice")
            self.expect(n in self.load.sent, f"{event} is in the ledger but was never sent")
            self.expect(status in FINAL, f"{event} ended as {status}")
            self.expect(
                status in (self.world.status(n), "dead_letter"),
                f"{event} ({self.world.kind(n)}) ended as {status}",
            )
            found[n] = (ledger, status)
        for n, ledgers in self.load.acknowledged.items():
            self.expect(n in found, f"{self.world.event_id(n)} was acknowledged but is not in the ledger")
            if n in found:
                self.expect(
                    ledgers == {found[n][0]},
                    f"{self.world.event_id(n)} was acknowledged as {ledgers} but is {found[n][0]}",
                )
        self.expect(not self.load.waiting, f"never acknowledged: {sorted(self.load.waiting)[:10]}")
        return found

    def _effects(self, rows: dict[int, tuple[str, str]]) -> None:
        expected: collections.Counter = collections.Counter()
        done: dict[str, list[int]] = collections.defaultdict(list)
        for n, (_, status) in rows.items():
            if status == "processed":
                done[self.world.kind(n)].append(n)
                expected.update(self.world.entries(n))
        entries = self.database.rows("""SELECT action, resource_id, COUNT(*) FROM audit_logs
               WHERE category = 'automated' AND status <> 'denied' GROUP BY action, resource_id""")
        actual = collections.Counter({(action, resource): count for action, resource, count in entries})
        self._same("audit entries", expected, actual)
        tables = {
            "captured": "SELECT stripe_payment_intent_id FROM payment_intents WHERE status = 'succeeded'",
            "refunded": "SELECT stripe_payment_intent_id FROM payment_intents WHERE amount_refunded = 2500",
            "disputed": "SELECT source_event FROM payment_events WHERE event_type = 'dispute_opened'",
            "paid out": "SELECT payout_id FROM instructor_payout_events",
            "checked": "SELECT report_id FROM background_checks",
        }
        for kind, sql in tables.items():
            changed = collections.Counter(int(key.rsplit("_", 1)[1]) for (key,) in self.database.rows(sql))
            self._same(f"rows of what was {kind}", collections.Counter(done[kind]), changed)
        confirmed = self.database.rows("SELECT COUNT(*) FROM bookings WHERE status = 'CONFIRMED'")[0][0]
        self.expect(
            confirmed == len(done["captured"]),
            f"{confirmed} bookings are confirmed by {len(done['captured'])} events",
        )

    def _same(self, what: str, expected: collections.Counter, actual: collections.Counter) -> None:
        self.expect(not expected - actual, f"{what} missing: {list((expected - actual).items())[:5]}")
        self.expect(not actual - expected, f"{what} too many: {list((actual - expected).items())[:5]}")

    def _attempts(self) -> None:
        twice = self.database.rows(
            """SELECT webhook_id, COUNT(*) FROM webhook_attempts WHERE outcome = 'processed'
               GROUP BY webhook_id HAVING COUNT(*) > 1"""
        )
        self.expect(not twice, f"processed more than once: {twice[:5]}")
        wrong = self.database.rows(
            """SELECT e.id, e.attempt_count, (SELECT COUNT(*) FROM webhook_attempts a WHERE a.webhook_id = e.id)
               FROM webhook_events e WHERE e.attempt_count <>
               (SELECT COUNT(*) FROM webhook_attempts a WHERE a.webhook_id = e.id)"""
        )
        self.expect(not wrong, f"attempt_count is not the number of attempts: {wrong[:5]}")
        stuck = self.database.rows(
            """SELECT e.status, COUNT(*) FROM jobs j JOIN webhook_events e ON j.unique_key = 'webhook:' || e.id
               WHERE j.state <> 'discarded' AND e.status <> 'unmatched' GROUP BY e.status"""
        )
        self.expect(not stuck, f"jobs are left of settled events: {stuck}")

    def _counts(self) -> None:
        rows = self.database.rows(
            "SELECT source, event_type, status, COUNT(*) FROM webhook_events GROUP BY source, event_type, status"
        )
        counts = self.database.rows("""SELECT d1, d2, d3, CAST(SUM(count) AS BIGINT) FROM (
               SELECT d1, d2, d3, count FROM tallies WHERE metric = 'webhooks' AND grain = 'd'
               UNION ALL SELECT d1, d2, d3, delta FROM tally_deltas WHERE metric = 'webhooks') AS parts
               GROUP BY d1, d2, d3 HAVING SUM(count) <> 0""")
        self.expect(
            sorted(rows) == sorted(counts), f"counts {sorted(counts)} are not the rows' {sorted(rows)}"
        )

    def verify_audit(self, server: Server, when: str) -> None:
        done = server.command("audit", "verify")
        text = (done.stdout + done.stderr).strip()
        self.expect(
            done.returncode == 0, f"audit verify of the {when} system ended with {done.returncode}: {text}"
        )
        print(f"  audit verify, {when}: {text.splitlines()[-1] if text else '(no output)'}")


def run(options: argparse.Namespace) -> list[str]:
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    name = "postgres" if options.postgres else "sqlite"
    print(f"crash: {options.rounds} rounds on {name}, seed {seed}", flush=True)
    with Scratch(f"crash-{name}") as folder:
        database = PostgresDatabase() if options.postgres else SQLiteFile(folder)
        server = Server(
            options.binary, folder, database.url, {"JOB_LEASE_SECONDS": "2", "LOG_LEVEL": "notice"}
        )
        world = World(random.Random(seed))
        load = Load(world, seed)
        try:
            done = server.command("migrate")
            if done.returncode != 0:
                raise Failed(f"migrate ended with {done.returncode}: {done.stdout}{done.stderr}")
            world.prepare(database, AHEAD)
            load.start()
            rounds = Rounds(server, database, load, random.Random(seed + 1))
            rounds.run(options.rounds)
            rounds._bring_up()
            load.end()
            client = Client(server.url)
            for n in sorted(load.waiting):
                load.deliver(client, n)
            checks = Checks(world, load, database)
            checks.wait()
            checks.verify_audit(server, "running")
            code = server.stop()
            checks.expect(code == 0, f"the server ended with code {code} when asked to stop")
            states = checks.run()
            checks.verify_audit(server, "stopped")
        finally:
            load.is_over.set()
            server.kill()
        print(
            f"  {len(load.sent)} events sent, {len(load.acknowledged)} acknowledged, "
            f"{sum(load.statuses.values())} deliveries {dict(load.statuses)}, ended {states}"
        )
        if checks.problems:
            raise Failed("\n".join(f"  ✗ {problem[:600]}" for problem in checks.problems))
        if options.postgres:
            database.drop()
    return []


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    parser.add_argument("--postgres", action="store_true", help="use the server of TEST_POSTGRES_URL")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int)
    try:
        run(parser.parse_args())
    except Failed as failure:
        print(f"crash: FAILED\n{failure}")
        return 1
    print("crash: nothing was lost and nothing was done twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
