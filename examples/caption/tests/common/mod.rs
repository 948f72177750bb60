//! Runs the program as its users do.

// Each test program uses only a part.
#![allow(dead_code)]

use std::process::{Command, Output};

pub(crate) const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pictures");
pub(crate) const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captioning/model");

pub(crate) fn caption(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_caption"))
        .args(arguments)
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    output
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn picture(name: &str) -> String {
    format!("{PICTURES}/{name}")
}

/// Runs the program, expects an exit code, and returns what it printed on stderr.
pub(crate) fn fails_with(code: i32, arguments: &[&str]) -> String {
    let output = caption(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    text(&output.stderr)
}
