//! Outputs that are closed, full or missing, and names in messages.
#![cfg(unix)]

#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;
use streams::{Sink, assert_survives, head, run};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_convert");
const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captioning/model");

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    for json in [&[][..], &["--json"]] {
        let good = [&["--random", "tiny", out], json].concat();
        assert_survives(PROGRAM, &good, 0, &["/nowhere", out]);
        assert_survives(PROGRAM, &good, 0, &["--nonsense"]);
    }
    assert_eq!(
        head(PROGRAM, &["--json", EMBEDDED, out], 0),
        (vec![], Some(0), String::new())
    );
}

#[test]
fn the_folder_is_written_although_the_report_is_not() {
    let folder = TempDir::new().unwrap();
    for (name, stdout) in [
        ("full", Sink::Full),
        ("closed", Sink::ClosedPipe),
        ("none", Sink::None),
    ] {
        let out = folder.path().join(name);
        let output = run(
            PROGRAM,
            &[EMBEDDED, out.to_str().unwrap(), "--json"],
            stdout,
            Sink::Read,
        );
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(if stdout == Sink::Full { 2 } else { 0 }),
            "{message}"
        );
        assert!(out.join("model.safetensors").exists());
        let is_said = message.contains("is written, but not the report");
        assert_eq!(is_said, stdout == Sink::Full, "{message}");
    }
}

#[test]
fn names_are_escaped_and_exact() {
    let folder = TempDir::new().unwrap();
    let name = OsStr::from_bytes(b"a\x1b[31m\n\xff\xe2\x80\xae");
    let out = folder.path().join(name);
    let arguments = [OsStr::new("--random"), OsStr::new("tiny"), out.as_os_str()];
    for (json, expected) in [
        (&[][..], r"a\x1b[31m\n\xff\u{202e}"),
        (&["--json"], "a%1B%5B31m%0A%FF%E2%80%AE"),
    ] {
        let json = json.iter().map(OsStr::new);
        let all: Vec<&OsStr> = arguments.into_iter().chain(json).collect();
        let output = run(PROGRAM, &all, Sink::Read, Sink::Read);
        assert_eq!(output.status.code(), Some(0));
        for shown in [output.stdout, output.stderr] {
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown.lines().count(), 1, "{shown}");
            assert!(
                !shown.trim_end_matches('\n').contains(report::is_escaped),
                "{shown:?}"
            );
            if let Ok(record) = serde_json::from_str::<Value>(&shown) {
                assert!(
                    record["destination_percent"]
                        .as_str()
                        .unwrap()
                        .ends_with(expected),
                    "{shown}"
                );
            } else {
                assert!(shown.contains(r"a\x1b[31m\n"), "{shown}");
            }
        }
    }
    let source = folder.path().join("\x1b[2J\n\u{202e}");
    fs::create_dir(&source).unwrap();
    for source in [source, folder.path().join("\x1b\n\u{9b}missing")] {
        let output = run(
            PROGRAM,
            &[source.as_os_str(), out.as_os_str()],
            Sink::Read,
            Sink::Read,
        );
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), shown.lines().count()),
            (Some(2), 1),
            "{shown}"
        );
        assert!(
            !shown.trim_end_matches('\n').contains(report::is_escaped),
            "{shown:?}"
        );
    }
}

#[test]
fn names_of_tensors_are_escaped() {
    let folder = TempDir::new().unwrap();
    for file in ["config.json", "generation_config.json"] {
        fs::copy(format!("{EMBEDDED}/{file}"), folder.path().join(file)).unwrap();
    }
    // As ../shared/attack/14-terminal-escapes makes it.
    let header = r#"{"\u001b]52;c;aGFja2Vk\u0007\u001b[2J\n\u202e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#;
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    fs::write(folder.path().join("model.safetensors"), file).unwrap();
    let out = folder.path().join("out");
    let output = run(
        PROGRAM,
        &[folder.path(), out.as_path()],
        Sink::Read,
        Sink::Read,
    );
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), shown.lines().count()),
        (Some(2), 1),
        "{shown}"
    );
    assert!(
        !shown.trim_end_matches('\n').contains(report::is_escaped),
        "{shown:?}"
    );
}
