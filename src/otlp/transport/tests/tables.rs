//! The specification's tables, row for row.

use super::super::{
    read::{base64, partial_success, retry_delay},
    reply::{LONGEST_WAIT, Meaning, code_name, retry_after},
};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

#[test]
fn of_all_statuses_four_are_sent_again_and_one_is_too_large() {
    for status in 100..600 {
        let expected = match status {
            200..=299 => Meaning::Accepted,
            413 => Meaning::TooLarge,
            429 | 502 | 503 | 504 => Meaning::Retry,
            _ => Meaning::Refused,
        };
        assert_eq!(Meaning::of_http(status), expected, "{status}");
    }
}

#[test]
fn every_code_of_grpc_means_what_the_table_says() {
    use Meaning::{Accepted, Refused, Retry, TooLarge};
    let table = [
        ("OK", Accepted, Accepted),
        ("CANCELLED", Retry, Retry),
        ("UNKNOWN", Refused, Refused),
        ("INVALID_ARGUMENT", Refused, Refused),
        ("DEADLINE_EXCEEDED", Retry, Retry),
        ("NOT_FOUND", Refused, Refused),
        ("ALREADY_EXISTS", Refused, Refused),
        ("PERMISSION_DENIED", Refused, Refused),
        ("RESOURCE_EXHAUSTED", TooLarge, Retry),
        ("FAILED_PRECONDITION", Refused, Refused),
        ("ABORTED", Retry, Retry),
        ("OUT_OF_RANGE", Retry, Retry),
        ("UNIMPLEMENTED", Refused, Refused),
        ("INTERNAL", Refused, Refused),
        ("UNAVAILABLE", Retry, Retry),
        ("DATA_LOSS", Retry, Retry),
        ("UNAUTHENTICATED", Refused, Refused),
    ];
    for (code, (name, without, with)) in (0..).zip(table) {
        assert_eq!(code_name(code), name);
        assert_eq!(Meaning::of_grpc(code, "", false), without, "{name}");
        assert_eq!(Meaning::of_grpc(code, "", true), with, "{name} with RetryInfo");
    }
    for code in [17, 99, u32::MAX] {
        assert_eq!(Meaning::of_grpc(code, "", true), Refused);
        assert_eq!(code_name(code), "UNKNOWN");
    }
}

#[test]
fn out_of_range_is_too_large_where_it_speaks_of_the_message() {
    for said in [
        "Error, decoded message length too large: found 5242880 bytes, the limit is: 4194304 bytes",
        "Received message larger than max (5242880 vs. 4194304)",
        "message exceeds 4 MiB",
    ] {
        assert_eq!(Meaning::of_grpc(11, said, false), Meaning::TooLarge, "{said}");
        assert_eq!(Meaning::of_grpc(11, said, true), Meaning::Retry, "{said}");
        // Of other codes the words say nothing.
        assert_eq!(Meaning::of_grpc(13, said, false), Meaning::Refused, "{said}");
    }
    for said in ["", "no such page", "offset past the limit"] {
        assert_eq!(Meaning::of_grpc(11, said, false), Meaning::Retry, "{said}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let wait = |text| retry_after(text, now);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(wait("0"), seconds(0));
    assert_eq!(wait(" 120 "), seconds(120));
    assert_eq!(wait("99999999999999999999999999"), Some(LONGEST_WAIT));
    for date in ["Sun, 06 Nov 1994 08:50:07 GMT", "Sunday, 06-Nov-94 08:50:07 GMT", "Sun Nov  6 08:50:07 1994"] {
        assert_eq!(wait(date), seconds(30), "{date}");
    }
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:07 GMT"), seconds(0));
    for text in ["", "-1", "1.5", "soon", "1994-11-06T08:50:07Z", "+5", "5s"] {
        assert_eq!(wait(text), None, "{text}");
    }
}

#[test]
fn base64_is_read_with_and_without_padding() {
    for (text, bytes) in
        [("", &b""[..]), ("Zg", b"f"), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("+/8", b"\xfb\xff")]
    {
        assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
    }
    assert_eq!(base64("Zm 9v"), None);
}

proptest! {
    #[test]
    fn no_bytes_upset_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,80}") {
        let _ = partial_success(&bytes);
        let _ = retry_delay(&bytes);
        let _ = base64(&text);
        let _ = retry_after(&text, SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn a_partial_success_is_read_as_prost_writes_it(rejected in any::<i64>(), said in ".{0,40}") {
        use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
        use prost::Message;
        let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message: said.clone() };
        let response = ExportTraceServiceResponse { partial_success: Some(partial) };
        prop_assert_eq!(partial_success(&response.encode_to_vec()), Ok(Some((rejected, said.into_bytes()))));
    }
}
