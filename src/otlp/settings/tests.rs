//! The standard variables, without touching the process's.

use super::{Capture, Destination, Encoding, Kind, Naming};
use crate::{Error, otlp::transport::Signal};
use std::time::Duration;

fn read(vars: &[(&str, &str)]) -> Result<Option<Destination>, Error> {
    let vars: Vec<(String, String)> = vars.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Destination::from_vars(|name| vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
}

fn some(vars: &[(&str, &str)]) -> Destination {
    read(vars).expect("good values").expect("something is sent")
}

fn urls(destination: &Destination) -> [String; 3] {
    Signal::ALL.map(|signal| destination.way(signal).url(signal).expect("URL").to_string())
}

#[test]
fn nothing_said_is_the_specifications_defaults_and_empty_is_nothing() {
    for vars in [&[][..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_TIMEOUT", " ")]] {
        let destination = some(vars);
        assert_eq!(urls(&destination)[0], "http://localhost:4318/v1/traces");
        assert_eq!(Signal::ALL.map(|signal| destination.sends(signal)), [true, false, false]);
        let way = destination.way(Signal::Traces);
        assert_eq!((way.kind, way.encoding, way.gzip), (Kind::Http, Encoding::Protobuf, false));
        assert_eq!(way.timeout, Duration::from_secs(10));
        assert!(way.headers().expect("headers").is_empty());
        assert_eq!((destination.names(), destination.content()), (Naming::Compat, Capture::Off));
    }
}

#[test]
fn a_base_gets_the_signals_paths_and_a_signals_own_address_is_used_as_it_is() {
    for (base, traces) in [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/api/public/otel", "https://c/api/public/otel/v1/traces"),
        ("https://c/api/public/otel/", "https://c/api/public/otel/v1/traces"),
    ] {
        assert_eq!(urls(&some(&[("OTEL_EXPORTER_OTLP_ENDPOINT", base)]))[0], traces);
    }
    let own = some(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/base"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l:2/v1/logs"),
    ]);
    assert_eq!(urls(&own), ["http://t:1/", "http://c:4318/base/v1/metrics", "http://l:2/v1/logs"]);
}

#[test]
fn grpc_has_its_own_port_and_what_has_no_scheme_is_secure_unless_it_is_said_not_to_be() {
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let origin = |vars: &[(&str, &str)]| some(vars).place_name(Signal::Traces);
    assert_eq!(origin(&[grpc]), "grpc http://localhost:4317 traces");
    let host = ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317");
    assert_eq!(origin(&[grpc, host]), "grpc https://collector:4317 traces");
    assert_eq!(origin(&[grpc, host, ("OTEL_EXPORTER_OTLP_INSECURE", "true")]), "grpc http://collector:4317 traces");
    let own = [grpc, host, ("OTEL_EXPORTER_OTLP_INSECURE", "true"), ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "false")];
    assert_eq!(origin(&own), "grpc https://collector:4317 traces");
    // Where there is a scheme, the scheme counts.
    let scheme = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317");
    assert_eq!(origin(&[grpc, scheme, ("OTEL_EXPORTER_OTLP_INSECURE", "true")]), "grpc https://collector:4317 traces");
    assert_eq!(
        urls(&some(&[grpc]))[2],
        "http://localhost:4317/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    );
}

#[test]
fn what_is_said_for_one_signal_goes_before_what_is_said_for_all() {
    let all = some(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "all=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "own=2"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "all.pem"),
        ("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "logs.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "client.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "client.key"),
    ]);
    let [traces, metrics, logs] = Signal::ALL.map(|signal| all.way(signal));
    assert_eq!(
        [traces.encoding, metrics.encoding, logs.encoding],
        [Encoding::Json, Encoding::Protobuf, Encoding::Json]
    );
    assert_eq!([traces.kind, metrics.kind, logs.kind], [Kind::Http, Kind::Grpc, Kind::Http]);
    assert_eq!([traces.gzip, metrics.gzip, logs.gzip], [true, true, false]);
    assert_eq!([traces.timeout, logs.timeout], [Duration::from_millis(1), Duration::from_millis(2500)]);
    let has = |way: &super::Way, name: &str| way.headers().expect("headers").contains_key(name);
    assert!(has(traces, "own") && !has(traces, "all") && has(logs, "all"));
    let path = |way: &super::Way| way.authority.as_ref().expect("path").display().to_string();
    assert_eq!([path(traces), path(logs)], ["all.pem", "logs.pem"]);
    assert!(traces.certificate.is_some() && traces.key.is_some());
}

#[test]
fn headers_and_attributes_are_lists_that_are_percent_encoded() {
    let header = "OTEL_EXPORTER_OTLP_HEADERS";
    let value = |list: &str, name: &str| {
        let headers = some(&[(header, list)]).way(Signal::Traces).headers().expect("headers");
        headers.get(name).map(|value| value.to_str().expect("text").to_owned())
    };
    for (list, name, expected) in [
        ("a=1,b=2", "b", "2"),
        (" a = 1 , b = 2 ,", "a", "1"),
        ("Authorization=Basic%20dXNlcjpw", "authorization", "Basic dXNlcjpw"),
        ("Authorization=Basic dXNlcjpwdw==", "authorization", "Basic dXNlcjpwdw=="),
        ("a=x%2Cy%3Dz", "a", "x,y=z"),
        ("a=", "a", ""),
    ] {
        assert_eq!(value(list, name).as_deref(), Some(expected), "{list}");
    }
    let attributes = |vars: &[(&str, &str)], key: &str| {
        let all = some(vars).resource_attributes();
        all.into_iter().find(|(known, _)| known == key).map(|(_, value)| value)
    };
    let list = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=listed,deployment.environment.name=a%20b,team=%C3%A4");
    assert_eq!(attributes(&[list], "service.name").as_deref(), Some("listed"));
    assert_eq!(attributes(&[list], "deployment.environment.name").as_deref(), Some("a b"));
    assert_eq!(attributes(&[list], "team").as_deref(), Some("ä"));
    assert_eq!(attributes(&[list, ("OTEL_SERVICE_NAME", "named")], "service.name").as_deref(), Some("named"));
}

#[test]
fn signals_are_switched_and_with_none_left_there_is_no_destination() {
    let sends = |vars: &[(&str, &str)]| {
        read(vars).expect("good values").map(|destination| Signal::ALL.map(|signal| destination.sends(signal)))
    };
    let (no_traces, metrics) = (("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "otlp"));
    assert_eq!(sends(&[("OTEL_TRACES_EXPORTER", "otlp")]), Some([true, false, false]));
    assert_eq!(sends(&[metrics, ("OTEL_LOGS_EXPORTER", "OTLP")]), Some([true, true, true]));
    assert_eq!(sends(&[no_traces, metrics]), Some([false, true, false]));
    assert_eq!(sends(&[no_traces]), None);
    assert_eq!(sends(&[("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense")]), None);
    assert_eq!(sends(&[("OTEL_SDK_DISABLED", "false")]), Some([true, false, false]));
}

#[test]
fn the_conventions_variables_choose_names_and_content() {
    let naming = |value| some(&[("OTEL_SEMCONV_STABILITY_OPT_IN", value)]).names();
    assert_eq!(naming("gen_ai_latest_experimental"), Naming::Latest);
    assert_eq!(naming("http, gen_ai_latest_experimental"), Naming::Latest);
    assert_eq!(naming("http/dup,database"), Naming::Compat);
    for (value, capture) in [
        ("true", Capture::SpansAndEvents),
        ("True", Capture::SpansAndEvents),
        ("false", Capture::Off),
        ("NO_CONTENT", Capture::Off),
        ("span_only", Capture::Spans),
        ("EVENT_ONLY", Capture::Events),
        ("SPAN_AND_EVENT", Capture::SpansAndEvents),
    ] {
        assert_eq!(
            some(&[("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", value)]).content(),
            capture,
            "{value}"
        );
    }
}

#[test]
fn a_bad_value_is_named_with_what_it_held_and_what_is_accepted() {
    for (name, value, accepted) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "udp", "http/protobuf or http/json or grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-5", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "yes", "true or false"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp or none"),
        ("OTEL_SDK_DISABLED", "1", "true or false"),
        ("OTEL_RESOURCE_ATTRIBUTES", "alone", "key=value,key=value"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "all", "SPAN_ONLY"),
    ] {
        let Err(error) = read(&[(name, value)]) else { panic!("{name}={value} was taken") };
        let said = error.to_string();
        assert!(
            error.is_config() && said.starts_with(name) && said.contains(value) && said.contains(accepted),
            "{said}"
        );
    }
}

#[test]
fn a_bad_value_that_may_hold_a_secret_is_not_shown() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "canary:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:canary@"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://user:canary@host"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=canary%0A!"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "content-type=canary"),
    ] {
        let Err(error) = read(&[(name, value)]) else { panic!("{name}={value} was taken") };
        let said = format!("{error} {error:?}");
        assert!(
            error.is_config() && said.starts_with(name) && said.contains("accepted") | said.contains("set already"),
            "{said}"
        );
        assert!(!said.contains("canary"), "{said}");
    }
    // A certificate without its key is nobody's value.
    let half = read(&[("OTEL_EXPORTER_OTLP_CLIENT_KEY", "client.key")]).expect_err("refused");
    assert!(half.to_string().contains("given together"), "{half}");
}
