"""Arize Phoenix: started, sent to, and asked back over its REST and GraphQL interfaces."""

import datetime

from service import Service, call, until
from spans import Span, message, value

PROJECT = "spanwright"
# The cost is asked for by GraphQL, the rest by REST.
READABLE = {"name", "kind", "ms", "failed", "asked", "model", "tokens", "cost", "input", "output"}


def start(venv, folder, http, grpc):
    variables = {
        "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(http),
        "PHOENIX_GRPC_PORT": str(grpc), "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_LOG_MIGRATIONS": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false", "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    }
    service = Service([venv / "bin" / "phoenix", "serve"], variables, folder / "server.log", f"http://127.0.0.1:{http}")
    return service.ready("/healthz")


def variables(service):
    """What an exporter needs to know."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": service.base, "OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={PROJECT}"}


def spans(service, count):
    """Everything that it has, once there is so much: it stores what it accepted later, some 50 spans in a second."""
    until(lambda: project(service), lambda project: project["recordCount"] >= count)
    prices = costs(service)
    return [of(one, prices) for one in pages(service)]


def pages(service):
    found, cursor = [], None
    while True:
        page = call(service, f"/v1/projects/{PROJECT}/spans?limit=500" + (f"&cursor={cursor}" if cursor else ""))
        found += page["data"]
        cursor = page.get("next_cursor")
        if not cursor:
            return found


def graphql(service, query):
    answer = call(service, "/graphql", {"query": query})
    if answer.get("errors"):
        raise RuntimeError(f"Phoenix: {answer['errors']}")
    return answer["data"]


def project(service):
    """Its own sums over the project: traces, spans, tokens, money."""
    query = "{projects(first:100){edges{node{id name traceCount recordCount costSummary{total{cost tokens}}}}}}"
    nodes = [edge["node"] for edge in graphql(service, query)["projects"]["edges"]]
    return next((node for node in nodes if node["name"] == PROJECT), {"recordCount": 0})


def costs(service):
    """Money of each span, by its id."""
    found, after, id = {}, "", project(service)["id"]
    while True:
        query = (f'{{node(id:"{id}"){{... on Project{{spans(first:500{after}){{pageInfo{{hasNextPage endCursor}}'
                 "edges{node{spanId trace{traceId} costSummary{total{cost}}}}}}}}")
        page = graphql(service, query)["node"]["spans"]
        for edge in page["edges"]:
            node = edge["node"]
            summary = node["costSummary"]
            found[node["trace"]["traceId"], node["spanId"]] = summary and summary["total"]["cost"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f',after:"{page["pageInfo"]["endCursor"]}"'


def of(one, prices):
    attributes, context = one["attributes"], one["context"]
    kind = one["span_kind"].lower()
    start, end = (datetime.datetime.fromisoformat(one[key]) for key in ("start_time", "end_time"))
    counts = [attributes.get(f"llm.token_count.{key}", 0) for key in ("prompt", "completion", "prompt_details.cache_read")]
    is_call = kind == "llm"
    return Span(
        one["name"], kind, round((end - start) / datetime.timedelta(milliseconds=1)),
        failed=one["status_message"] if one["status_code"] == "ERROR" else None,
        asked=asked(attributes), model=attributes.get("gen_ai.response.model"),
        tokens=tuple(counts), cost=prices.get((context["trace_id"], context["span_id"])),
        input=messages(attributes, "llm.input_messages") if is_call else value(attributes.get("input.value")),
        output=messages(attributes, "llm.output_messages") if is_call else value(attributes.get("output.value")),
        trace=context["trace_id"], id=context["span_id"], parent=one["parent_id"], start=start.timestamp(), attributes=attributes,
    )


def asked(attributes):
    """It shows one model: the one that was asked for, or the one that answered where OpenInference's own names say so."""
    shown = attributes.get("llm.model_name") or attributes.get("embedding.model_name")
    return attributes.get("gen_ai.request.model") if shown == attributes.get("gen_ai.response.model") else shown


def messages(attributes, prefix):
    """Out of the flat form: `llm.input_messages.0.message.role`, in parts or whole."""
    found = []
    while (role := attributes.get(f"{prefix}.{len(found)}.message.role")) is not None:
        one = f"{prefix}.{len(found)}.message"
        text = attributes.get(f"{one}.content") or parts(attributes, one)
        calls, at = [], f"{one}.tool_calls.0.tool_call.function"
        while f"{at}.name" in attributes:
            calls.append((attributes[f"{at}.name"], attributes.get(f"{at}.arguments")))
            at = f"{one}.tool_calls.{len(calls)}.tool_call.function"
        found.append(message(role, text, calls))
    return found


def parts(attributes, one):
    keys = (f"{one}.contents.{number}.message_content.text" for number in range(64))
    said = [attributes[key] for key in keys if key in attributes]
    return "".join(said) if said else None


def sums(service):
    """What its page shows over all."""
    node = project(service)
    total = node["costSummary"]["total"]
    return {"runs": node["traceCount"], "spans": node["recordCount"], "tokens": total["tokens"], "cost": total["cost"]}
