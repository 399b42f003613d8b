"""A span as the comparison knows it, whoever said it: what was expected, or what a back end has."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

# What is asked of each span, in the order of the report.
FIELDS = ("name", "kind", "ms", "failed", "asked", "model", "tokens", "cost", "input", "output")


@dataclasses.dataclass
class Span:
    """Fields that a back end cannot say stay None, and are not compared; `""`, `()` and 0 are values."""

    name: str
    kind: str | None = None
    ms: int | None = None
    # What went wrong, None where nothing did.
    failed: str | None = None
    # The model that was asked for, and the one that answered.
    asked: str | None = None
    model: str | None = None
    # Input, output and cached tokens.
    tokens: tuple[int, int, int] | None = None
    cost: float | None = None
    # Messages of a model call (`Message` each), the value of others.
    input: Any = None
    output: Any = None
    # Only of what was seen.
    trace: str = ""
    id: str = ""
    parent: str | None = None
    start: int = 0
    children: list[Span] = dataclasses.field(default_factory=list)
    # Attributes of OpenTelemetry with their types, where they are asked for.
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def around(self):
        """This one and all inside, from the outside in."""
        yield self
        for child in self.children:
            yield from child.around()


@dataclasses.dataclass(frozen=True)
class Message:
    role: str
    text: Any = ""
    # Name and arguments of each tool call.
    calls: tuple = ()


def value(text):
    """What a text says: its JSON where it is JSON, since back ends hand on both."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def message(role, text, calls=()):
    """In one form: back ends write a missing text as null, as "" or not at all, and arguments as text or as JSON."""
    return Message(role, value(text) if text is not None else "", tuple((name, json.dumps(value(args), sort_keys=True)) for name, args in calls))


def of_chat(messages):
    """Messages in the form of chat completions: that of the data."""
    def calls(one):
        return [(call["function"]["name"], call["function"]["arguments"]) for call in one.get("tool_calls") or []]

    return [message(one["role"], one["content"], calls(one)) for one in messages]


def of_parts(messages, system=()):
    """Messages in the form of `gen_ai.input.messages`, JSON."""
    def text(parts):
        said = [part["content"] for part in parts if part["type"] == "text"]
        answers = [part.get("response", part.get("result")) for part in parts if part["type"] == "tool_call_response"]
        found = said + [answer if isinstance(answer, str) else json.dumps(answer) for answer in answers]
        return "".join(found) if found else None

    def calls(parts):
        return [(part["name"], part["arguments"] if isinstance(part["arguments"], str) else json.dumps(part["arguments"])) for part in parts if part["type"] == "tool_call"]

    first = [message("system", text(system))] if system else []
    return first + [message(one["role"], text(one["parts"]), calls(one["parts"])) for one in messages]


def of_attributes(name, start, end, said, **known):
    """What attributes of OpenTelemetry say; `said(key, otherwise)` gives their texts. Times are nanoseconds."""
    def number(key):
        return int(said(key, 0))

    def messages(which):
        system = value(said("gen_ai.system_instructions", "[]")) if which == "input" else []
        return of_parts(value(said(f"gen_ai.{which}.messages", "[]")), system)

    is_call = said("openinference.span.kind") == "LLM"
    money = said("gen_ai.usage.cost")
    return Span(
        name, said("openinference.span.kind", "unknown").lower(), round((end - start) / 1e6),
        asked=said("gen_ai.request.model"), model=said("gen_ai.response.model"),
        tokens=tuple(number(f"gen_ai.usage.{key}_tokens") for key in ("input", "output", "cache_read.input")),
        cost=float(money) if money else None,
        input=messages("input") if is_call else value(said("input.value")),
        output=messages("output") if is_call else value(said("output.value")),
        start=start, **known,
    )


def trees(spans):
    """Roots by trace, and what hangs nowhere."""
    by_id = {(span.trace, span.id): span for span in spans}
    roots, lost = {}, []
    for span in sorted(spans, key=lambda span: span.start):
        parent = by_id.get((span.trace, span.parent))
        if parent is not None:
            parent.children.append(span)
        elif span.parent is None and span.trace not in roots:
            roots[span.trace] = span
        else:
            lost.append(span)
    return roots, lost
