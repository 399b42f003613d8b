//! The standard variables, without touching the process's.

use super::{Capture, Destination, Encoding, Kind, Naming};
use crate::{Error, otlp::transport::Signal};
use std::time::Duration;

/// And what is told on stderr.
fn heard(vars: &[(&str, &str)]) -> Result<(Option<Destination>, Vec<String>), Error> {
    let value = |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Destination::of_vars(&value)
}

fn read(vars: &[(&str, &str)]) -> Result<Option<Destination>, Error> {
    heard(vars).map(|(destination, _)| destination)
}

/// Of good values, of which nothing is told.
fn some(vars: &[(&str, &str)]) -> Destination {
    let (destination, told) = heard(vars).expect("good values");
    assert!(told.is_empty(), "{told:?}");
    destination.expect("something is sent")
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
    assert_eq!(sends(&[("OTEL_TRACES_EXPORTER", "console, otlp")]), Some([true, false, false]));
    // Another exporter is asked for, and not this one.
    assert_eq!(sends(&[("OTEL_TRACES_EXPORTER", "zipkin"), metrics]), Some([false, true, false]));
}

#[test]
fn a_disabled_sdk_sends_nothing_and_one_line_says_so() {
    for word in ["true", "True", " TRUE "] {
        let nonsense = ("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense");
        let (destination, told) = heard(&[("OTEL_SDK_DISABLED", word), nonsense]).expect("not looked at");
        assert!(destination.is_none());
        assert!(told.len() == 1 && told[0].starts_with("OTEL_SDK_DISABLED=true: nothing is sent"), "{told:?}");
    }
    // "Any other value or absence of the variable will have no effect": there are no other words for true.
    for (word, lines) in [("false", 0), ("FALSE", 0), ("", 0), ("1", 1), ("yes", 1)] {
        let (destination, told) = heard(&[("OTEL_SDK_DISABLED", word)]).expect("taken for false");
        assert!(destination.is_some() && told.len() == lines, "{word}: {told:?}");
    }
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
fn what_is_not_understood_is_told_with_what_is_accepted_and_passed_over() {
    let nothing = format!("{:?}", some(&[]));
    for (name, value, accepted) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "udp", "http/protobuf or http/json or grpc is accepted"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-5", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2147483648", "0 to 2147483647"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1.5", "milliseconds"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "1 to 2147483647"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "yes", "true or false"),
        ("OTEL_TRACES_EXPORTER", "kafka", "otlp or none"),
        ("OTEL_METRICS_EXPORTER", "kafka", "otlp or none"),
        ("OTEL_TRACES_EXPORTER", "otlp,kafka", "otlp or none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=a,alone", "key=value,key=value"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sometimes", "delta"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "all", "SPAN_ONLY"),
    ] {
        let (destination, told) = heard(&[(name, value)]).unwrap_or_else(|error| panic!("{name}={value}: {error}"));
        let destination = destination.expect("a destination as if nothing had been said");
        assert_eq!(format!("{destination:?}"), nothing, "{name}={value}");
        assert_eq!((destination.content(), destination.interval_of_metrics()), (Capture::Off, Duration::from_secs(60)));
        // Once, though it is read for each signal.
        let [line] = &told[..] else { panic!("{name}={value}: {told:?}") };
        assert!(line.starts_with(name) && line.contains(value) && line.contains(accepted), "{line}");
    }
}

#[test]
fn where_a_signals_own_value_is_not_understood_the_one_for_all_counts() {
    let (destination, told) = heard(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier pigeon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", ""),
    ])
    .expect("passed over");
    let destination = destination.expect("sent");
    let way = destination.way(Signal::Traces);
    assert_eq!((way.encoding, way.timeout, way.gzip), (Encoding::Json, Duration::from_millis(2500), true));
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_timeout_of_zero_is_no_limit() {
    let way = |value| some(&[("OTEL_EXPORTER_OTLP_TIMEOUT", value)]).way(Signal::Traces).timeout;
    assert_eq!(way("0"), Duration::from_millis(2_147_483_647));
    assert_eq!(way("2147483647"), way("0"));
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
