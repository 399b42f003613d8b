//! A part of a test that needs a process of its own: this binary again, at that one test, with a word that says so.

use std::{
    ffi::OsStr,
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

const PART: &str = "SPANWRIGHT_TEST_PART";

/// Only so that what hangs fails too; a busy machine is slow.
const LIMIT: Duration = Duration::from_secs(60);

/// The part that this process was started for; none where it runs the tests.
pub(crate) fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// Runs the test of this path in a process of its own, which must end well and in time. Gives what it said on stderr.
pub(crate) fn run(test: &str, part: &str, variables: &[(&str, &str)]) -> String {
    run_under(&[], test, part, variables)
}

/// The same, started by another program: `unshare`, say.
pub(crate) fn run_under(starter: &[&str], test: &str, part: &str, variables: &[(&str, &str)]) -> String {
    let binary = std::env::current_exe().expect("this binary");
    let mut words = starter.iter().map(OsStr::new).chain([binary.as_os_str()]);
    let mut child = Command::new(words.next().expect("a program"))
        .args(words)
        .args([test, "--exact", "--nocapture"])
        .env(PART, part)
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut stderr = child.stderr.take().expect("its stderr");
    let (said, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        let _ = said.send(text);
    });
    let text = heard.recv_timeout(LIMIT);
    // It has closed its stderr, or it hangs.
    let _ = text.is_err().then(|| child.kill());
    let status = child.wait().expect("its end");
    let text = text.expect("it hangs");
    assert!(status.success(), "{part} of {test} ended with {status}:\n{text}");
    text
}
