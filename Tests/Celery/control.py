"""Starts and ends the members of the test cluster, and sends it tasks.

    control.py start worker|beat|flower     waits until it is ready
    control.py stop worker|beat|flower      SIGTERM, then SIGKILL
    control.py kill worker|beat|flower      SIGKILL to it and its children
    control.py freeze worker|beat|flower    SIGSTOP: it is there and does not answer
    control.py thaw worker|beat|flower
    control.py pid worker|beat|flower
    control.py send <task> [<arguments as JSON> [<queue> [<how many>]]]
                                            prints a task id per line

Works on the cluster of Scripts/with-celery, which TEST_CELERY_FOLDER names.
"""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

FOLDER = pathlib.Path(os.environ["TEST_CELERY_FOLDER"])
HERE = pathlib.Path(__file__).parent
WORKER = "w1@test"
PATIENCE = 40


def command(name):
    celery = [sys.executable, "-m", "celery", "-A", "shop"]
    if name == "worker":
        return celery + ["worker", "--pool=prefork", "--concurrency=2", "-Q", "celery,payments",
                         "-n", WORKER, "-E", "--loglevel=INFO"]
    if name == "beat":
        return celery + ["beat", "-s", str(FOLDER / "beat.db"), "--pidfile=", "--loglevel=INFO"]
    if name == "flower":
        user, password = os.environ["TEST_FLOWER_USER"], os.environ["TEST_FLOWER_PASSWORD"]
        port = os.environ["TEST_FLOWER_URL"].rsplit(":", 1)[1]
        return celery + ["flower", "--address=127.0.0.1", f"--port={port}", "--inspect_timeout=1000",
                         f"--basic-auth={user}:{password}"]
    raise SystemExit(f"control.py: there is no '{name}'; there are worker, beat and flower")


def pid(name):
    return int((FOLDER / f"{name}.pid").read_text())


def is_running(name):
    """Whether a process of its group lives; one that nobody has waited for does not."""
    try:
        group = pid(name)
    except FileNotFoundError:
        return False
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            return True
    return False


def start(name):
    if is_running(name):
        raise SystemExit(f"control.py: the {name} runs already")
    log = open(FOLDER / f"{name}.log", "w", encoding="utf-8")
    # A group of its own, so that its children can be ended with it.
    process = subprocess.Popen(command(name), cwd=HERE, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, start_new_session=True)
    (FOLDER / f"{name}.pid").write_text(str(process.pid))
    deadline = time.monotonic() + PATIENCE
    while not is_ready(name):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.stderr.write((FOLDER / f"{name}.log").read_text())
            raise SystemExit(f"control.py: the {name} did not become ready")
        time.sleep(0.1)


def is_ready(name):
    if name == "flower":
        # Listening, and told by its worker's heartbeat that there is one.
        return not is_running("worker") and flower("/api/workers?status=1") is not None or bool(
            (flower("/api/workers?status=1") or {}).get(WORKER))
    words = {"worker": " ready.", "beat": "beat: Starting"}[name]
    return words in (FOLDER / f"{name}.log").read_text()


def flower(path):
    login = f"{os.environ['TEST_FLOWER_USER']}:{os.environ['TEST_FLOWER_PASSWORD']}".encode()
    request = urllib.request.Request(os.environ["TEST_FLOWER_URL"] + path, headers={
        "Authorization": "Basic " + base64.b64encode(login).decode()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None


def end(name, how):
    deadline = time.monotonic() + 10
    while is_running(name):
        try:
            os.killpg(pid(name), how)
        except ProcessLookupError:
            pass
        while is_running(name) and time.monotonic() < deadline:
            time.sleep(0.05)
        how = signal.SIGKILL
        deadline = time.monotonic() + 1
    (FOLDER / f"{name}.pid").unlink(missing_ok=True)


def send(name, arguments="[]", queue=None, count="1"):
    sys.path.insert(0, str(HERE))
    from shop import app

    options = {"queue": queue} if queue else {}
    with app.connection_for_write() as connection:
        for _ in range(int(count)):
            print(app.send_task(name, json.loads(arguments), connection=connection, **options).id)


def main(verb, *rest):
    if verb == "start":
        start(*rest)
    elif verb == "stop":
        end(*rest, signal.SIGTERM)
    elif verb == "kill":
        end(*rest, signal.SIGKILL)
    elif verb == "freeze":
        os.killpg(pid(*rest), signal.SIGSTOP)
    elif verb == "thaw":
        os.killpg(pid(*rest), signal.SIGCONT)
    elif verb == "pid":
        print(pid(*rest))
    elif verb == "send":
        send(*rest)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["help"])
