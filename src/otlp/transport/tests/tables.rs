//! The specification's tables, row for row.

use super::super::{
    read::partial_success,
    reply::{LONGEST_WAIT, Meaning, retry_after},
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

proptest! {
    #[test]
    fn no_bytes_upset_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,80}") {
        let _ = partial_success(&bytes);
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
