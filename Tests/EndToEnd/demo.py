"""Watches `instainstru demo` as somebody does who has just downloaded it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import REST, Client, Failed, SQLiteFile, wait_until

# A debug build on a machine that does other things too.
MAKING_LIMIT = 300.0
SECOND_START_LIMIT = 15.0


class Demo:
    """One `demo` over a folder of its own; starts making its month at once."""

    def __init__(self, binary: str, folder: Path):
        self.binary, self.data = str(Path(binary).resolve()), folder / "data"
        self.database = SQLiteFile(self.data)
        self.start()

    def start(self) -> None:
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        self.said, self.began = "", time.monotonic()
        self.ready: float | None = None
        self.process = subprocess.Popen(
            [self.binary, "demo", "--port", "0", "--data", str(self.data), "--log-level", "warning"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=kept,
            cwd=self.data.parent,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            self.said += line
            if "Ctrl-C stops" in line:
                self.ready = time.monotonic() - self.began

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def run(self, report) -> None:
        token = self._welcome(report, MAKING_LIMIT)
        print(f"    the month was made and served after {self.ready:.1f} s", flush=True)
        self._volume(report)
        self._clients(report, token)
        self._live(report)
        self._stop(report)
        events = self.database.rows("SELECT COUNT(*) FROM webhook_events")[0][0]
        self.start()
        report.equal(self._welcome(report, 60), token, "the token of the second start")
        report.check(
            self.ready < SECOND_START_LIMIT,
            f"a second start takes less than {SECOND_START_LIMIT} s",
            self.ready,
        )
        print(f"    the second start served after {self.ready:.2f} s", flush=True)
        self._live(report)
        found = self.database.rows("SELECT COUNT(*) FROM webhook_events")[0][0]
        report.check(events < found < events + 100, "the second start makes no second month", (events, found))
        self._stop(report)

    def _welcome(self, report, limit: float) -> str:
        """Waits for the welcome, and returns the token in it."""

        def is_ready() -> bool:
            if self.process.poll() is not None:
                raise Failed(f"the demo ended with {self.process.returncode}: {self.said}")
            return self.ready is not None

        wait_until("the demo to serve", is_ready, timeout=max(limit - (time.monotonic() - self.began), 1))
        self.url = re.search(r"listening on (http://\S+)", self.said).group(1)
        token = re.search(r"^token\s+(itk_\S+)$", self.said, re.MULTILINE).group(1)
        for text in (
            f"MCP     {self.url}/mcp",
            "claude mcp add",
            '"mcpServers"',
            "mcp --stdio",
            str(self.data),
        ):
            report.check(text in self.said, f"the welcome shows {text}", self.said)
        return token

    def _volume(self, report) -> None:
        for table, least in (("webhook_events", 10_000), ("audit_logs", 50_000)):
            count = self.database.rows(f"SELECT COUNT(*) FROM {table}")[0][0]
            report.check(count >= least, f"{table} has at least {least} rows", count)
        statuses = {row[0] for row in self.database.rows("SELECT DISTINCT status FROM webhook_events")}
        wanted = {"processed", "unmatched", "failed", "dead_letter", "replayed"}
        report.check(len(statuses & wanted) >= 3, "events ended in many ways", statuses)

    def _clients(self, report, token: str) -> None:
        """The configuration that is printed for clients works as it is."""
        line = next(line for line in self.said.splitlines() if '"mcpServers"' in line)
        entry = json.loads(line[line.index("{") :])["mcpServers"]["instainstru"]
        report.equal(entry["url"], f"{self.url}/mcp", "the URL for clients")
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "cli", "version": "1"},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        both = {"Accept": "application/json, text/event-stream", **entry["headers"]}
        answer = Client(self.url).post_json("/mcp", body, both)
        report.check(answer.status == 200 and b"instainstru" in answer.body, "a client is greeted", answer)
        found = Client(self.url, token).get(REST + "webhooks/failed?since_hours=168").json
        report.check(found["events"], "there is something to look into", found)

    def _live(self, report) -> None:
        count = "SELECT COUNT(*) FROM webhook_events"
        before = self.database.rows(count)[0][0]
        wait_until("a live webhook", lambda: self.database.rows(count)[0][0] > before, timeout=30)
        report.check(True, "live webhooks arrive")

    def _stop(self, report) -> None:
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        report.equal(self.process.wait(30), 0, "the exit code after Ctrl-C")
        print(f"    stopped in {time.monotonic() - start:.2f} s", flush=True)
        left = self.database.rows("SELECT COUNT(*) FROM audit_pending")[0][0]
        report.equal(left, 0, "the number of entries left unsealed")
