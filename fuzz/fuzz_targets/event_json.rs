#![no_main]

#[path = "../../tests/it/sse/targets.rs"]
#[allow(dead_code, reason = "each program is for one of them")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::event_json(bytes));
