//! Compares scores of captions with those of NLTK, sacreBLEU and pycocoevalcap.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::folders::{Folder, shared};
use crate::run::{Run, verify};

/// The references of the crate `metrics`.
const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../metrics/tests/data/metrics.json"
);

fn metrics(file: &Path) -> Run {
    verify([
        OsStr::new("metrics"),
        file.as_os_str(),
        OsStr::new("--json"),
    ])
}

fn written(folder: &Folder, reference: &Value) -> PathBuf {
    folder.write_json("metrics.json", reference);
    folder.file("metrics.json")
}

fn reference() -> Value {
    serde_json::from_slice(&std::fs::read(DATA).unwrap()).unwrap()
}

fn assert_agree(file: &Path) {
    let run = metrics(file);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    // Tokens, four BLEU, sacreBLEU and chrF, and COCO's six.
    assert_eq!(run.with_status("ok").len(), 13, "{}", run.output);
}

#[test]
fn all_scores_agree() {
    assert_agree(Path::new(DATA));
    if let Some(file) = shared("metrics.json") {
        assert_agree(&file);
    }
}

#[test]
fn a_changed_number_is_found_however_small() {
    let folder = Folder::empty();
    let reference = reference();
    let cases = reference.as_array().unwrap();
    // With 9, scores that are 0 but for the way they are computed.
    for case in [0, 5, 9, cases.len() - 1] {
        for group in ["bleu_first_reference", "sacrebleu", "coco"] {
            for (name, score) in cases[case][group].as_object().unwrap() {
                let Some(score) = score.as_f64() else {
                    continue;
                };
                let mut changed = reference.clone();
                changed[case][group][name] = json!(match score {
                    0.0 => 2e-6,
                    score => score * (1.0 + 3e-6),
                });
                let run = metrics(&written(&folder, &changed));
                assert_eq!(run.code, Some(1), "{case} {name}\n{}", run.output);
                assert_eq!(run.with_status("differs").len(), 1, "{}", run.output);
            }
        }
    }
}

#[test]
fn a_changed_token_or_caption_is_found() {
    let folder = Folder::empty();
    for (pointer, value) in [
        ("/0/nltk_tokens_of_predictions/0/3", "cat"),
        ("/1/predictions/2", "a dog"),
        ("/2/references/5/1", "a dog"),
    ] {
        let mut changed = reference();
        *changed.pointer_mut(pointer).unwrap() = json!(value);
        let run = metrics(&written(&folder, &changed));
        assert_eq!(run.code, Some(1), "{pointer}\n{}", run.output);
    }
}

#[test]
fn what_is_not_computed_is_named_and_what_is_damaged_refused() {
    let folder = Folder::empty();
    for (pointer, key, value) in [
        ("/0/coco", "METEOR", json!(0.5)),
        ("/0/sacrebleu", "signature", json!("zh, exp smoothing")),
        ("/0", "spice", json!({"SPICE": 0.5})),
    ] {
        let mut changed = reference();
        changed.pointer_mut(pointer).unwrap()[key] = value;
        let run = metrics(&written(&folder, &changed));
        assert_eq!(run.code, Some(3), "{key}\n{}", run.output);
        let what = run.with_status("not_run")[0]["what"].to_string();
        assert!(what.contains(key), "{what}");
    }
    assert_eq!(metrics(&written(&folder, &json!([]))).code, Some(3));
    for (pointer, value) in [
        ("/0/predictions", json!([])),
        ("/0/references/0", json!([])),
        ("/0/nltk_tokens_of_predictions", json!([])),
        ("/0/coco/CIDEr", json!("high")),
        ("/0/sacrebleu/bleu", json!(null)),
        ("/0", json!(7)),
    ] {
        let mut changed = reference();
        *changed.pointer_mut(pointer).unwrap() = value;
        let run = metrics(&written(&folder, &changed));
        assert_eq!(run.code, Some(2), "{pointer}\n{}", run.output);
        assert!(run.errors.contains("metrics.json"), "{}", run.errors);
    }
    assert_eq!(metrics(Path::new("no-such-file")).code, Some(2));
}
