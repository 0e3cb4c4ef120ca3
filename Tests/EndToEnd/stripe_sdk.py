#!/usr/bin/env python3
"""Drives the built-in Stripe with Stripe's own Python library, over HTTP on the loopback interface.

    stripe_sdk.py --binary .build/debug/instainstru

Runs on SQLite, and on PostgreSQL too when TEST_POSTGRES_URL is set. Every answer is checked against
Stripe's OpenAPI file when there is one (STRIPE_OPENAPI, or ../shared/data/stripe-openapi-*.json), and
every webhook by the library's own verification.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import stripe
from openapi_schema_validator import OAS30Validator

from cli import Report
from harness import STRIPE_PATH, STRIPE_SECRET, PostgresDatabase, Scratch, Server, SQLiteFile, wait_until

ROOT = Path(__file__).resolve().parents[2]
# Stripe's file is older than the version that we speak: these members left since.
GONE_SINCE = {"charge": {"refunds"}}
PARTS = ("door", "people", "cards", "payments", "declines", "transfers", "keys", "mistakes", "events")
CARDS = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_authenticationRequired": ("authentication_required", "authentication_required"),
}


class Schemas:
    """Stripe's own description of its objects."""

    def __init__(self):
        pattern = os.environ.get("STRIPE_OPENAPI", str(ROOT.parent / "shared/data/stripe-openapi-*.json"))
        paths = sorted(glob.glob(pattern))
        self.document = json.loads(Path(paths[0]).read_text()) if paths else None
        self.validators: dict[str, OAS30Validator] = {}
        self.checked: dict[str, int] = {}

    def problems(self, name: str, value: dict) -> list[str]:
        """What is wrong with an object of that name."""
        if self.document is None:
            return []
        schemas = self.document["components"]["schemas"]
        if name not in schemas:
            return [f"there is no schema {name}"]
        if name not in self.validators:
            schema = {"components": self.document["components"], "$ref": f"#/components/schemas/{name}"}
            self.validators[name] = OAS30Validator(schema)
        self.checked[name] = self.checked.get(name, 0) + 1
        found = []
        for error in self.validators[name].iter_errors(stripped(value)):
            if error.validator == "required" and not error.absolute_path:
                if any(f"'{gone}'" in error.message for gone in GONE_SINCE.get(name, ())):
                    continue
            found.append(f"{name}{list(error.absolute_path)}: {error.message[:300]}")
        return found


def stripped(value):
    """Without nulls: the file's nullable and anyOf do not go together."""
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if item is not None}
    return [stripped(item) for item in value] if isinstance(value, list) else value


class Recorder(stripe.RequestsClient):
    """The library's client, which remembers every answer."""

    def __init__(self):
        super().__init__()
        self.answers: list[tuple[str, str, int, dict]] = []

    def request(self, method, url, headers, post_data=None):
        body, status, fields = super().request(method, url, headers, post_data)
        self.answers.append((method, url, status, json.loads(body)))
        return body, status, fields


class Hooks:
    """The endpoint that the built-in Stripe tells what happened."""

    def __init__(self):
        hooks = self
        self.received: list[tuple[bytes, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == STRIPE_PATH:
                    hooks.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def listing(url: str, headers: dict[str, str]) -> int:
    """The status of a list of customers."""
    request = urllib.request.Request(url + "/stripe-sandbox/v1/customers", headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Suite:
    def __init__(self, report: Report, server: Server, hooks: Hooks, recorder: Recorder):
        self.report, self.server, self.hooks, self.recorder = report, server, hooks, recorder

    def raised(self, kind, action, what: str):
        """The error of the library's that an action ends in."""
        try:
            action()
        except kind as error:
            self.report.check(True, what)
            return error
        except Exception as error:  # noqa: BLE001
            self.report.check(False, f"{what} raises {kind.__name__}", error)
            return None
        self.report.check(False, f"{what} raises {kind.__name__}")
        return None

    def visit(self, url: str) -> int:
        """Follows a link of the built-in Stripe, wherever it believes to be."""
        path = "/" + url.split("/", 3)[3]
        try:
            return urllib.request.build_opener(NoRedirect()).open(self.server.url + path).status
        except urllib.error.HTTPError as error:
            return error.code

    def door(self) -> None:
        key = {"Authorization": "Bearer sk_test_suite"}
        self.report.equal(listing(self.server.url, key), 200, "the answer to a caller on this machine")
        self.report.equal(listing(self.server.url, {}), 401, "the answer without a key")
        forwarded = {**key, "X-Forwarded-For": "203.0.113.9"}
        self.report.equal(listing(self.server.url, forwarded), 403, "the answer to a forwarded request")

    def people(self) -> None:
        self.customer = stripe.Customer.create(metadata={"user_id": "u1"})
        self.report.equal(stripe.Customer.retrieve(self.customer.id).metadata["user_id"], "u1", "metadata")
        account = stripe.Account.create(
            type="express", country="US", capabilities={"transfers": {"requested": True}}
        )
        self.report.equal(account.charges_enabled, False, "charges_enabled of a new account")
        self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.Account.create_login_link(account.id),
            "a login link before the onboarding",
        )
        link = stripe.AccountLink.create(
            account=account.id,
            refresh_url="http://localhost/r",
            return_url="http://localhost/b",
            type="account_onboarding",
        )
        self.report.equal(self.visit(link.url), 303, "the answer behind an account link")
        self.account = stripe.Account.retrieve(account.id)
        self.report.check(
            self.account.charges_enabled and self.account.details_submitted, "the account is onboarded"
        )
        self.report.check(stripe.Account.create_login_link(account.id).url, "a login link has an address")
        changed = stripe.Account.modify(
            account.id,
            settings={"payouts": {"schedule": {"interval": "weekly", "weekly_anchor": "tuesday"}}},
        )
        self.report.equal(changed.settings.payouts.schedule.weekly_anchor, "tuesday", "the anchor")
        session = stripe.identity.VerificationSession.create(
            type="document", metadata={"user_id": "u2"}, client_reference_id="u2"
        )
        self.visit(session.url)
        self.report.equal(
            stripe.identity.VerificationSession.retrieve(session.id).status, "verified", "the session"
        )

    def cards(self) -> None:
        setup = stripe.SetupIntent.create(
            customer=self.customer.id, usage="off_session", payment_method_types=["card"]
        )
        done = stripe.SetupIntent.confirm(setup.id, payment_method="pm_card_visa")
        self.report.equal(done.status, "succeeded", "a confirmed setup")
        method = stripe.PaymentMethod.retrieve(done.payment_method)
        self.report.equal((method.customer, method.card.last4), (self.customer.id, "4242"), "the card")
        self.method = method.id
        listed = stripe.PaymentMethod.list(customer=self.customer.id, type="card")
        self.report.equal([item.id for item in listed], [method.id], "the customer's cards")
        other = stripe.PaymentMethod.attach("pm_card_mastercard", customer=self.customer.id)
        loose = stripe.PaymentMethod.detach(other.id)
        self.report.equal(loose.customer, None, "the customer of a detached card")

    def authorize(self, method: str, key: str | None = None, **more) -> stripe.PaymentIntent:
        return stripe.PaymentIntent.create(
            amount=11_200,
            currency="usd",
            customer=self.customer.id,
            payment_method=method,
            payment_method_types=["card"],
            capture_method="manual",
            confirm=True,
            transfer_data={"destination": self.account.id, "amount": 8_500},
            transfer_group="booking:b1",
            metadata={"booking_id": "b1"},
            expand=["latest_charge"],
            idempotency_key=key,
            **more,
        )

    def payments(self) -> None:
        report = self.report
        held = self.authorize(self.method, off_session=True)
        report.equal((held.status, held.amount_capturable), ("requires_capture", 11_200), "a payment")
        report.equal(held.latest_charge.captured, False, "captured of its charge")
        paid = stripe.PaymentIntent.capture(held.id, expand=["latest_charge"])
        report.equal((paid.status, paid.amount_received), ("succeeded", 11_200), "a captured payment")
        transfer = stripe.Transfer.retrieve(paid.latest_charge.transfer)
        report.equal(
            (transfer.amount, transfer.destination, transfer.source_transaction),
            (8_500, self.account.id, paid.latest_charge.id),
            "the transfer of a capture",
        )
        error = self.raised(
            stripe.InvalidRequestError, lambda: stripe.PaymentIntent.capture(held.id), "a second capture"
        )
        report.equal(error and error.code, "payment_intent_unexpected_state", "its code")
        refund = stripe.Refund.create(
            payment_intent=held.id, amount=5_600, reason="requested_by_customer", reverse_transfer=True
        )
        report.check(refund.status == "succeeded" and refund.transfer_reversal, "half is refunded", refund)
        report.equal(stripe.Transfer.retrieve(transfer.id).amount_reversed, 4_250, "half of the transfer")
        self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.Refund.create(payment_intent=held.id, amount=5_601),
            "a refund of more than is left",
        )
        stripe.Refund.create(payment_intent=held.id, reverse_transfer=True)
        error = self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.Refund.create(payment_intent=held.id),
            "a refund of nothing",
        )
        report.equal(error and error.code, "charge_already_refunded", "its code")
        charge = stripe.Charge.retrieve(paid.latest_charge.id)
        report.equal((charge.refunded, charge.amount_refunded), (True, 11_200), "the refunded charge")
        report.equal(len(stripe.Refund.list(payment_intent=held.id).data), 2, "the number of refunds")
        other = self.authorize(self.method)
        report.equal(stripe.PaymentIntent.cancel(other.id).status, "canceled", "a canceled payment")

    def declines(self) -> None:
        for card, (code, decline) in CARDS.items():
            error = self.raised(
                stripe.CardError, lambda card=card: self.authorize(card, off_session=True), f"{card}"
            )
            if error is None:
                continue
            found = (error.http_status, error.code, error.error.decline_code)
            self.report.equal(found, (402, code, decline), f"the error of {card}")
            intent = stripe.PaymentIntent.retrieve(error.error.payment_intent.id)
            self.report.equal(intent.status, "requires_payment_method", f"the payment of {card}")
            self.report.equal(intent.last_payment_error.code, code, f"the last error of {card}")
        waiting = self.authorize("pm_card_authenticationRequired")
        self.report.equal(waiting.status, "requires_action", "a payment that the bank asks about")

    def transfers(self) -> None:
        sent = stripe.Transfer.create(
            amount=900,
            currency="usd",
            destination=self.account.id,
            transfer_group="booking:b2",
            metadata={"operation_key": "k"},
        )
        listed = stripe.Transfer.list(transfer_group="booking:b2")
        self.report.equal([item.id for item in listed], [sent.id], "the transfers of a group")
        part = stripe.Transfer.create_reversal(sent.id, amount=300)
        self.report.equal((part.amount, part.transfer), (300, sent.id), "a reversal")
        self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.Transfer.create_reversal(sent.id, amount=601),
            "a reversal of more than is left",
        )
        self.report.equal(len(stripe.Transfer.list_reversals(sent.id).data), 1, "the number of reversals")
        payout = stripe.Payout.create(
            amount=600, currency="usd", method="instant", stripe_account=self.account.id
        )
        self.report.equal(payout.status, "pending", "a payout")
        mine = stripe.Payout.list(stripe_account=self.account.id)
        self.report.equal([item.id for item in mine], [payout.id], "the account's payouts")
        self.report.equal(len(stripe.Payout.list().data), 0, "the number of the platform's payouts")

    def keys(self) -> None:
        report = self.report
        first = self.authorize(self.method, key="same-key")
        again = self.authorize(self.method, key="same-key")
        report.equal(again.id, first.id, "the payment of a repeated key")
        report.equal(again.last_response.headers.get("Idempotent-Replayed"), "true", "its header")
        self.raised(
            stripe.IdempotencyError,
            lambda: stripe.Customer.create(idempotency_key="same-key"),
            "a key used for something else",
        )
        declined = lambda: self.authorize("pm_card_chargeDeclined", key="declined-key")  # noqa: E731
        one = self.raised(stripe.CardError, declined, "a declined card")
        two = self.raised(stripe.CardError, declined, "the same call again")
        report.equal(
            one and one.error.payment_intent.id, two and two.error.payment_intent.id, "its payment, twice"
        )

        def create(_):
            try:
                return self.authorize(self.method, key="busy-key").id
            except stripe.StripeError as error:
                return error.http_status

        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(create, range(40)))
        ids = {item for item in results if isinstance(item, str)}
        report.check(len(ids) == 1 and set(results) - ids <= {409}, "one key makes one payment", results)

    def mistakes(self) -> None:
        error = self.raised(
            stripe.InvalidRequestError, lambda: stripe.Customer.retrieve("cus_none"), "an unknown customer"
        )
        self.report.equal(error and (error.http_status, error.code), (404, "resource_missing"), "its code")
        error = self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.Transfer.create(amount=1, currency="usd", destinatoin="x"),
            "a misspelt parameter",
        )
        self.report.equal(
            error and (error.code, error.param), ("parameter_unknown", "destinatoin"), "what is wrong with it"
        )
        self.raised(
            stripe.InvalidRequestError,
            lambda: stripe.PaymentIntent.create(amount=-1, currency="usd"),
            "an amount below zero",
        )
        self.raised(
            stripe.AuthenticationError, lambda: stripe.Customer.list(api_key="pk_wrong"), "a key that is none"
        )

    def events(self) -> None:
        report = self.report
        listed = list(stripe.Event.list(limit=25).auto_paging_iter())
        connected = list(stripe.Event.list(limit=25, stripe_account=self.account.id).auto_paging_iter())
        wanted = {event.id for event in listed + connected}
        wait_until("every event", lambda: len(self.hooks.received) >= len(wanted), 60)
        received = {}
        for body, signature in self.hooks.received:
            event = stripe.Webhook.construct_event(body, signature, STRIPE_SECRET)
            received[event.id] = event
        report.equal(set(received) ^ wanted, set(), "the difference of what was sent and what is listed")
        body, signature = self.hooks.received[0]
        self.raised(
            stripe.SignatureVerificationError,
            lambda: stripe.Webhook.construct_event(body + b" ", signature, STRIPE_SECRET),
            "a changed body",
        )
        kinds = {event.type for event in received.values()}
        for kind in (
            "payment_intent.created payment_intent.amount_capturable_updated payment_intent.succeeded "
            "payment_intent.canceled payment_intent.payment_failed charge.succeeded charge.captured "
            "charge.refunded transfer.created transfer.reversed payout.created account.updated "
            "setup_intent.succeeded identity.verification_session.verified"
        ).split():
            report.check(kind in kinds, f"{kind} is told", sorted(kinds))
        payouts = [event for event in received.values() if event.type.startswith("payout.")]
        report.equal({event.account for event in payouts}, {self.account.id}, "the account of payout events")
        newest = stripe.Event.list(limit=1, type="charge.refunded").data[0]
        report.equal(stripe.Event.retrieve(newest.id).type, "charge.refunded", "an event by its id")

    def shapes(self, schemas: Schemas) -> None:
        """Every answer so far against Stripe's own description."""
        for method, url, status, body in list(self.recorder.answers):
            if status != 200:
                self.judge(schemas, "error", body, url)
                continue
            for item in body["data"] if body.get("object") == "list" else [body]:
                self.judge(schemas, item["object"], item, f"{method} {url}")
                if item["object"] == "event":
                    inner = item["data"]["object"]
                    self.judge(schemas, inner["object"], inner, item["type"])
        if schemas.document is None:
            print("  shapes: there is no OpenAPI file; the answers were not compared with it")

    def judge(self, schemas: Schemas, name: str, value: dict, where: str) -> None:
        for problem in schemas.problems(name, value)[:3]:
            self.report.check(False, f"{where}: {problem}")
        self.report.check(True, "")


def run(binary: str, kind: str, schemas: Schemas, report: Report) -> None:
    hooks, recorder = Hooks(), Recorder()
    with Scratch(f"stripe-{kind}") as folder:
        database = PostgresDatabase() if kind == "postgres" else SQLiteFile(folder)
        settings = {"LOG_LEVEL": "notice", "PUBLIC_URL": hooks.url}
        server = Server(binary, folder, database.url, settings)
        try:
            server.start()
            stripe.api_key, stripe.api_base = "sk_test_suite", server.url + "/stripe-sandbox"
            stripe.max_network_retries, stripe.default_http_client = 0, recorder
            suite = Suite(report, server, hooks, recorder)
            for part in PARTS:
                with report.part(f"{kind} {part}"):
                    getattr(suite, part)()
            with report.part(f"{kind} shapes"):
                suite.shapes(schemas)
            server.kill()
            with report.part(f"{kind} absence"):
                for more in ({"STRIPE_API_KEY": "sk_live_suite"}, {"ENVIRONMENT": "production"}):
                    server = Server(binary, folder, database.url, {**settings, **more}).start()
                    status = listing(server.url, {"Authorization": "Bearer sk_test_suite"})
                    report.equal(status, 404, f"the answer with {' '.join(more)}")
                    server.kill()
        finally:
            server.kill()
            if kind == "postgres":
                database.drop()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    report, schemas, start = Report(), Schemas(), time.monotonic()
    for kind in ["sqlite"] + (["postgres"] if os.environ.get("TEST_POSTGRES_URL") else []):
        run(options.binary, kind, schemas, report)
    for failure in report.failures:
        print(f"  ✗ {failure}")
    failed = bool(report.failures) or not report.passed
    took = time.monotonic() - start
    checked = sum(schemas.checked.values())
    print(f"stripe: {'FAILED' if failed else 'all passed'} ({checked} objects compared) in {took:.1f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
