//! Settings that cannot be used, and how a destination is called.

use super::Signal;
use crate::otlp::{Destination, Encoding};
use std::time::Duration;

fn http() -> Destination {
    Destination::http("http://localhost:4318")
}

#[test]
fn a_setting_that_cannot_be_used_says_what_is_accepted() {
    for (bad, said) in [
        (Destination::http(""), "http://host:port"),
        (Destination::http("localhost:4318"), "http://host:port"),
        (Destination::http("unix:///run/otlp"), "http://host:port"),
        (Destination::http("http://localhost:4318/v1/traces"), "give the address before it"),
        (Destination::grpc("http://localhost:4317/v1/traces"), "more than host and port"),
        (Destination::grpc("http://localhost:4317").encoding(Encoding::Json), "only protobuf"),
        (http().header("", "v"), "letters, digits"),
        (http().header("a b", "v"), "letters, digits"),
        (http().header("content-length", "3"), "set already"),
        (http().header("grpc-timeout", "3S"), "set already"),
        (http().header("x", "a\nb"), "visible characters"),
        (http().timeout(Duration::ZERO), "more than nothing"),
        (http().interval(Duration::ZERO), "more than nothing"),
        (http().backoff(Duration::ZERO, Duration::ZERO), "more than nothing"),
        (http().backoff(Duration::from_secs(2), Duration::from_secs(1)), "no longer than the longest"),
        (http().batch_bytes(0), "1 byte to 3.5 MiB"),
        (http().batch_bytes(4 << 20), "1 byte to 3.5 MiB"),
        (http().batch_spans(0), "1 span or more"),
        (http().max_value_bytes(0), "more than nothing"),
        (http().name(" "), "1 to 200 bytes"),
        (http().name("a\nb"), "1 to 200 bytes"),
        (http().name("n".repeat(201)), "1 to 200 bytes"),
        (http().resource("", "v"), "a key"),
    ] {
        let error = bad.check().expect_err(said);
        assert!(error.is_config() && error.to_string().contains(said), "{error}");
        assert_eq!(bad.transport(Signal::Traces).err().map(|error| error.to_string()), Some(error.to_string()));
    }
}

#[test]
fn what_is_off_is_not_looked_at() {
    let destination = http().metrics_url("nonsense");
    assert!(destination.check().is_ok());
    assert!(destination.metrics(true).check().is_err());
}

#[test]
fn a_destination_is_called_after_what_and_where_it_is() {
    for (destination, name) in [
        (http(), "http http://localhost:4318 traces"),
        (Destination::http("HTTPS://Example.org:443/api//"), "http https://example.org/api traces"),
        (Destination::http("http://[::1]:4318/?key=k"), "http http://[::1]:4318 traces"),
        (http().encoding(Encoding::Json), "http http://localhost:4318 traces"),
        (http().traces_url("http://h/own?key=k"), "http http://h/own traces"),
        (Destination::grpc("collector:4317"), "grpc https://collector:4317 traces"),
        (Destination::file("a/run.jsonl"), "file a/run.jsonl traces"),
        (http().name("ours"), "ours traces"),
    ] {
        assert!(destination.check().is_ok(), "{name}");
        assert_eq!(destination.place_name(Signal::Traces), name);
    }
}

#[test]
fn of_a_path_only_words_are_told_and_the_log_keeps_the_place_under_the_whole() {
    for (path, told) in [
        ("/api/public/otel", "/api/public/otel"),
        ("/opik/api/v1/private/otel", "/opik/api/v1/private/otel"),
        ("/api/v0.2", "/api/v0.2"),
        ("/receiver/v1/otel/ZaVnC4dhaV3kQ==", "/receiver/v1/otel/…"),
        ("/t/5f2c1a/otlp", "/t/…/otlp"),
        ("/v1234567", "/…"),
        ("/abcdefghijklmnopqrstuvwxyz", "/…"),
        ("/a%20b", "/…"),
    ] {
        let destination = Destination::http(format!("https://host{path}"));
        assert!(destination.check().is_ok());
        assert_eq!(destination.known_as(), format!("http https://host{told}"));
        assert_eq!(destination.place_name(Signal::Traces), format!("http https://host{path} traces"));
        assert_eq!(format!("{destination:?}").contains(path), path == told);
    }
}

#[test]
fn the_resource_has_each_key_once_and_what_the_specification_asks_for() {
    let get = |destination: &Destination, key: &str| {
        let all = destination.resource_attributes();
        let values: Vec<String> = all.into_iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect();
        assert!(values.len() <= 1, "{key}: {values:?}");
        values.into_iter().next()
    };
    let plain = http();
    assert!(get(&plain, "service.name").expect("a name").starts_with("unknown_service:"));
    assert_eq!(get(&plain, "telemetry.sdk.name").as_deref(), Some("spanwright"));
    assert_eq!(get(&plain, "telemetry.sdk.language").as_deref(), Some("rust"));
    assert_eq!(get(&plain, "telemetry.sdk.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(get(&plain, "openinference.project.name"), None);
    let named = plain.resource("service.name", "a").resource("service.name", "b").resource("k", "v");
    assert_eq!(get(&named, "service.name").as_deref(), Some("b"));
    assert_eq!(get(&named, "k").as_deref(), Some("v"));
}
