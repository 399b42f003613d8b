"""Pictures of the pages of back ends, for looking at: with whatever Chromium there is."""

import shutil
import subprocess
import sys
import tempfile

import phoenix

SIZE = "1500,1000"
PATIENCE_MS = 20_000


def shoot(name, service, named, seen, folder):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("skipped: pictures, there is no Chromium", file=sys.stderr)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for what, url in {"phoenix": of_phoenix, "mlflow": of_mlflow}[name](service, named, seen):
        shot(browser, service.base + url, folder / f"{name}-{what}.png")


def shot(browser, url, file):
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}", f"--window-size={SIZE}"]
        command = [browser, *flags, f"--virtual-time-budget={PATIENCE_MS}", f"--screenshot={file}", url]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180, check=False)


def some(named, seen):
    """The run with something of everything, a recorded one, and a few spans in them."""
    concierge, airline = named["concierge"], named.get("airline-0-0", named["concierge"])
    def first(trace, kind):
        return next(span for span in seen if span.trace == trace and span.kind == kind)

    for what, trace, kind in (
        ("agent", concierge, "agent"), ("guardrail", concierge, "guardrail"), ("retriever", concierge, "retriever"),
        ("run", airline, "agent"), ("llm", airline, "llm"), ("tool", airline, "tool"), ("error", concierge, "tool"),
    ):
        span = first(trace, kind)
        if what == "error":
            span = next(span for span in seen if span.trace == trace and span.failed)
        if what == "llm":
            span = [span for span in seen if span.trace == trace and span.kind == "llm"][-1]
        yield what, span


def of_phoenix(service, named, seen):
    project = phoenix.project(service)["id"]
    ids = {(span.trace, span.id): span for span in seen}
    nodes = {(one["context"]["trace_id"], one["context"]["span_id"]): one["id"] for one in phoenix.pages(service)}
    yield "list", f"/projects/{project}/traces"
    yield "sessions", f"/projects/{project}/sessions"
    for what, span in some(named, ids.values()):
        yield what, f"/projects/{project}/traces/{span.trace}?selectedSpanNodeId={nodes[span.trace, span.id]}"


def of_mlflow(_service, named, seen):
    yield "list", "/#/experiments/0/traces"
    for what, span in some(named, seen):
        yield what, f"/#/experiments/0/traces?selectedEvaluationId=tr-{span.trace}&selectedSpanId={span.id}"
