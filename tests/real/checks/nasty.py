"""Texts that would split a frame, through the Python clients: what arrives is what was sent."""

import datetime
import importlib.metadata
import itertools
import json
import pathlib
import sys

import httpx
import httpx_sse
import requests
import requests_sse
import sseclient

base = sys.argv[1]
nasty = json.loads((pathlib.Path(__file__).parent.parent / "nasty.json").read_text(encoding="utf-8"))
runs = requests.get(f"{base}/executions", timeout=120).json()["executions"]
url = f"{base}/executions/{runs[-1]['execution_id']}/stream"


def by_httpx_sse():
    with httpx.Client(timeout=120) as client, httpx_sse.connect_sse(client, "GET", url) as source:
        return [(event.event, event.data, event.id) for event in source.iter_sse()]


def by_sseclient_py():
    events = sseclient.SSEClient(requests.get(url, stream=True, timeout=120)).events()
    return [(event.event, event.data, event.id) for event in events]


def by_requests_sse():
    found = []
    with requests_sse.EventSource(
        url, timeout=120, reconnection_time=datetime.timedelta(0), max_connect_retry=0
    ) as source:
        for event in source:
            found.append((event.type, event.data, event.last_event_id))
            if event.type == "data-execution-end":
                return found


first = None
for read in (by_httpx_sse, by_sseclient_py, by_requests_sse):
    # requests-sse takes all spaces before a value, where the standard takes one.
    seen = [(kind.lstrip(), data, cursor) for kind, data, cursor in read() if kind != "data-ping"]
    events = [(kind, json.loads(data)) for kind, data, _ in seen]
    texts = [event["final_text"] for kind, event in events if kind == "data-text-end"]
    assert texts == nasty["texts"], (read.__name__, texts)
    first = first or seen
    differ = [pair for pair in itertools.zip_longest(seen, first) if pair[0] != pair[1]]
    assert not differ, (read.__name__, differ)
    others = [event["type"] for _, event in events if event["type"] in nasty["tags"]]
    assert others == nasty["tags"], (read.__name__, others)
names = ("httpx-sse", "sseclient-py", "requests-sse")
print(len(first), "events through", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))
