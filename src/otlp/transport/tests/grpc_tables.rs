//! The table of gRPC's codes, row for row, and what stands beside a code.

use super::super::{
    grpc::{
        code::{code_name, meaning},
        details::{base64, retry_delay},
    },
    reply::Meaning,
};
use proptest::prelude::*;

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
        assert_eq!(meaning(code, "", false), without, "{name}");
        assert_eq!(meaning(code, "", true), with, "{name} with RetryInfo");
    }
    for code in [17, 99, u32::MAX] {
        assert_eq!(meaning(code, "", true), Refused);
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
        assert_eq!(meaning(11, said, false), Meaning::TooLarge, "{said}");
        assert_eq!(meaning(11, said, true), Meaning::Retry, "{said}");
        // Of other codes the words say nothing.
        assert_eq!(meaning(13, said, false), Meaning::Refused, "{said}");
    }
    for said in ["", "no such page", "offset past the limit"] {
        assert_eq!(meaning(11, said, false), Meaning::Retry, "{said}");
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
    fn no_details_upset_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,80}") {
        let _ = retry_delay(&bytes);
        let _ = base64(&text);
    }
}
