//! Every concept in every dialect.

use super::{sink::write, spans};
use crate::otlp::{
    map::Dialect,
    settings::{Naming, OpenInference},
};
use expect_test::{ExpectFile, expect_file};

/// `UPDATE_EXPECT=1 cargo test --lib` writes the files; what changes in them is then a change that users see.
fn holds(dialect: &Dialect, golden: ExpectFile) {
    let spans: Vec<String> = spans::all().iter().map(|span| write(span, dialect)).collect();
    golden.assert_eq(&spans.join("\n"));
}

const CONVENTION: Dialect = Dialect { naming: Naming::Compat, openinference: OpenInference::Off, langfuse: false };

#[test]
fn the_convention_by_the_names_in_use() {
    holds(&CONVENTION, expect_file!["../../../../tests/it/otlp/golden/otel-genai-compat.txt"]);
}

#[test]
fn the_convention_by_its_newest_names() {
    let dialect = Dialect { naming: Naming::Latest, ..CONVENTION };
    holds(&dialect, expect_file!["../../../../tests/it/otlp/golden/otel-genai-latest.txt"]);
}

#[test]
fn the_default_has_the_small_part_of_openinference() {
    holds(&Dialect::default(), expect_file!["../../../../tests/it/otlp/golden/default.txt"]);
}

#[test]
fn the_whole_of_openinference() {
    let dialect = Dialect { openinference: OpenInference::Full, ..CONVENTION };
    holds(&dialect, expect_file!["../../../../tests/it/otlp/golden/openinference.txt"]);
}

#[test]
fn langfuse_by_itself() {
    holds(&Dialect { langfuse: true, ..CONVENTION }, expect_file!["../../../../tests/it/otlp/golden/langfuse.txt"]);
}

#[test]
fn everything_at_once_says_no_key_twice() {
    let dialect = Dialect { naming: Naming::Latest, openinference: OpenInference::Full, langfuse: true };
    spans::all().iter().for_each(|span| drop(write(span, &dialect)));
}
