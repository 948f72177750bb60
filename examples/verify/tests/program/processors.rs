//! Compares the logits processors with Hugging Face's.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::folders::{Folder, shared};
use crate::run::{Run, verify};

/// The references of the crate `generation`.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../generation/tests/data");

fn processors(file: &Path) -> Run {
    verify([
        OsStr::new("processors"),
        file.as_os_str(),
        OsStr::new("--json"),
    ])
}

fn assert_agree(file: &Path, cases: usize) {
    let run = processors(file);
    assert!(run.with_status("differs").is_empty(), "{}", run.output);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    assert_eq!(run.with_status("ok").len(), cases);
}

#[test]
fn all_processors_agree() {
    assert_agree(&Path::new(DATA).join("processors.json"), 25);
    assert_agree(&Path::new(DATA).join("processors_more.json"), 47);
}

#[test]
fn the_shared_processors_agree() {
    if let Some(file) = shared("processors.json") {
        assert_agree(&file, 25);
    }
}

/// Writes a reference file.
fn written(folder: &Folder, reference: &Value) -> PathBuf {
    folder.write_json("processors.json", reference);
    folder.file("processors.json")
}

fn read(name: &str) -> Value {
    let json = std::fs::read(Path::new(DATA).join(name)).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn a_changed_score_is_found() {
    let folder = Folder::empty();
    let reference = read("processors.json");
    let cases = reference["cases"].as_array().unwrap();
    for case in 0..cases.len() {
        for row in 0..4 {
            let scores = cases[case]["after"][row].as_array().unwrap();
            for token in [0, 7, scores.len() - 1] {
                let mut changed = reference.clone();
                let score = &mut changed["cases"][case]["after"][row][token];
                *score = match score.as_f64() {
                    Some(score) => json!(score + 3e-5),
                    None => json!(0.5),
                };
                let run = processors(&written(&folder, &changed));
                assert_eq!(run.code, Some(1), "{case} {row} {token}\n{}", run.output);
                assert_eq!(run.with_status("differs").len(), 1);
            }
        }
    }
    let mut changed = reference.clone();
    changed["before"][0][7] = json!(1.0);
    assert_eq!(processors(&written(&folder, &changed)).code, Some(1));
}

#[test]
fn unsupported_processors_are_not_run_and_invalid_files_are_named() {
    let folder = Folder::empty();
    let reference = read("processors.json");
    let mut changed = reference.clone();
    changed["cases"][0]["processor"] = json!("guidance_scale");
    let run = processors(&written(&folder, &changed));
    assert_eq!(run.code, Some(3), "{}", run.output);
    let reason = run.with_status("not_run")[0]["reason"].clone();
    assert_eq!(reason, "unsupported: guidance_scale");
    changed["cases"] = json!([]);
    assert_eq!(processors(&written(&folder, &changed)).code, Some(3));

    for (pointer, value) in [
        ("/cases/0/value", json!("hot")),
        ("/cases/0/value", json!(-1)),
        ("/cases/0/after", json!([[1.0]])),
        ("/input_ids", json!([[0]])),
        ("/input_ids/0", json!([-1])),
        ("/before", json!(7)),
        ("/eos_token_id", json!("end")),
    ] {
        let mut changed = reference.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let run = processors(&written(&folder, &changed));
        assert_eq!(run.code, Some(2), "{pointer}\n{}", run.output);
        assert!(run.errors.contains("processors.json"), "{}", run.errors);
    }
    folder.write("processors.json", "{");
    assert_eq!(processors(&folder.file("processors.json")).code, Some(2));
    assert_eq!(processors(Path::new("no-such-file")).code, Some(2));
}
