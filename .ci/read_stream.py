"""Reads the example's server with nothing but Python's own library: both runs, whole, and resumable at every event."""

import json
import sys
import urllib.request

base = sys.argv[1]


def get(path, headers=None):
    return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers or {}), timeout=120)


def frames(response, last):
    """The events up to one of a given type."""
    found, event = [], {}
    for raw in response:
        line = raw.decode().rstrip("\n")
        if line:
            name, _, value = line.partition(":")
            if name:
                event[name] = value.removeprefix(" ")
        elif "data" in event:
            found.append((event.get("id"), json.loads(event["data"])))
            if event["event"] == last:
                return found
            event = {}
    return found


runs = json.load(get("/executions"))
runs = runs["executions"] if isinstance(runs, dict) else runs
assert len(runs) == 2, runs
assert all(run["status"] == "completed" for run in runs), runs
for run in runs:
    name = run["execution_id"]
    whole = frames(get(f"/executions/{name}/stream?from=start"), "data-execution-end")
    kinds = [event["type"] for _, event in whole]
    assert kinds[0] == "data-connected" and kinds[1] == "data-execution-start", kinds[:3]
    for kind in ("data-llm-call-end", "data-tool-output-available", "data-agent-end", "data-memory-recalled",
                 "data-guardrail-evaluated", "data-text-end", "data-token-usage"):
        assert kind in kinds, kind
    numbered = [(cursor, event) for cursor, event in whole if cursor and event["type"] != "data-connected"]
    for at in range(0, len(numbered) - 1, 7):
        rest = frames(get(f"/executions/{name}/stream", {"Last-Event-ID": numbered[at][0]}), "data-execution-end")
        ids = [cursor for cursor, event in rest if cursor and event["type"] != "data-connected"]
        assert ids == [cursor for cursor, _ in numbered[at + 1:]], (at, ids)
    page = json.load(get(f"/executions/{name}/events?limit=1000"))
    assert page["complete"] and page["events"][0]["event_type"] == "execution_start"
    assert [event["sequence"] for event in page["events"]] == list(range(1, len(page["events"]) + 1))
    print(f"{name}: {len(numbered)} events read, resumed and compared")
