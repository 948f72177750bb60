//! `--as-published` compares with what the published model's original code returned for a small checkpoint.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use crate::folders::{Folder, add, shared};
use crate::run::{Run, verify};

const TENSORS: &str = "reference.safetensors";
const PUBLISHED: &str = "reference.json";
const TODAYS: &str = "reference_corrected.json";

/// Three times the tolerance on scores, and less than the distance between adjacent `f32` values of that size.
const SMALL_CHANGE_OF_SCORE: f64 = 3e-4;

fn run(folder: &Path, reference: &Path, file: &str, as_published: bool) -> Run {
    let mut arguments = vec![
        OsStr::new("model"),
        folder.as_os_str(),
        OsStr::new("--reference"),
        reference.as_os_str(),
        OsStr::new("--reference-file"),
        OsStr::new(file),
        OsStr::new("--json"),
    ];
    if as_published {
        arguments.push(OsStr::new("--as-published"));
    }
    verify(arguments)
}

fn published(folder: &Folder) -> Run {
    run(folder.path(), folder.path(), PUBLISHED, true)
}

fn assert_both_searches_agree(folder: &Path, reference: &Path) {
    for (file, as_published, cases) in [(PUBLISHED, true, 28), (TODAYS, false, 12)] {
        let run = run(folder, reference, file, as_published);
        assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
        // Four tensors are compared too.
        assert_eq!(run.with_status("ok").len(), cases + 4);
    }
}

#[test]
fn the_published_search_and_todays_agree_with_their_references() {
    let folder = Folder::copy_of("flax");
    assert_both_searches_agree(folder.path(), folder.path());
}

#[test]
fn the_shared_published_reference_agrees() {
    if let Some(reference) = shared("flax") {
        assert_both_searches_agree(&reference, &reference);
    }
}

#[test]
fn only_the_original_code_takes_its_defaults_from_the_model_configuration() {
    let folder = Folder::copy_of("flax");
    let config = folder.read_json("config.json");
    assert_eq!(config["mbart_config"]["forced_eos_token_id"], 2);
    let mut reference = folder.read_json(PUBLISHED);
    let reference_options = reference.as_object_mut().unwrap();
    reference_options.remove("forced_eos_token_id").unwrap();
    reference["cases"][0]["options"]["forced_eos_token_id"] = Value::Null;
    folder.write_json(PUBLISHED, &reference);
    assert_both_searches_agree(folder.path(), folder.path());
}

#[test]
fn scores_in_the_millions_are_equal_to_the_last_bit() {
    let run = published(&Folder::copy_of("flax"));
    let mut scores_compared = 0;
    for comparison in run.comparisons() {
        let is_case = comparison["what"].as_str().unwrap().starts_with("generate");
        if is_case && !comparison["difference"].is_null() {
            assert_eq!(comparison["difference"], 0.0, "{comparison}");
            scores_compared += 1;
        }
    }
    assert_eq!(scores_compared, 23);
}

#[test]
fn each_search_differs_from_the_reference_of_the_other() {
    let folder = Folder::copy_of("flax");
    for (file, as_published) in [(PUBLISHED, false), (TODAYS, true)] {
        let run = run(folder.path(), folder.path(), file, as_published);
        assert_eq!(run.code, Some(1), "{}", run.output);
    }
}

/// Checks that the program finds a change, at a JSON pointer, of a case that is the only one of the reference.
fn assert_found(folder: &Folder, reference: &Value, case: &Value, pointer: &str, value: Value) {
    let mut case = case.clone();
    *case.pointer_mut(pointer).unwrap() = value;
    let mut changed = reference.clone();
    changed["cases"] = json!([case]);
    folder.write_json(PUBLISHED, &changed);
    let run = published(folder);
    let options = &case["options"];
    assert_eq!(run.code, Some(1), "{pointer} of {options}\n{}", run.output);
}

#[test]
fn changed_scores_and_tokens_are_found() {
    let folder = Folder::copy_of("flax");
    let reference = folder.read_json(PUBLISHED);
    for case in reference["cases"].as_array().unwrap() {
        let sequences = case["sequences"].as_array().unwrap();
        for (row, sequence) in sequences.iter().enumerate() {
            let last = sequence.as_array().unwrap().len() - 1;
            for index in [0, 1, last] {
                let pointer = format!("/sequences/{row}/{index}");
                let token = sequence[index].as_u64().unwrap() + 1;
                assert_found(&folder, &reference, case, &pointer, token.into());
            }
        }
        for (row, score) in case["sequence_scores"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let pointer = format!("/sequence_scores/{row}");
            let changed = score.as_f64().unwrap() + SMALL_CHANGE_OF_SCORE;
            assert_found(&folder, &reference, case, &pointer, changed.into());
        }
        for field in ["sequences", "sequence_scores"] {
            if let Some(rows) = case[field].as_array() {
                let fewer = rows[1..].into();
                assert_found(&folder, &reference, case, &format!("/{field}"), fewer);
            }
        }
    }
}

#[test]
fn changed_special_tokens_of_the_published_reference_are_found() {
    let folder = Folder::copy_of("flax");
    let reference = folder.read_json(PUBLISHED);
    for name in [
        "decoder_start_token_id",
        "pad_token_id",
        "eos_token_id",
        "forced_eos_token_id",
    ] {
        let mut changed = reference.clone();
        changed[name] = (changed[name].as_u64().unwrap() + 1).into();
        folder.write_json(PUBLISHED, &changed);
        assert_eq!(published(&folder).code, Some(1), "{name}");
    }
}

#[test]
fn a_change_of_the_memory_of_truncated_pixels_is_found_with_both_searches() {
    let folder = Folder::copy_of("flax");
    let mut tensors = folder.read(TENSORS);
    add(&mut tensors, "decoder_memory_truncated_pixels", 100, 5e-4);
    folder.write(TENSORS, tensors);
    for (file, as_published) in [(PUBLISHED, true), (TODAYS, false)] {
        let run = run(folder.path(), folder.path(), file, as_published);
        assert_eq!(run.code, Some(1), "{}", run.output);
        assert_eq!(run.with_status("differs").len(), 1);
    }
}

#[test]
fn options_that_the_original_code_does_not_know_are_not_run() {
    let folder = Folder::copy_of("flax");
    let mut reference = folder.read_json(PUBLISHED);
    reference["cases"][5]["options"]["num_return_sequences"] = 2.into();
    reference["cases"][6]["options"]["do_sample"] = true.into();
    reference["cases"][7]["token_log_probs"] = json!([[0.0]]);
    folder.write_json(PUBLISHED, &reference);
    let run = published(&folder);
    assert_eq!(run.code, Some(3), "{}{}", run.output, run.errors);
    let reasons: Vec<String> = run
        .with_status("not_run")
        .iter()
        .map(|comparison| comparison["reason"].as_str().unwrap().to_owned())
        .collect();
    assert!(reasons[0].ends_with("does not know num_return_sequences"));
    assert!(reasons[1].starts_with("do_sample draws other texts"));
    assert_eq!(reasons[2], "the original code returns none");
}
