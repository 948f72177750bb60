//! Outputs that are closed, full or missing.
#![cfg(unix)]

mod common;
#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use std::fs;

use common::{PICTURES, caption, picture, text};
use streams::{BROKEN, Sink, assert_survives, head, run};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_caption");

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    let camera = picture("camera-red.png");
    let fast = ["--lang", "en", "--num-beams", "1"];
    for format in [&[][..], &["--json"], &["--stream"], &["--json", "--stream"]] {
        let good = [&fast, format, &[&camera]].concat();
        assert_survives(PROGRAM, &good, 0, &["--num-beams", "0", &camera]);
    }
}

#[test]
fn a_failed_picture_counts_although_nobody_reads_that_it_failed() {
    let bad = ["--lang", "en", "/nowhere.png"];
    for stderr in BROKEN {
        let output = run(PROGRAM, &bad, Sink::Read, stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr:?}");
        let json = [&bad[..], &["--json"]].concat();
        let output = run(PROGRAM, &json, Sink::ClosedPipe, stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr:?}");
    }
}

#[test]
fn a_reader_that_leaves_ends_the_captions_quietly() {
    for lines in [0, 1, 2, 3] {
        let (read, code, message) = head(PROGRAM, &["--lang", "en", PICTURES], lines);
        assert_eq!((read.len(), code, message.as_str()), (lines, Some(0), ""));
    }
}

#[test]
fn attention_is_written_although_nobody_reads_the_captions() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let arguments = [
        "--lang",
        "en",
        "--num-beams",
        "1",
        "--attention",
        out.to_str().unwrap(),
        PICTURES,
    ];
    let (_, code, message) = head(PROGRAM, &arguments, 1);
    assert_eq!((code, message.as_str()), (Some(0), ""));
    let names = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let records = names.filter(|path| path.extension().is_some_and(|end| end == "json"));
    assert_eq!(records.count(), 4);
}

#[test]
fn arguments_in_messages_are_escaped() {
    for arguments in [
        &["--\x1b[31mred\nerror: forged"][..],
        &["--lang", "\x1b]0;x\x07\n\u{202e}", PICTURES],
        &["--model", "/\x1b[2J\n\u{9b}x", PICTURES],
        &["--set", "\x1b\n=3", PICTURES],
        &["--require", "\x1b[1m\n", PICTURES],
        &["--prefix", "\x1b[1m\n", PICTURES],
        &["--device", "\x1b[1m\n", PICTURES],
        &["--shortlist", "/\x1b[1m\n", PICTURES],
        &["--attention", "/dev/null/\x1b[1m\n", PICTURES],
        &["--precision", "\x1b[1m\n", PICTURES],
        &["/\x1b[1m\n\u{85}\u{2028}.png"],
    ] {
        let output = caption(arguments);
        let message = text(&output.stderr);
        assert!(
            !message.replace('\n', "").contains(report::is_escaped),
            "{arguments:?}: {message:?}"
        );
        assert!(
            message.contains("caption: ") || message.starts_with("error: "),
            "{message}"
        );
        assert!(!message.contains("\nerror: forged"), "{message}");
    }
}
