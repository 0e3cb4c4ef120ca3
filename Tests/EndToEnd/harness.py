"""Starts the real binary, signs webhooks, and looks into its database.

Used by every suite that drives the server from outside. Needs nothing but
Python's own library and, for PostgreSQL, `psql`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import http.client
import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

STRIPE_SECRET = "whsec_suite_stripe_secret"
CHECKR_KEY = "suite_checkr_api_key"
CHECKR_USER = "checkr"
CHECKR_PASSWORD = "suite-password"
STRIPE_PATH = "/api/v1/payments/webhooks/stripe"
CHECKR_PATH = "/api/v1/webhooks/checkr"
REST = "/api/v1/admin/mcp/"

START_TIMEOUT = 30.0


class Failed(Exception):
    """What was expected did not happen; the text says what did."""


# Signing


def stripe_headers(body: bytes, secret: str = STRIPE_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers Stripe sends with `body`."""
    seconds = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={seconds},v1={mac}"}


def checkr_headers(body: bytes, key: str = CHECKR_KEY) -> dict[str, str]:
    """The headers Checkr sends with `body`."""
    credentials = base64.b64encode(f"{CHECKR_USER}:{CHECKR_PASSWORD}".encode()).decode()
    return {
        "Content-Type": "application/json",
        "Authorization": f"Basic {credentials}",
        "X-Checkr-Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest(),
    }


def stripe_event(event_id: str, kind: str, item: dict, account: str | None = None) -> bytes:
    """The body of a Stripe event about `item`."""
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2025-12-15.clover",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": item},
    }
    if account:
        event["account"] = account
    return json.dumps(event).encode()


def checkr_event(event_id: str, kind: str, item: dict) -> bytes:
    """The body of a Checkr event about `item`."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps(
        {"id": event_id, "object": "event", "type": kind, "created_at": now, "data": {"object": item}}
    ).encode()


def ulid(seed: random.Random, at: float | None = None) -> str:
    """A ULID of the given time, its random half from `seed`."""
    value = int((time.time() if at is None else at) * 1000) << 80 | seed.getrandbits(80)
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(digits[value >> shift & 31] for shift in range(125, -1, -5))


# Databases


class SQLiteFile:
    """The SQLite file of a data folder, opened beside the server."""

    name = "sqlite"
    url = None

    def __init__(self, data: Path):
        self.path = data / "instainstru.sqlite"

    def rows(self, sql: str) -> list[tuple]:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def run(self, sql: str) -> None:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            connection.executescript(sql)
        finally:
            connection.close()

    def insert(self, table: str, columns: str, rows: list[tuple]) -> None:
        marks = ",".join("?" * len(columns.split(",")))
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            with connection:
                connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        finally:
            connection.close()


class PostgresDatabase:
    """A new database of the server that TEST_POSTGRES_URL names."""

    name = "postgres"

    def __init__(self, admin_url: str | None = None):
        self.admin_url = admin_url or os.environ["TEST_POSTGRES_URL"]
        self.database = f"suite_{os.getpid()}_{random.SystemRandom().getrandbits(32):08x}"
        parts = urllib.parse.urlsplit(self.admin_url)
        self.url = urllib.parse.urlunsplit(parts._replace(path="/" + self.database))
        self._psql(self.admin_url, f"CREATE DATABASE {self.database}")

    @staticmethod
    def _psql(url: str, sql: str, *options: str) -> str:
        command = ["psql", url, "-X", "-q", "-v", "ON_ERROR_STOP=1", *options]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr.strip()}")
        return done.stdout

    def rows(self, sql: str) -> list[tuple]:
        copied = self._psql(self.url, f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, NULL '\\N')")
        return [tuple(_typed(cell) for cell in row) for row in csv.reader(io.StringIO(copied, newline=""))]

    def run(self, sql: str) -> None:
        self._psql(self.url, sql)

    def insert(self, table: str, columns: str, rows: list[tuple]) -> None:
        lines = "\n".join("\t".join(_copied(cell) for cell in row) for row in rows)
        self._psql(self.url, f"COPY {table} ({columns}) FROM STDIN;\n{lines}\n\\.\n")

    def drop(self) -> None:
        self._psql(self.admin_url, f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")


class PostgresServer:
    """The server behind TEST_POSTGRES_URL, to be restarted under load."""

    def __init__(self, admin_url: str | None = None):
        url = admin_url or os.environ["TEST_POSTGRES_URL"]
        self.data = PostgresDatabase._psql(url, "SHOW data_directory", "-A", "-t").strip()
        binary = PostgresDatabase._psql(
            url, "SELECT setting FROM pg_config WHERE name = 'BINDIR'", "-A", "-t"
        )
        self.pg_ctl = str(Path(binary.strip()) / "pg_ctl")
        self.log = str(Path(self.data) / "log-restarts")

    def restart(self, mode: str) -> None:
        """Stops it (`fast`: clients are cut off; `immediate`: as in a crash) and starts it as it was."""
        command = [self.pg_ctl, "-D", self.data, "-m", mode, "-w", "-t", "60", "-l", self.log, "restart"]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/")
        if done.returncode != 0:
            raise Failed(f"PostgreSQL did not restart: {done.stdout} {done.stderr}")


def _typed(cell: str):
    if cell == "\\N":
        return None
    return int(cell) if re.fullmatch(r"-?\d{1,18}", cell) else cell


def _copied(cell) -> str:
    if cell is None:
        return "\\N"
    if isinstance(cell, bool):
        return "t" if cell else "f"
    return str(cell).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


# The server


class Server:
    """One instance of the binary over one data folder and one database."""

    def __init__(
        self, binary: str, data: Path, database_url: str | None = None, settings: dict[str, str] | None = None
    ):
        self.binary = str(Path(binary).resolve())
        self.data = data
        self.settings = {
            "STRIPE_WEBHOOK_SECRET": STRIPE_SECRET,
            "CHECKR_API_KEY": CHECKR_KEY,
            "CHECKR_WEBHOOK_USER": CHECKR_USER,
            "CHECKR_WEBHOOK_PASS": CHECKR_PASSWORD,
            "RATE_LIMIT_PER_MINUTE": "0",
            "ENVIRONMENT": "test",
            **(settings or {}),
        }
        if database_url:
            self.settings["DATABASE_URL"] = database_url
        self.log = data / "server.log"
        self.process: subprocess.Popen | None = None
        self.workers: list[subprocess.Popen] = []
        self.url = ""
        data.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        # Nothing of the caller's own settings may leak in.
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        return {**kept, **self.settings}

    def command(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess:
        """Runs another of the binary's commands over the same data."""
        return subprocess.run(
            [self.binary, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment,
            cwd=self.data,
        )

    def start(self) -> Server:
        """Starts it on a free port and waits until it is healthy."""
        offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.data,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"the server ended with code {self.process.returncode}:\n{self.log_tail()}")
            with self.log.open("rb") as log:
                log.seek(offset)
                found = re.search(rb"listening on (http://\S+?)[\"\s]", log.read())
            if found:
                self.url = found.group(1).decode().rstrip("/")
                if self._is_healthy():
                    return self
            time.sleep(0.01)
        raise Failed(f"the server did not become healthy:\n{self.log_tail()}")

    def start_worker(self) -> None:
        """Starts a process that only works off jobs."""
        with (self.data / "worker.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [self.binary, "worker", "--data", str(self.data)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    cwd=self.data,
                )
            )

    def _is_healthy(self) -> bool:
        try:
            return Client(self.url, timeout=2).get("/health").status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9, of the workers too."""
        for process in [self.process, *self.workers]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        self.workers = []

    def stop(self, timeout: float = 20) -> int:
        """Asks it to end, and returns its exit code."""
        for process in [*self.workers, self.process]:
            if process and process.poll() is None:
                process.terminate()
        for process in [*self.workers, self.process]:
            if process:
                try:
                    process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    raise Failed(f"pid {process.pid} did not end within {timeout} s of SIGTERM") from None
        self.workers = []
        return self.process.returncode if self.process else 0

    def log_tail(self, lines: int = 30) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def token(self, name: str, scopes: str = "mcp:read,mcp:write", expires: str = "90d") -> str:
        """A new service token."""
        done = self.command(
            "token",
            "create",
            "--name",
            name,
            "--owner",
            "suite@example.com",
            "--scopes",
            scopes,
            "--expires",
            expires,
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise Failed(f"token create ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout.strip().splitlines()[-1]


class Answer:
    """Status, headers and body of an HTTP answer."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One keep-alive connection; opens a new one after an error."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 30):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.token, self.timeout = token, timeout
        self.connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict | None = None
    ) -> Answer:
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            self.connection.request(method, path, body=body, headers=sent)
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise error if isinstance(error, OSError) else ConnectionError(repr(error)) from None
        if answer.headers.get("Connection", "").lower() == "close":
            self.close()
        return answer

    def get(self, path: str, headers: dict | None = None) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: bytes, headers: dict | None = None) -> Answer:
        return self.request("POST", path, body, headers)

    def post_json(self, path: str, value, headers: dict | None = None) -> Answer:
        return self.post(
            path, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def stripe(self, body: bytes) -> Answer:
        return self.post(STRIPE_PATH, body, stripe_headers(body))

    def checkr(self, body: bytes) -> Answer:
        return self.post(CHECKR_PATH, body, checkr_headers(body))

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Scratch:
    """A temporary folder that is kept, and named, when the suite fails."""

    def __init__(self, name: str):
        self.path = Path(tempfile.mkdtemp(prefix=f"instainstru-{name}."))

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print(f"kept for a look: {self.path}")


def wait_until(what: str, probe, timeout: float = 30, every: float = 0.1):
    """Polls `probe` until it is true, and returns what it gave."""
    deadline = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"waited {timeout} s in vain for {what}")
        time.sleep(every)


class Counter:
    """A number that threads may raise."""

    def __init__(self, start: int = 0):
        self._lock, self.value = threading.Lock(), start

    def next(self) -> int:
        with self._lock:
            self.value += 1
            return self.value
