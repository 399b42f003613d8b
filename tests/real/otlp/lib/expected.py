"""What a back end should have, from the data and the rules by which `replay.rs` makes up what the data lacks.

It is written a second time here, from the data itself: nothing of it comes from the crate.
"""

import json
import math
import pathlib

from spans import Span, message, of_chat, value

DATA = pathlib.Path(__file__).resolve().parents[5] / "shared" / "data" / "airline-runs.jsonl"

# As in replay.rs. Made up, all of it.
FIRST_PIECE_MS, PIECE_MS, PIECE_CHARS, TOOL_MS = 600, 10, 20, 80
INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 100, 40, 30
# List prices of src/ledger/prices.json: USD for a million tokens, input, cached, output.
PRICES = {
    "gpt-4o": (2.5, 1.25, 10),
    "gpt-4o-mini-2024-07-18": (0.15, 0.075, 0.6),
    "text-embedding-3-small": (0.02, 0.02, 0),
}


def cost(model, tokens):
    fresh, cached, output = PRICES[model]
    return ((tokens[0] - tokens[2]) * fresh + tokens[2] * cached + tokens[1] * output) / 1e6


def runs(count):
    """The first runs of the data, by the names that `replay fill` prints; none where the data is not there."""
    if not DATA.exists():
        return {}
    lines = DATA.read_text(encoding="utf-8").splitlines()[:count]
    recorded = [json.loads(line) for line in lines]
    return {f"airline-{run['task_id']}-{run['trial']}": run_of(run) for run in recorded}


def run_of(run):
    messages = run["messages"]
    turns = [at for at, said in enumerate(messages) if said["role"] == "assistant"]
    steps = [turn_of(messages, at, number) for number, at in enumerate(turns)]
    name = f"invoke_agent airline task {run['task_id']} trial {run['trial']}"
    return Span(name, "agent", sum(step.ms for step in steps), input=messages[1]["content"], output=f"reward {run['reward']}", children=steps)


def turn_of(messages, at, number):
    said = messages[at]
    calls = said.get("tool_calls") or []
    pieces = [said["content"]] * (said["content"] is not None) + [call["function"]["arguments"] for call in calls]
    ms = sum(FIRST_PIECE_MS + PIECE_MS * math.ceil(len(text) / PIECE_CHARS) for text in pieces)
    tokens = (INPUT_TOKENS * at, OUTPUT_TOKENS, CACHED_TOKENS * at if number else 0)
    model = Span("chat gpt-4o", "llm", ms, asked="gpt-4o", tokens=tokens, cost=cost("gpt-4o", tokens), input=of_chat(messages[:at]), output=of_chat([said]))
    tools = [tool_of(call, messages[at + 1 :]) for call in calls]
    return Span(f"run_step turn {number}", "chain", ms + TOOL_MS * len(tools), children=[model, *tools])


def tool_of(call, following):
    answer = next(said["content"] for said in following if said["role"] == "tool" and said["tool_call_id"] == call["id"])
    failed = answer if answer.startswith("Error") else None
    arguments = value(call["function"]["arguments"])
    return Span(f"execute_tool {call['function']['name']}", "tool", TOOL_MS, failed, input=arguments, output=None if failed else value(answer))


# What the one embedding used, which some back ends count and some do not.
EMBEDDED_TOKENS = 6
ASKED, BOOKED = "Book me on a morning flight to Oslo.", "You are on flight SK 813 at 09:05."


def extra():
    """The runs of extra.rs."""
    asked = [message("system", "You arrange travel."), message("user", ASKED)]
    flight = {"flight": "SK 813"}

    def call(ms, tokens, output):
        mini = "gpt-4o-mini-2024-07-18"
        return Span("chat gpt-4o-mini", "llm", ms, asked="gpt-4o-mini", model=mini, tokens=tokens, cost=cost(mini, tokens), input=asked, output=output)

    embedding = Span("embeddings text-embedding-3-small", "embedding", 5, asked="text-embedding-3-small")
    booker = Span("invoke_agent booker", "agent", 715, input=ASKED, output=BOOKED, children=[
        call(400, (120, 30, 64), [message("assistant", None, [("book", json.dumps(flight))])]),
        Span("execute_tool book", "tool", 261, input=flight, output={"confirmation": "XK4P2"}),
        Span("execute_tool choose_seat", "tool", 50, "no answer within 50 ms", input=flight),
    ])
    concierge = Span("invoke_agent concierge", "agent", 1093, input=ASKED, output=BOOKED, children=[
        Span("run_guardrail input-pii", "guardrail", 10),
        Span("search_memory", "retriever", 20, input="seat preferences"),
        Span("retrieval fares", "retriever", 36, input="morning flights to Oslo", children=[embedding]),
        booker,
        Span("create_memory", "chain", 0),
        Span("run_guardrail no-promises", "guardrail", 0),
        call(300, (180, 25, 0), [message("assistant", BOOKED)]),
    ])
    refused = Span("invoke_agent summarizer", "agent", 92, "the model refused: too many requests", children=[
        Span("chat gpt-4o", "llm", 90, "too many requests", asked="gpt-4o", input=[message("user", "Sum it up.")]),
    ])
    given_up = Span("invoke_agent crawler", "agent", 72, children=[
        Span("execute_tool crawl", "tool", 70, input={"pages": 10000}),
    ])
    return {"concierge": concierge, "refused": refused, "given-up": given_up}


def beside():
    """The run of extra.rs in which much overlaps."""
    def tool(name, ms):
        return Span(f"execute_tool {name}", "tool", ms, input={}, output="done")

    tokens = (200, 50, 0)
    call = Span("chat gpt-4o", "llm", 25, asked="gpt-4o", tokens=tokens, cost=cost("gpt-4o", tokens))
    planner = Span("invoke_agent planner", "agent", 45, children=[tool("long", 45), tool("short", 10), tool("last", 25)])
    moments = [Span(f"run_step {name}", "chain", 0) for name in ("one", "two")]
    writer = Span("invoke_agent writer", "agent", 30, children=[call, *moments])
    return {"pair": Span("invoke_agent pair", "agent", 45, children=[planner, writer, *moments])}
