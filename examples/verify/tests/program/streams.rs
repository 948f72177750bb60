//! Outputs that are closed, full or missing, and text of files in the report.

use std::fs;

use crate::broken::{BROKEN, Sink, assert_survives, head, run};
use crate::folders::Folder;
use crate::run::verify;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verify");

/// A text reference of which the last comparisons differ.
fn differing() -> Folder {
    let folder = Folder::of_text();
    let mut reference = folder.read_json("tokenizer.json.reference");
    reference["encodings"][2]["decoded_with_special"] = "other".into();
    folder.write_json("tokenizer.json.reference", &reference);
    folder
}

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    for (folder, code) in [(Folder::of_text(), 0), (differing(), 1)] {
        let name = folder.path().to_str().unwrap();
        for json in [&[][..], &["--json"]] {
            let good = [&["text", name], json].concat();
            assert_survives(PROGRAM, &good, code, &["text", "/nowhere"]);
            assert_survives(PROGRAM, &good, code, &["nonsense"]);
        }
    }
}

#[test]
fn a_reader_that_leaves_does_not_change_the_result() {
    for (folder, code) in [(Folder::of_text(), 0), (differing(), 1)] {
        let name = folder.path().to_str().unwrap();
        for lines in [0, 1, 3] {
            let (read, found, message) = head(PROGRAM, &["text", name], lines);
            assert_eq!(
                (read.len(), found, message.as_str()),
                (lines, Some(code), "")
            );
        }
    }
    // Nothing differs, but something could not be run.
    let folder = Folder::copy_of("images");
    fs::write(folder.file("images/more.png"), "").unwrap();
    let name = folder.path().to_str().unwrap();
    let expected = verify(["images", name]).code;
    assert_eq!(
        head(PROGRAM, &["images", name], 1),
        head_of(expected, verify(["images", name]).output)
    );
    for stderr in BROKEN {
        let output = run(PROGRAM, &["images", name], Sink::ClosedPipe, stderr);
        assert_eq!(output.status.code(), expected);
    }
}

fn head_of(code: Option<i32>, output: String) -> (Vec<String>, Option<i32>, String) {
    let first = output.lines().next().unwrap().to_owned();
    (vec![first], code, String::new())
}

#[test]
fn texts_of_a_file_can_not_change_a_terminal() {
    let folder = Folder::of_text();
    let mut reference = folder.read_json("tokenizer.json.reference");
    let hostile = "\x1b]0;x\x07\n\u{202e}\u{9b}2J\u{2028}";
    reference["encodings"][2]["text"] = hostile.into();
    reference["encodings"][2]["lang"] = hostile.into();
    reference["languages"][hostile] = 3.into();
    folder.write_json("tokenizer.json.reference", &reference);
    let name = folder.path().to_str().unwrap();
    let tensors = Folder::copy_of("images");
    let bytes = tensors.read("pixels.safetensors");
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let text = String::from_utf8(bytes[8..8 + header].to_vec()).unwrap();
    let text = text.replacen("pillow/exact.png", r"\u001b[2J\n\u202e/exact.png", 1);
    let changed = [
        &(text.len() as u64).to_le_bytes()[..],
        text.as_bytes(),
        &bytes[8 + header..],
    ];
    tensors.write("pixels.safetensors", changed.concat());
    for arguments in [
        ["text", name],
        ["images", tensors.path().to_str().unwrap()],
        ["model", hostile],
        ["processors", hostile],
    ] {
        for json in [&[][..], &["--json"]] {
            let found = verify([&arguments[..], json].concat());
            let shown = found.output + &found.errors;
            assert!(
                !shown.replace('\n', "").contains(report::is_escaped),
                "{shown:?}"
            );
            assert!(
                shown.contains(r"\u{202e}") || shown.contains(r"\u202e"),
                "{shown}"
            );
        }
    }
}
