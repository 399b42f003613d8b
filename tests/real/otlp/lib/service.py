"""Back ends as children of this program: started on free ports of the loopback, asked over HTTP, stopped whatever happens."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 600
# Who is told to end stops what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def ports():
    """Two that are free now."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def started(start, *before):
    """What `start` gives, with two ports. Somebody else may have one of them by then: that is no fault of a back end."""
    for _ in range(2):
        try:
            return start(*before, *ports())
        except RuntimeError as error:
            print(f"started once more: {error}", file=sys.stderr, flush=True)
    return start(*before, *ports())


class Service:
    """A process with its children, in a group of its own, so that all of it can be stopped."""

    def __init__(self, command, variables, log, base):
        self.base, self.log = base, pathlib.Path(log)
        # None of this machine's own settings of exporters.
        inherited = {key: text for key, text in os.environ.items() if not key.startswith("OTEL_")}
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [str(word) for word in command], env=inherited | variables, cwd=self.log.parent, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ready(self, path):
        """Waits until it answers."""
        try:
            until(lambda: self.answers(path), bool, "to answer")
        except BaseException:
            self.stop()
            raise
        return self

    def answers(self, path):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[0]} ended: {self.said()}")
        try:
            with urllib.request.urlopen(self.base + path, timeout=30):
                return True
        except OSError:
            return False

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def stop(self):
        for sign, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(patience)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        # What its leader left behind.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def until(ask, holds, what="to have everything"):
    """Asks until the answer is as wanted, or for so long that it will not come: then the last answer."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if holds(answer):
            return answer
        if time.monotonic() > end:
            if answer:
                return answer
            raise TimeoutError(f"waited {PATIENCE} s for a back end {what}")
        time.sleep(1)


def call(service, path, body=None):
    """The JSON of an answer."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(service.base + path, json.dumps(body).encode() if body is not None else None, headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{path}: {error.code} {error.read(500)!r}") from error
