"""The collector rotel, which writes everything that it decodes to its log, in words."""

import collections
import dataclasses
import re
import socket

from service import Service, until
from spans import of_attributes

READABLE = {"name", "kind", "ms", "failed", "asked", "model", "tokens", "cost", "input", "output"}
DURATION, TOKENS = "gen_ai.client.operation.duration", "gen_ai.client.token.usage"
# What is left out unless it is asked for.
CONTENT_KEYS = re.compile(r"gen_ai\.(input|output)\.messages|gen_ai\.system_instructions|gen_ai\.tool\.call\.(arguments|result)|(input|output)\.value|.*\.(content|arguments)$")


def start(venv, log, http, grpc):
    binary = next(venv.glob("lib/python3*/site-packages/rotel/rotel-agent"))
    command = [binary, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}",
               "--debug-log", "traces", "--debug-log", "metrics", "--debug-log", "logs", "--debug-log-verbosity", "detailed",
               "--exporter", "blackhole"]
    running = Service(command, {}, log, f"http://127.0.0.1:{http}")
    running.grpc = f"http://127.0.0.1:{grpc}"
    try:
        until(lambda: listens(running, http) and listens(running, grpc), bool, "to listen")
    except BaseException:
        running.stop()
        raise
    return running


def listens(running, port):
    if running.process.poll() is not None:
        raise RuntimeError(f"rotel ended: {running.said()}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclasses.dataclass
class Found:
    """What its log has: spans, points of metrics by name, log events by name; attributes as (type, text)."""

    spans: list = dataclasses.field(default_factory=list)
    metrics: list = dataclasses.field(default_factory=list)
    points: list = dataclasses.field(default_factory=list)
    events: list = dataclasses.field(default_factory=list)
    resources: list = dataclasses.field(default_factory=list)


# A line that begins a thing, and one that says something of it. What is neither goes on with the value before.
BEGINS = re.compile(r"(ResourceSpans|ResourceMetrics|ResourceLog|Resource SchemaURL|Resource attributes|ScopeSpans|ScopeMetrics|ScopeLogs|InstrumentationScope|Span|Metric|Descriptor|LogRecord|HistogramDataPoints|NumberDataPoints|Attributes|Data point attributes|Events|SpanEvent|Links|SpanLink|Link)\b[^\n]*$")
SAYS = re.compile(r"(?:\s{4}|     -> )?(Trace ID|Parent ID|ID|Name|Kind|Start time|End time|Status code|Status message|Span ID|EventName|Count|Sum|Value|StartTimestamp|Timestamp|Unit|DataType|SeverityNumber|Body)\s*: ?(.*)$", re.DOTALL)
ATTRIBUTE = re.compile(r"     -> ([\w.\-]+): (Str|Int|Double|Bool|Slice|Map|Bytes)\((.*)\)$", re.DOTALL)


def lines(text):
    """Its lines, a value that has line ends in it as one."""
    held = None
    for line in text.splitlines():
        if held is not None:
            held += "\n" + line
            if line.endswith(")"):
                yield held
                held = None
        elif re.match(r"     -> [\w.\-]+: \w+\(", line) and not line.endswith(")"):
            held = line
        else:
            yield line
    if held is not None:
        yield held


def read(text):
    found, one, section, kind = Found(), {}, None, None
    for line in lines(text):
        if re.match(r"(Span|LogRecord|HistogramDataPoints|NumberDataPoints|Metric|ResourceSpans|ResourceMetrics|ResourceLog) #\d+$", line):
            kind = line.split(" ")[0]
            name = one.get("Name") if kind.endswith("DataPoints") else None
            one = {"attributes": {}, "events": [], "section": kind}
            one |= {"Name": name} if name else {}
            keep(found, kind, one)
            section = "attributes"
        elif line.startswith("SpanEvent #"):
            one["events"].append({"attributes": {}})
            section = "event"
        elif line.startswith(("SpanLink #", "Links:", "Link #")):
            section = "link"
        elif attribute := ATTRIBUTE.match(line):
            key, sort, said = attribute.groups()
            where = one["events"][-1] if section == "event" else one
            if section != "link" and key in where.get("attributes", {}):
                where.setdefault("twice", []).append(key)
            if section != "link":
                where.setdefault("attributes", {})[key] = (sort, said)
        elif says := SAYS.match(line):
            key, said = says.groups()
            where = one["events"][-1] if section == "event" else one
            if section != "link":
                where.setdefault(key, said.strip())
    found.spans = [of(span) for span in found.spans]
    return found


def keep(found, kind, one):
    if kind == "Span":
        found.spans.append(one)
    elif kind in ("HistogramDataPoints", "NumberDataPoints"):
        found.points.append(one)
    elif kind == "Metric":
        found.metrics.append(one)
    elif kind == "LogRecord":
        found.events.append(one)
    elif kind.startswith("Resource"):
        found.resources.append(one)


def of(one):
    attributes = one["attributes"]

    def said(key, otherwise=None):
        return attributes.get(key, (None, otherwise))[1]

    failed = one.get("Status message", "") if one.get("Status code") == "STATUS_CODE_ERROR" else None
    span = of_attributes(
        one["Name"], int(one["Start time"]), int(one["End time"]), said,
        failed=failed, trace=one["Trace ID"], id=one["ID"], parent=one["Parent ID"] or None, attributes=attributes,
    )
    span.told = one
    return span


def check(wanted, found, content, is_json, report):
    """What only a collector's log shows: types, OpenTelemetry's kinds, status, events, metrics, log events."""
    for span in found.spans:
        types(span, report)
        report.say("keys once", "twice" not in span.told, f"{span.name}: {span.told.get('twice')}")
        if not content:
            opted = [key for key in span.attributes if CONTENT_KEYS.fullmatch(key)]
            report.say("no content", not opted, f"{span.name}: {opted}")
        named = [event.get("Name") for event in span.told["events"]]
        report.say("exceptions", ("exception" in named) == (span.failed is not None), f"{span.name}: {named}, {span.failed!r}")
        # "Status code MUST stay unset on success": then there is none at all.
        status = span.told.get("Status code")
        report.say("status", status in (None, "STATUS_CODE_UNSET", "STATUS_CODE_ERROR"), f"{span.name}: {status}")
    for one in found.resources:
        name = one["attributes"].get("service.name")
        report.say("resource", name == ("Str", "replay"), f"{name}")
    named = {metric.get("Name") for metric in found.metrics}
    report.say("metrics", named >= {DURATION, TOKENS}, f"{named}")
    # This rotel reads no histogram in JSON: not in the form of the specification's own example ("64-bit integer numbers
    # are encoded as decimal strings") either. It shows their names.
    if not is_json:
        metrics(wanted, found, report)
    events(wanted, found, content, report)


def types(span, report):
    """Counts are integers, shares and money are doubles (`gen_ai` registry); calls of a model leave the process."""
    for key, (sort, said) in span.attributes.items():
        if re.search(r"_tokens$|token_count|\.count$|\.index$|attempt$", key):
            report.say("integers", sort == "Int", f"{span.name}: {key} is {sort}({said})")
        if re.search(r"time_to_first_chunk$|\bcost$|score$", key):
            report.say("doubles", sort == "Double", f"{span.name}: {key} is {sort}({said})")
    kind = "SPAN_KIND_CLIENT" if span.kind in ("llm", "embedding") else None
    if kind:
        report.say("OpenTelemetry kinds", span.told["Kind"] == kind, f"{span.name}: {span.told['Kind']}")
    if span.kind in ("agent", "tool", "chain", "guardrail") and not span.name.endswith("_memory"):
        report.say("OpenTelemetry kinds", span.told["Kind"] == "SPAN_KIND_INTERNAL", f"{span.name}: {span.told['Kind']}")


def metrics(wanted, found, report):
    """Each call is in the histograms once, failed ones too; tokens add up."""
    spans = [span for root in wanted.values() for span in root.around()]
    kinds = collections.Counter(span.kind for span in spans)

    def total(name, field, **attributes):
        points = [point for point in found.points if point["Name"] == name]
        chosen = [point for point in points if all(point["attributes"].get(key.replace("__", "."), ("", ""))[1] == want for key, want in attributes.items())]
        return sum(float(point[field]) for point in chosen)

    calls = total(DURATION, "Count", gen_ai__operation__name="chat")
    report.say("metrics", calls == kinds["llm"], f"{calls} model calls in the histogram of durations, not {kinds['llm']}")
    for kind, place in (("input", 0), ("output", 1)):
        tokens = sum(span.tokens[place] for span in spans if span.tokens)
        counted = total(TOKENS, "Sum", gen_ai__token__type=kind, gen_ai__operation__name="chat")
        report.say("metrics", counted == tokens, f"{counted} {kind} tokens in the histogram, not {tokens}")


def events(wanted, found, content, report):
    """An evaluation, a feedback that came after the end, and the exception of the model call that failed: all in the runs
    of extra.rs. With content, each model call in full."""
    calls = sum(span.kind == "llm" for root in wanted.values() for span in root.around())
    expected = {"gen_ai.evaluation.result": 2, "gen_ai.client.operation.exception": 1}
    expected |= {"gen_ai.client.inference.operation.details": calls} if content else {}
    named = dict(collections.Counter(event.get("EventName") for event in found.events))
    report.say("log events", named == expected, f"{named}, not {expected}")
    for event in found.events:
        report.say("log events", event.get("Trace ID") in wanted, f"{event.get('EventName')} is of no trace")
