"""What the fuzzer cannot know: how deliveries are signed, what they are about, which ids there are, who calls.

Loaded by schemathesis; `fuzz.py` says in the environment which ids exist, and whose calls these are.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import zlib
from pathlib import Path

import schemathesis

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import CHECKR_PATH, STRIPE_PATH, checkr_headers, stripe_headers  # noqa: E402

IDS = {
    "event_id": os.environ.get("FUZZ_EVENT_IDS", "").split(),
    "entry_id": os.environ.get("FUZZ_ENTRY_IDS", "").split(),
}
# What there is for the routes for people, by kind; see people.py.
KNOWN = json.loads(os.environ.get("FUZZ_KNOWN", "{}"))
# The kinds of an id in a path whose name does not say it.
PATHS = (
    ("/instructors/availability/blackout-dates/{id}", ("blackouts",)),
    ("/instructors/{id}", ("profiles", "users")),
    ("/public/instructors/{id}", ("users",)),
    ("/admin/background-checks/", ("profiles",)),
    ("/admin/instructors/{id}", ("profiles",)),
    ("/admin/users/{user_id}", ("spare",)),
    ("/privacy/delete/user/{user_id}", ("spare",)),
    ("/conversations/{id}", ("conversations",)),
    ("/messages/{id}", ("messages",)),
    ("/notifications/{id}", ("notifications",)),
    ("/addresses/me/{id}", ("addresses",)),
    ("/reviews/{id}", ("reviews",)),
    ("/search-history/{id}", ("history",)),
)
# The kinds of what a parameter or member of that name holds, anywhere else.
MEMBERS = {
    "instructor_id": ("users", "profiles"),
    "instructor_ids": ("users",),
    "user_id": ("users",),
    "ids": ("users",),
    "service_id": ("services",),
    "service_catalog_id": ("catalog",),
    "conversation_id": ("conversations",),
    "message_ids": ("messages",),
    "booking_id": ("bookings",),
    "booking_ids": ("bookings",),
    "search_query_id": ("searches",),
    "guest_session_id": ("guests",),
    "neighborhood_id": ("areas",),
    "slug": ("slugs",),
    "email": ("emails",),
    "username": ("emails",),
    "password": ("passwords",),
    "current_password": ("passwords",),
    "code": ("invites",),
}
TYPES = {
    STRIPE_PATH: (
        "payment_intent.succeeded",
        "charge.succeeded",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "account.updated",
        "account.application.deauthorized",
        "payout.paid",
        "identity.verification_session.verified",
        "transfer.created",
    ),
    CHECKR_PATH: (
        "report.completed",
        "report.updated",
        "report.created",
        "invitation.created",
        "report.disputed",
    ),
}


class Signature:
    """Signs the bytes that are really sent, as the source would, three times in four."""

    def __init__(self, sign):
        self.sign = sign

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        if zlib.crc32(body) % 4:
            kind = request.headers.get("Content-Type")
            request.headers.update(self.sign(body))
            if kind:
                request.headers["Content-Type"] = kind
        return request


class Caller:
    """Comes from an address of its own, because the limits of an address are not what is fuzzed, and with a session
    that is still good: some operations end the one that they are called in.
    """

    def __init__(self, tokens: list[str]):
        self.tokens, self.given, self.calls = tokens, set(tokens), itertools.count()

    def __call__(self, request):
        number = next(self.calls)
        request.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in self.given:
            request.headers["Authorization"] = f"Bearer {self.tokens[0]}"
        return request

    def refused(self, token: str) -> None:
        if token in self.tokens and len(self.tokens) > 1:
            self.tokens.remove(token)


CALLER = Caller(os.environ.get("FUZZ_SESSIONS", "").split())


@schemathesis.hook
def before_call(context, case, kwargs):
    sign = {STRIPE_PATH: stripe_headers, CHECKR_PATH: checkr_headers}.get(case.operation.path)
    if sign and case.method.upper() == "POST":
        kwargs["auth"] = Signature(sign)
    if KNOWN:
        known_path(case)
        known_members(case.body, case.operation.path)
        known_members(case.query, case.operation.path)
        kwargs["auth"] = CALLER


@schemathesis.hook
def after_call(context, case, response):
    sent = response.request.headers.get("Authorization", "")
    if response.status_code == 401:
        CALLER.refused(sent.removeprefix("Bearer "))


def known_path(case) -> None:
    """Two ids in three of a path are ones that exist."""
    path = case.operation.path.removeprefix("/api/v1")
    for name, given in (case.path_parameters or {}).items():
        found = next((kinds for start, kinds in PATHS if path.startswith(start)), MEMBERS.get(name, ()))
        chosen = choice(found, given)
        if chosen is not None:
            case.path_parameters[name] = chosen


def known_members(value, path: str) -> None:
    """Two members in three that name something name what exists, however deep they are."""
    if isinstance(value, list):
        for item in value:
            known_members(item, path)
    if not isinstance(value, dict):
        return
    for name, given in value.items():
        kinds = MEMBERS.get(name, ())
        if isinstance(given, list) and kinds:
            for index, item in enumerate(given):
                given[index] = choice(kinds, item) or item
        elif isinstance(given, str) and kinds:
            value[name] = choice(kinds, given) or given
        else:
            known_members(given, path)


def choice(kinds: tuple[str, ...], given) -> str | None:
    """One of what is known of these kinds, or none; always the same for what was made up."""
    all = [item for kind in kinds for item in KNOWN.get(kind, ())]
    chosen = zlib.crc32(repr(given).encode(errors="replace"))
    return all[chosen // 3 % len(all)] if all and isinstance(given, str) and chosen % 3 else None


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every second id is one that exists."""
    for name, known in IDS.items():
        given = (path_parameters or {}).get(name)
        if known and isinstance(given, str):
            chosen = zlib.crc32(given.encode(errors="replace"))
            if chosen % 2:
                path_parameters[name] = known[chosen // 2 % len(known)]
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    """Half of what is delivered becomes an event: what was made up is the object that it is about."""
    types = TYPES.get(context.operation.path)
    if types and isinstance(body, dict):
        chosen = zlib.crc32(repr(body).encode(errors="replace"))
        if chosen % 2:
            item = {
                "id": f"obj_{chosen % 50}",
                "payment_intent": f"pi_{chosen % 20}",
                "candidate_id": "nobody",
                **body,
            }
            kind = types[chosen // 2 % len(types)]
            return {**body, "id": f"evt_{chosen}", "type": kind, "data": {"object": item}}
    return body
