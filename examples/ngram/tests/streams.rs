//! Outputs that are closed, full or missing, and a text that would change a terminal.
#![cfg(unix)]

#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use std::fs;

use streams::{Sink, assert_survives, run};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ngram");

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    for options in [&["--set", "num_beams=2"][..], &["--stream"]] {
        assert_survives(PROGRAM, options, 0, &["/nowhere"]);
        assert_survives(PROGRAM, options, 0, &["--nonsense"]);
    }
}

#[test]
fn words_of_a_text_are_escaped() {
    let folder = TempDir::new().unwrap();
    let corpus = folder.path().join("corpus.txt");
    fs::write(&corpus, "the \x1b[2Jcat\u{202e} \u{9b}sat\n".repeat(3)).unwrap();
    let corpus = corpus.to_str().unwrap();
    for options in [&[][..], &["--stream"]] {
        let output = run(
            PROGRAM,
            &[&[corpus], options].concat(),
            Sink::Read,
            Sink::Read,
        );
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), shown.lines().count()),
            (Some(0), 1),
            "{shown}"
        );
        assert!(shown.contains(r"\x1b[2Jcat\u{202e} \u{9b}sat"), "{shown}");
    }
    // A pipe that never ends.
    let output = run(PROGRAM, &["/dev/zero"], Sink::Read, Sink::Read);
    assert_eq!(output.status.code(), Some(2));
}
