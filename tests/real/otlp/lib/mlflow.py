"""MLflow's tracking server: started, sent to, and asked back over its REST interface."""

import base64
import concurrent.futures
import json

from service import Service, call, until
from spans import Span, of_parts, value

EXPERIMENT = "0"
READABLE = {"name", "kind", "ms", "failed", "asked", "model", "tokens", "cost", "input", "output"}
# Its words for what we call otherwise.
KINDS = {"chat_model": "llm"}


def start(venv, folder, http, _grpc):
    # It takes OTLP only with an SQL store.
    command = [
        venv / "bin" / "mlflow", "server", "--host", "127.0.0.1", "--port", str(http), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
    ]
    variables = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    service = Service(command, variables, folder / "server.log", f"http://127.0.0.1:{http}")
    return service.ready("/health")


def variables(service):
    """What an exporter needs to know."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": service.base, "OTEL_EXPORTER_OTLP_HEADERS": f"x-mlflow-experiment-id={EXPERIMENT}"}


def traces(service):
    found, token = [], None
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": EXPERIMENT}}
    while True:
        query = {"locations": [place], "max_results": 100} | ({"page_token": token} if token else {})
        page = call(service, "/api/3.0/mlflow/traces/search", query)
        found += page.get("traces", [])
        token = page.get("next_page_token")
        if not token:
            return found


def spans(service, count):
    """What it accepted, it has."""
    found = until(lambda: everything(service), lambda found: len(found) >= count)
    return [of(one) for one in found]


def everything(service):
    def of_trace(trace):
        return call(service, f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={trace['trace_id']}").get("spans", [])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [span for spans in pool.map(of_trace, traces(service)) for span in spans]


def of(one):
    # Each value is a JSON text.
    attributes = {key: value(text) for key, text in one["attributes"].items()}
    kind = attributes.get("mlflow.spanType", "UNKNOWN").lower()
    kind = KINDS.get(kind, kind)
    counts = attributes.get("mlflow.chat.tokenUsage") or {}
    money = attributes.get("mlflow.llm.cost") or {}
    is_call = kind == "llm"
    return Span(
        one["name"], kind, round((one["end_time_unix_nano"] - one["start_time_unix_nano"]) / 1e6),
        failed=one["status"]["message"] if one["status"]["code"] == "STATUS_CODE_ERROR" else None,
        asked=attributes.get("gen_ai.request.model"), model=attributes.get("mlflow.llm.model"),
        tokens=tuple(counts.get(key, 0) for key in ("input_tokens", "output_tokens", "cache_read_input_tokens")),
        cost=money.get("total_cost"),
        input=messages(attributes, "input") if is_call else shown(attributes, "Inputs"),
        output=messages(attributes, "output") if is_call else shown(attributes, "Outputs"),
        trace=id_of(one["trace_id"]), id=id_of(one["span_id"]), parent=id_of(one.get("parent_span_id")),
        start=one["start_time_unix_nano"], attributes=attributes,
    )


def id_of(text):
    """It writes ids in base64."""
    return base64.b64decode(text).hex() if text else None


def shown(attributes, which):
    """What its page shows as input or output of a span. An empty one (`""`, `[]`) it keeps and does not show."""
    return value(attributes.get(f"mlflow.span{which}", attributes.get(f"{which[:-1].lower()}.value")))


def messages(attributes, which):
    """The convention's messages, which its page draws."""
    system = attributes.get("gen_ai.system_instructions") if which == "input" else None
    return of_parts(attributes.get(f"gen_ai.{which}.messages") or [], system or ())


def sums(service):
    """What its page shows over all: sums of the sums that it keeps of each trace."""
    found = traces(service)

    def total(key, part):
        return sum(json.loads(trace.get("trace_metadata", {}).get(key, "{}")).get(part, 0) for trace in found)

    return {"runs": len(found), "tokens": total("mlflow.trace.tokenUsage", "total_tokens"), "cost": total("mlflow.trace.cost", "total_cost")}
