"""Collects what was checked and what was found wrong."""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from jsonschema import Draft7Validator, Draft202012Validator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEnd"))

# The protocol's own schemas; read in place where they are.
SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "data" / "mcp-schema"


class Report:
    """Every check of a run; a failed one does not end it."""

    def __init__(self):
        self.passed, self.failures, self.place = 0, [], []

    @contextmanager
    def part(self, name: str):
        """Names what the checks inside are about; an exception inside is a failure of it."""
        self.place.append(name)
        before = self.passed, len(self.failures)
        try:
            yield
        except Exception as error:  # noqa: BLE001: a suite that stumbles has failed
            self.fail(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)[-3:]))
        finally:
            if len(self.place) == 1:
                passed, failed = self.passed - before[0], len(self.failures) - before[1]
                print(f"  {name}: {passed} passed" + (f", {failed} FAILED" if failed else ""), flush=True)
            self.place.pop()

    def check(self, truth, what: str, found=None) -> bool:
        """Records whether `truth` holds; `found` is shown when it does not."""
        if truth:
            self.passed += 1
        else:
            self.fail(what, "" if found is None else f"found {found!r}"[:1500])
        return bool(truth)

    def equal(self, found, expected, what: str) -> bool:
        return self.check(found == expected, f"{what} is {expected!r}", found)

    def fail(self, what: str, detail: str = "") -> None:
        self.failures.append(f"{' / '.join(self.place)}: {what}" + (f"\n      {detail}" if detail else ""))

    def valid(self, value, schema: dict, what: str) -> bool:
        """Checks `value` against a JSON Schema (2020-12)."""
        errors = sorted(Draft202012Validator(schema).iter_errors(value), key=str)
        return self.check(not errors, f"{what} is valid by its schema", "; ".join(map(_shown, errors[:3])))

    def conforms(self, value, revision: str, name: str) -> bool:
        """Checks a result against the protocol's schema of a revision, when it is at hand."""
        schema = protocol_schema(revision, name)
        if schema is None:
            return True
        kind = Draft7Validator if "draft-07" in schema.get("$schema", "") else Draft202012Validator
        errors = sorted(kind(schema).iter_errors(value), key=str)
        return self.check(
            not errors,
            f"{name} of {revision} is valid by the protocol's schema",
            "; ".join(map(_shown, errors[:3])),
        )

    def finish(self) -> int:
        if not SCHEMAS.is_dir():
            print(f"  (skipped: the protocol's schemas are not at {SCHEMAS})")
        for failure in self.failures:
            print(f"  ✗ {failure}")
        return 1 if self.failures or not self.passed else 0


_documents: dict[str, dict | None] = {}


def protocol_schema(revision: str, name: str) -> dict | None:
    """The schema of one type of a revision, or None without the files."""
    if revision not in _documents:
        path = SCHEMAS / f"{revision}.json"
        _documents[revision] = json.loads(path.read_text()) if path.exists() else None
    document = _documents[revision]
    if document is None:
        return None
    key = "$defs" if "$defs" in document else "definitions"
    return {"$schema": document["$schema"], "$ref": f"#/{key}/{name}", key: document[key]}


def _shown(error) -> str:
    return f"at /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
