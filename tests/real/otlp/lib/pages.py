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
    """Spans of the run with something of everything, and of a recorded one."""
    concierge, airline = ([span for span in seen if span.trace == trace] for trace in (named["concierge"], named.get("airline-0-0")))

    def first(spans, holds):
        return next((span for span in spans if holds(span)), None)

    yield "agent", first(concierge, lambda span: span.kind == "agent" and not span.parent)
    yield "guardrail", first(concierge, lambda span: span.kind == "guardrail")
    yield "retriever", first(concierge, lambda span: span.kind == "retriever" and span.children)
    yield "error", first(concierge, lambda span: span.failed)
    yield "run", first(airline, lambda span: span.kind == "agent")
    yield "tool", first(airline, lambda span: span.kind == "tool")
    yield "llm", max((span for span in airline if span.kind == "llm"), key=lambda span: span.tokens, default=None)


def of_phoenix(service, named, seen):
    project = phoenix.project(service)["id"]
    nodes = {(one["context"]["trace_id"], one["context"]["span_id"]): one["id"] for one in phoenix.pages(service)}
    yield "list", f"/projects/{project}/traces"
    yield "sessions", f"/projects/{project}/sessions"
    for what, span in some(named, seen):
        if span:
            yield what, f"/projects/{project}/traces/{span.trace}?selectedSpanNodeId={nodes[span.trace, span.id]}"


def of_mlflow(_service, named, seen):
    """Its addresses lead to a trace, not to a span."""
    yield "list", "/#/experiments/0/traces"
    for what, span in some(named, seen):
        if span and span.parent is None:
            yield what, f"/#/experiments/0/traces?selectedEvaluationId=tr-{span.trace}"
