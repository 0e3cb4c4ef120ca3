"""What the fuzzer cannot know: how deliveries are signed, what they are about, and which ids there are.

Loaded by schemathesis; `fuzz.py` says in the environment which ids exist.
"""

from __future__ import annotations

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


@schemathesis.hook
def before_call(context, case, kwargs):
    sign = {STRIPE_PATH: stripe_headers, CHECKR_PATH: checkr_headers}.get(case.operation.path)
    if sign and case.method.upper() == "POST":
        kwargs["auth"] = Signature(sign)


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
