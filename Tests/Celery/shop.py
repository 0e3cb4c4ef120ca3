"""The tasks of the test cluster: one for each way in which a task can end."""

import os
import time

from celery import Celery
from celery.schedules import crontab

app = Celery("shop", broker=os.environ["CELERY_BROKER"], backend=os.environ["CELERY_BROKER"])
app.conf.update(
    beat_schedule={
        "tick-every-2s": {"task": "shop.tick", "schedule": 2.0},
        "report-twice-a-day": {"task": "shop.report", "schedule": crontab(minute=30, hour="3,15")},
    },
    broker_connection_retry_on_startup=True,
    task_default_queue="celery",
    task_routes={"app.tasks.payment_tasks.*": {"queue": "payments"}},
    task_send_sent_event=True,
    task_track_started=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
)


@app.task(name="shop.add")
def add(a, b):
    return a + b


@app.task(name="shop.boom")
def boom(note="none"):
    # What must not be shown: a credential, and a text turned around.
    raise ValueError(f"no card for {note}: password=hunter2secret \u202e\u200bend")


@app.task(name="shop.slow")
def slow(seconds):
    time.sleep(seconds)
    return "rested"


@app.task(name="shop.flaky", bind=True, max_retries=5)
def flaky(self, failures):
    if self.request.retries < failures:
        raise self.retry(exc=RuntimeError("not yet"), countdown=0)
    return self.request.retries


@app.task(name="shop.later", bind=True, max_retries=5)
def later(self):
    raise self.retry(exc=RuntimeError("the provider is closed"), countdown=600)


@app.task(name="shop.tick")
def tick():
    return None


@app.task(name="shop.report")
def report():
    return "nothing to report"


@app.task(name="app.tasks.payment_tasks.capture_completed_lessons")
def capture_completed_lessons():
    return {"captured": 0}
