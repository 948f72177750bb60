//! Outputs that are closed, full or missing.
#![cfg(unix)]

#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use streams::{BROKEN, Sink, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_custom-encoder");
const ARGUMENTS: [&str; 0] = [];

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    for (stdout, code) in [(Sink::ClosedPipe, 0), (Sink::None, 0), (Sink::Full, 2)] {
        let output = run(PROGRAM, &ARGUMENTS, stdout, Sink::Read);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stdout:?}: {message}");
        assert_eq!(message.is_empty(), code == 0, "{message}");
    }
    for stderr in BROKEN {
        let output = run(PROGRAM, &ARGUMENTS, Sink::Full, stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr:?}");
    }
}
