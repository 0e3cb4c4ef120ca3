"""People on a running server: accounts, a teacher's life and what a student does with it.

Used by the suites that call the routes for people. Accounts are made at the
command line; the rest goes over HTTP, but for the steps that need somebody else's
systems, which are rows.
"""

from __future__ import annotations

import datetime
import json
import time
import urllib.parse

from harness import Client, Failed, Server

API = "/api/v1/"


class Person:
    """An account with its password; signed in when a token is asked for."""

    def __init__(self, server: Server, role: str, name: str):
        self.server, self.role, self.email = server, role, f"{name}@example.com"
        done = server.command(
            "user", "create", "--email", self.email, "--role", role, "--first-name", name.title()
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise Failed(f"user create ended with {done.returncode}: {done.stdout}{done.stderr}")
        self.password = done.stdout.strip().splitlines()[-1]
        self.token = self.sign_in()
        self.id = self.get("auth/me")["id"]

    def sign_in(self) -> str:
        """A new session's access token."""
        form = urllib.parse.urlencode({"username": self.email, "password": self.password})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = Client(self.server.url).post(API + "auth/login", form.encode(), headers)
        if answer.status != 200:
            raise Failed(f"{self.email} was not let in: {answer}")
        return answer.json["access_token"]

    def get(self, path: str):
        return self._checked("GET", path, Client(self.server.url, self.token).get(API + path))

    def send(self, method: str, path: str, value: dict):
        """The answer to a body that has to be accepted."""
        client = Client(self.server.url, self.token)
        headers = {"Content-Type": "application/json"}
        answer = client.request(method, API + path, json.dumps(value).encode(), headers)
        return self._checked(method, path, answer)

    @staticmethod
    def _checked(method: str, path: str, answer):
        if not 200 <= answer.status < 300:
            raise Failed(f"{method} {path} was answered {answer}")
        return answer.json


class People:
    """An administrator, an instructor whom everybody finds, a student, and what they did."""

    def __init__(self, server: Server, database):
        self.server, self.database = server, database
        self.admin = Person(server, "admin", "ada")
        self.instructor = Person(server, "instructor", "maria")
        self.student = Person(server, "student", "zeb")
        # Of whom others may dispose.
        self.spare = [Person(server, "student", f"spare{n}") for n in range(2)]
        self._teach()
        self._learn()
        self._administer()

    def _teach(self) -> None:
        catalog = self.admin.get("services/catalog")
        services = catalog if isinstance(catalog, list) else next(v for v in catalog.values() if v)
        offers = [{"service_catalog_id": item["id"], "hourly_rate": 120} for item in services[:3]]
        body = {"bio": "Twenty years of scales.", "years_experience": 20, "services": offers}
        self.instructor.send("PUT", "instructors/me", body)
        today = datetime.date.today()
        monday = today + datetime.timedelta(days=7 - today.weekday())
        hours = [
            {"date": str(monday + datetime.timedelta(days=day)), "start_time": "09:00", "end_time": "17:00"}
            for day in range(5)
        ]
        self.instructor.send(
            "POST", "instructors/availability/week", {"week_start": str(monday), "schedule": hours}
        )
        self.instructor.send(
            "POST",
            "instructors/availability/blackout-dates",
            {"date": str(monday + datetime.timedelta(days=30)), "reason": "away"},
        )
        now = int(time.time() * 1_000_000)
        self.database.run(f"""
            UPDATE instructor_profiles SET bgc_status = 'passed', bgc_completed_at = {now},
            identity_verified_at = {now}, is_live = 1, live_since = {now} WHERE user_id = '{self.instructor.id}';
            """)

    def _learn(self) -> None:
        address = {
            "label": "home",
            "recipient_name": "Zeb",
            "street_line1": "7 Marlinspike Row",
            "locality": "New York",
            "administrative_area": "NY",
            "postal_code": "10002",
        }
        self.student.send("POST", "addresses/me", address)
        self.instructor.send("POST", "addresses/me", address)
        now = int(time.time() * 1_000_000)
        id = "01KAQ0000000000000000000BK"
        self.database.run(f"""
            INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, updated_at)
            VALUES ('{id}', '{self.student.id}', '{self.instructor.id}', 'COMPLETED', 'settled', {now}, {now});
            """)
        said = {"instructor_id": self.instructor.id, "initial_message": "Do you teach beginners?"}
        self.student.send("POST", "conversations", said)
        self.student.get("search?q=maria")
        self.student.send("POST", "referrals/me", {})
        self.student.send("POST", "public/session/guest", {})
        self.student.send("POST", "reviews", {"booking_id": id, "rating": 5, "review_text": "Patient and clear."})
        self.student.send(
            "POST", "search-history", {"search_query": "maria", "search_type": "natural_language"}
        )

    def _administer(self) -> None:
        self.admin.send("POST", "beta/invites/generate", {"count": 3})

    def known(self) -> dict[str, list[str]]:
        """Ids, by what they are of; texts that mean something, by the field that takes them."""

        def ids(sql: str) -> list[str]:
            return [id for (id,) in self.database.rows(sql)]

        return {
            "users": [self.instructor.id, self.student.id],
            "spare": [person.id for person in self.spare],
            "emails": [self.student.email, self.spare[0].email],
            "areas": ids("SELECT id FROM region_boundaries ORDER BY id LIMIT 5"),
            "slugs": ids("SELECT vanity_slug FROM referral_codes WHERE vanity_slug IS NOT NULL"),
            "guests": ids("SELECT id FROM guest_sessions"),
            "reviews": ids("SELECT id FROM reviews"),
            "history": ids("SELECT id FROM search_history"),
            "profiles": ids("SELECT id FROM instructor_profiles"),
            "services": ids("SELECT id FROM instructor_services"),
            "catalog": ids("SELECT id FROM service_catalog ORDER BY id LIMIT 5"),
            "conversations": ids("SELECT id FROM conversations"),
            "messages": ids("SELECT id FROM messages"),
            "notifications": ids("SELECT id FROM notifications"),
            "addresses": ids("SELECT id FROM user_addresses"),
            "blackouts": ids("SELECT id FROM blackout_dates"),
            "bookings": ids("SELECT id FROM bookings"),
            "searches": ids("SELECT id FROM search_queries"),
            "invites": ids("SELECT code FROM beta_invites"),
        }
