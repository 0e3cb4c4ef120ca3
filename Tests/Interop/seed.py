"""A small ledger to look at: signed webhooks of both sources, of every outcome."""

from __future__ import annotations

import random
import time

import checks  # noqa: F401: makes the harness importable
from harness import Client, Failed, Server, checkr_event, stripe_event, ulid, wait_until

INTENTS = 8
TEACHER = "ines@example.com"
INVITE = "SEEDCODE"


class Seed:
    """What was put in, so that suites know what to ask for."""

    def __init__(self, server: Server, database):
        self.server, self.database = server, database
        self.client = Client(server.url)
        self.random = random.Random(7)
        self.payments = [ulid(self.random) for _ in range(INTENTS)]
        self.instructor = ulid(self.random)

    def plant(self) -> None:
        now = int(time.time() * 1_000_000)
        bookings = [ulid(self.random) for _ in range(INTENTS)]
        self.database.insert(
            "bookings",
            "id,student_id,instructor_id,status,payment_status,created_at,updated_at",
            [
                (id, ulid(self.random), ulid(self.random), "PENDING", "authorized", now, now)
                for id in bookings
            ],
        )
        self.database.insert(
            "payment_intents",
            "id,booking_id,stripe_payment_intent_id,amount,status,status_at,created_at,updated_at",
            [
                (payment, booking, f"pi_seed_{n}", 12_000, "requires_capture", now - 3_600_000_000, now, now)
                for n, (payment, booking) in enumerate(zip(self.payments, bookings))
            ],
        )
        teacher = ulid(self.random)
        self.database.insert(
            "users",
            "id,email,hashed_password,first_name,last_name,phone_verified,zip_code,timezone,is_active,"
            "account_status,account_locked,account_restricted,credit_balance_cents,credit_balance_frozen,"
            "created_at,updated_at",
            [
                (teacher, TEACHER, "-", "Ines", "Seed", False, "10001", "America/New_York", True)
                + ("active", False, False, 0, False, now, now)
            ],
        )
        self.database.insert(
            "instructor_profiles",
            "id,user_id,is_live,checkr_candidate_id,created_at,updated_at",
            [(self.instructor, teacher, False, "candidate_seed", now, now)],
        )
        self.database.insert(
            "beta_invites",
            "id,code,role,grant_founding_status,created_at",
            [(ulid(self.random), INVITE, "instructor", True, now)],
        )
        for n in range(INTENTS):
            item = {
                "id": f"pi_seed_{n}",
                "object": "payment_intent",
                "amount": 12_000,
                "status": "succeeded",
                "receipt_email": "ada@example.com",
                "client_secret": "pi_seed_secret_do_not_store",
            }
            self.stripe(f"evt_seed_{n}", "payment_intent.succeeded", item)
        # More than a page of what needs nothing.
        for n in range(60):
            self.stripe(f"evt_transfer_{n}", "transfer.created", {"id": f"tr_{n}", "object": "transfer"})
        for n in range(3):
            item = {"id": f"pi_unknown_{n}", "object": "payment_intent", "status": "succeeded"}
            self.stripe(f"evt_unknown_{n}", "payment_intent.succeeded", item)
            self.stripe(f"evt_broken_{n}", "payment_intent.succeeded", {"id": f"pi_seed_{n}"})
        report = {
            "id": "rep_seed",
            "object": "report",
            "candidate_id": "candidate_seed",
            "status": "complete",
            "result": "clear",
            "completed_at": "2026-01-02T03:04:05Z",
            "ssn": "111-22-3333",
        }
        self._acknowledged(self.client.checkr(checkr_event("evt_checkr_seed", "report.completed", report)))
        self.settle()

    def stripe(self, event: str, kind: str, item: dict) -> None:
        self._acknowledged(self.client.stripe(stripe_event(event, kind, item)))

    def settle(self) -> None:
        """Waits until everything that was posted has been processed."""
        sql = "SELECT COUNT(*) FROM webhook_events WHERE status IN ('received', 'processing')"
        wait_until("all webhooks to be processed", lambda: self.database.rows(sql)[0][0] == 0, timeout=60)

    def ledger_id(self, event: str) -> str:
        """The ledger's id of a provider's event."""
        rows = self.database.rows(f"SELECT id FROM webhook_events WHERE event_id = '{event}'")
        if not rows:
            raise Failed(f"{event} is not in the ledger")
        return rows[0][0]

    def replays(self, ledger: str) -> int:
        """How many replays of an event are in the ledger."""
        return self.database.rows(f"SELECT COUNT(*) FROM webhook_events WHERE replay_of = '{ledger}'")[0][0]

    @staticmethod
    def _acknowledged(answer) -> None:
        if answer.status != 200:
            raise Failed(f"a signed webhook was answered {answer}")
