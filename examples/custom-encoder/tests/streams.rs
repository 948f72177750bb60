//! Outputs that are closed, full or missing.
#![cfg(unix)]

#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use streams::{BROKEN, Sink, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_custom-encoder");

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("model");
    let arguments = [folder.to_str().unwrap(), "--updates", "1"];
    for (stdout, code) in [(Sink::ClosedPipe, 0), (Sink::None, 0), (Sink::Full, 2)] {
        let output = run(PROGRAM, &arguments, stdout, Sink::Read);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stdout:?}: {message}");
        assert_eq!(message.is_empty(), code == 0, "{message}");
    }
    for stderr in BROKEN {
        let output = run(PROGRAM, &arguments, Sink::Full, stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr:?}");
    }
}
