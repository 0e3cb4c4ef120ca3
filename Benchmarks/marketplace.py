"""The routes for people: how fast pages are read, how fast a search is among few and many instructors."""

from __future__ import annotations

import datetime
import random
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import measure
from fill import PostgresSink, SQLiteSink, ulid
from harness import Client, Failed, Server

READS = ("auth/me", "instructor", "catalog", "availability")
FEW, MANY = 200, 20_000
DAY = 86_400_000_000
AVAILABLE_DAYS = 28

FIRST = (
    "Maria Zoe Noah Liam Emma Ava Mia Luca Ivy Ruth Omar Nina Hugo Iris Theo Lena Amir Jada Cole Esme Rosa "
    "Finn Cleo Dina Ezra Faye Gwen Hana Igor June Kai Lila Milo Nora Otis Paul Remy Sara Tara Uma Vera Wade "
    "Yara Zane Alba Bea Cruz Dara Elio Fern"
).split()
LAST = "Abbott Baker Castro Diaz Evans Foster Garcia Hughes Ito Jones Kim Lopez Moore Novak Ortiz Patel".split()

USER_COLUMNS = (
    "id,email,hashed_password,first_name,last_name,phone_verified,zip_code,timezone,is_active,account_status,"
    "account_locked,account_restricted,credit_balance_cents,credit_balance_frozen,created_at,updated_at"
)
PROFILE_COLUMNS = (
    "id,user_id,is_live,live_since,bgc_status,bgc_status_at,bgc_completed_at,identity_verified_at,bio,"
    "years_experience,is_founding_instructor,skills_configured,created_at,updated_at"
)
SERVICE_COLUMNS = (
    "id,instructor_profile_id,service_catalog_id,hourly_rate_cents,description,duration_options,teaches_kids,"
    "teaches_adults,offers_travel,offers_at_location,offers_online,is_active,created_at,updated_at"
)
AREA_COLUMNS = "instructor_id,neighborhood_id,is_active,coverage_type,created_at,updated_at"


class Teachers:
    """Instructors whom students can book, numbered; the same number is always the same."""

    def __init__(self, numbers: range, catalog: list[str], areas: list[str], now: int, is_postgres: bool):
        self.numbers, self.catalog, self.areas, self.now = numbers, catalog, areas, now
        self.is_postgres = is_postgres

    def id(self, number: int, kind: int = 0) -> str:
        return ulid(self.now - 60 * DAY, number * 8 + kind)

    def users(self) -> Iterator[tuple]:
        for n in self.numbers:
            first, last = FIRST[n % len(FIRST)], LAST[n * 7 % len(LAST)]
            yield (self.id(n), f"teacher{n}@example.com", "$none", first, last, 0, "10001", "America/New_York") + (
                (1, "active", 0, 0, 0, 0, self.now, self.now)
            )

    def roles(self) -> Iterator[tuple]:
        return ((self.id(n), "instructor", self.now) for n in self.numbers)

    def profiles(self) -> Iterator[tuple]:
        bio = "Patient, and at it for many years. " * 8
        for n in self.numbers:
            yield (self.id(n, 1), self.id(n), 1, self.now, "passed", self.now, self.now, self.now, bio) + (
                (n % 30, 1 if n < 100 else 0, 1, self.now, self.now)
            )

    def services(self) -> Iterator[tuple]:
        for n in self.numbers:
            chosen = random.Random(n).sample(self.catalog, 3)
            for index, service in enumerate(chosen):
                rate = 6_000 + n * 137 % 12_000
                yield (self.id(n, 2 + index), self.id(n, 1), service, rate, "From the beginning.", "[30,60]") + (
                    (1, 1, n % 2, 0, 1, 1, self.now, self.now)
                )

    def service_areas(self) -> Iterator[tuple]:
        for n in self.numbers:
            for area in random.Random(n).sample(self.areas, 3):
                yield (self.id(n), area, 1, "primary", self.now, self.now)

    def days(self) -> Iterator[tuple]:
        """Nine to five, in slots of five minutes, least significant bit first."""
        slots = sum(1 << slot for slot in range(108, 204)).to_bytes(36, "little")
        bits = "\\x" + slots.hex() if self.is_postgres else slots
        today = datetime.date.today()
        for n in self.numbers:
            for day in range(AVAILABLE_DAYS):
                yield (self.id(n), str(today + datetime.timedelta(days=day)), bits, self.now)

    def insert(self, sink) -> None:
        sink.insert("users", USER_COLUMNS, self.users())
        sink.insert("user_roles", "user_id,role,assigned_at", self.roles())
        sink.insert("instructor_profiles", PROFILE_COLUMNS, self.profiles())
        sink.insert("instructor_services", SERVICE_COLUMNS, self.services())
        sink.insert("instructor_service_areas", AREA_COLUMNS, self.service_areas())
        sink.insert("availability_days", "instructor_id,day_date,bits,updated_at", self.days())


class Marketplace:
    """The part `people`, on one database."""

    def __init__(self, server: Server, database, folder: Path, echo: str, rounds: int, seconds: float):
        self.server, self.database, self.folder, self.echo = server, database, folder, echo
        self.rounds, self.seconds = rounds, seconds
        self.now = int(time.time() * 1_000_000)

    def measure(self) -> dict:
        self.catalog = self.database.rows("SELECT id, name FROM service_catalog ORDER BY id")
        self.fill(range(FEW))
        found = {"reads": self.reads(self.student()), "search": {str(FEW): self.searches()}}
        self.fill(range(FEW, MANY))
        found["search"][str(MANY)] = self.searches()
        found["demo_seconds"] = demo(self.server, self.folder)
        return found

    def fill(self, numbers: range) -> None:
        self.server.stop(timeout=60)
        is_postgres = self.database.name == "postgres"
        sink = PostgresSink(self.database.url) if is_postgres else SQLiteSink(str(self.database.path))
        areas = [id for (id,) in self.database.rows("SELECT id FROM region_boundaries ORDER BY id")]
        catalog = [id for id, _ in self.catalog]
        self.teachers = Teachers(numbers, catalog, areas, self.now, is_postgres)
        self.teachers.insert(sink)
        sink.close()
        self.server.start()

    def student(self) -> str:
        """Signs one in."""
        done = self.server.command("user", "create", "--email", "zeb@example.com", "--role", "student")
        if done.returncode != 0:
            raise Failed(f"user create: {done.stdout}{done.stderr}")
        form = {"username": "zeb@example.com", "password": done.stdout.strip().splitlines()[-1]}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode(form).encode()
        answer = Client(self.server.url).post("/api/v1/auth/login", body, headers)
        if answer.status != 200:
            raise Failed(f"auth/login was answered {answer}")
        return answer.json["access_token"]

    def reads(self, token: str) -> dict:
        """Closed loop at 32 connections, every page and the echo in turn, round after round."""
        ids = self.folder / "teachers"
        ids.write_text("\n".join(self.teachers.id(n) for n in range(FEW)) + "\n")
        return measure.calls(self.server, self.echo, token, ids, self.rounds, self.seconds, READS)

    def searches(self) -> dict:
        """One connection, and every search of a list in turn: services, names, beginnings, nothing."""
        names = [name.lower() for _, name in self.catalog]
        words = names + FIRST[:10] + [name[:4] for name in names[:10]] + [f"{name} lessons near me" for name in names]
        words += ["xylotherapy", "qqq"]
        file = self.folder / "words"
        file.write_text("\n".join(urllib.parse.quote(word) for word in words) + "\n")
        runs = [
            measure.wrk(self.server.url, "search", "", file, 1, self.seconds) for _ in range(self.rounds)
        ]
        keys = ("per_second", "p50_ms", "p95_ms", "p99_ms")
        return {key: measure.median([run[key] for run in runs]) for key in keys}


def demo(server: Server, folder: Path) -> float:
    """From the start of `demo` on an empty SQLite folder until it listens, a month of webhooks included."""
    data = folder / "demo"
    data.mkdir()
    log = data / "demo.log"
    environment = {key: value for key, value in server.environment.items() if key != "DATABASE_URL"}
    start = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [server.binary, "demo", "--data", str(data), "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=data,
        )
    try:
        while b"http://127.0.0.1:" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() - start > 900:
                raise Failed(f"the demo did not start: {log.read_text()[-1_000:]}")
            time.sleep(0.05)
        return time.monotonic() - start
    finally:
        process.kill()
        process.wait()
