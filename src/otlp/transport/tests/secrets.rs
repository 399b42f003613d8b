//! A canary in every place that may hold a secret, looked for in everything that is told.

use super::{Reply, SOON, refused, retried, send, server::*};
use crate::otlp::Destination;
use std::io::Write;

const CANARIES: [&str; 6] =
    ["canary-header", "canary-token", "canary-user", "canary pass", "canary-query", "canary-key"];

fn with_canaries(address: std::net::SocketAddr) -> Destination {
    Destination::http(format!("http://canary-user:canary%20pass@{address}/?token=canary-query&canary-key"))
        .header("Authorization", "Bearer canary-token")
        .header("x-api-key", "canary-header")
        .timeout(SOON)
}

fn silent(told: &str) {
    for canary in CANARIES {
        let encoded = canary.replace(' ', "%20");
        assert!(!told.contains(canary) && !told.contains(&encoded), "{canary} in {told}");
    }
}

#[test]
fn a_back_end_that_repeats_everything_is_not_repeated() {
    for status in [400, 401, 413, 429, 500, 503] {
        let server = Server::start(move |request, tcp| {
            let echo = format!("{request:?} user canary-user password canary pass");
            let _ = tcp.write_all(&whole(status, "", echo.as_bytes()));
            Then::KeepOpen
        });
        let reply = format!("{:?}", send(&with_canaries(server.addr())));
        assert!(reply.contains("***") && reply.contains("POST /v1/traces?"), "{reply}");
        silent(&reply);
    }
    let body = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no: Bearer canary-token"}}"#;
    let partial = Server::with(200, "Content-Type: application/json\r\n", body);
    let reply = send(&with_canaries(partial.addr()));
    assert_eq!(reply, Reply::Partial { rejected: 1, message: "no: ***".into() });
}

#[test]
fn a_token_in_a_path_is_not_repeated_either() {
    let server = Server::start(|request, tcp| {
        let _ = tcp.write_all(&whole(401, "", format!("{request:?}").as_bytes()));
        Then::KeepOpen
    });
    let address = format!("http://{}/receiver/v1/otel/Canary7Path==", server.addr());
    let destination = Destination::http(address).timeout(SOON);
    let told = format!("{} {destination:?} {}", refused(send(&destination)), destination.known_as());
    assert!(told.contains("POST /receiver/v1/otel/***/v1/traces") && told.contains("/otel/…"), "{told}");
    assert!(!told.contains("Canary7Path"), "{told}");
}

#[test]
fn what_is_written_otherwise_at_its_end_is_not_repeated_either() {
    for end in ["==", "\\u003d\\u003d", "%3D%3D"] {
        let said = format!("{{\"error\":\"no: Basic Y2FuYXJ5LW9mLW1pbmU{end}\"}}");
        let server = Server::with(401, "", said.as_bytes());
        let to = Destination::http(format!("http://{}", server.addr()))
            .header("Authorization", "Basic Y2FuYXJ5LW9mLW1pbmU==");
        let why = refused(send(&to.timeout(SOON)));
        assert!(why.contains("***") && !why.contains("Y2FuYXJ5"), "{why}");
    }
}

#[test]
fn no_failure_of_the_line_tells_them() {
    let nobody = Nobody::new();
    silent(&retried(send(&with_canaries(nobody.addr()))).1);
    let closing = Server::start(|_, _| Then::Close);
    silent(&retried(send(&with_canaries(closing.addr()))).1);
    let pointing = Server::with(302, "Location: http://canary-user.example/?canary-query\r\n", b"");
    silent(&refused(send(&with_canaries(pointing.addr()))));
}

#[test]
fn no_debug_and_no_error_of_a_setting_tells_them() {
    let address = Nobody::new().addr();
    let good = with_canaries(address);
    silent(&format!("{good:?} {:#?} {}", good, good.place_name(super::Signal::Traces)));
    assert_eq!(good.place_name(super::Signal::Traces), format!("http http://{address} traces"));
    for bad in [
        Destination::http("http://canary-user:canary-token@"),
        Destination::http("canary-user:canary-token@host:4318"),
        Destination::http("http://canary-user:canary-token@host:99999"),
        Destination::http("ftp://canary-user:canary-token@host"),
        Destination::http("http://canary-user@host/?canary-query#canary-key"),
        Destination::http("http://canary-user@host/v1/traces?canary-query"),
        Destination::grpc("http://canary-user:canary-token@host"),
        Destination::grpc("http://host/?canary-query"),
        Destination::http("http://host").header("x", "canary-header\n!"),
        Destination::http("http://host").header("x y", "canary-header"),
        Destination::http("http://host").header("Content-Type", "canary-header"),
    ] {
        let error = bad.check().expect_err("a bad setting");
        assert!(error.is_config());
        silent(&format!("{error} {error:?} {bad:?} {}", bad.place_name(super::Signal::Traces)));
    }
}
