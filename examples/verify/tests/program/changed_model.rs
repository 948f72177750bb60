//! A single changed value or token of a model reference is found.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use generation::GenerationConfig;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::folders::{Folder, add, element, positions, set};
use crate::run::{Run, verify};

const TENSORS: &str = "reference.safetensors";
const CASES: &str = "reference.json";

/// The vocabulary of the model of `tests/data/hf-wide`.
const VOCABULARY: i64 = 257;

/// More than twice the tolerance on states, logits and log-probabilities.
const SMALL_CHANGE: f64 = 5e-4;

/// Three times the tolerance on scores, and less than that times the factor of a negative length penalty.
const SMALL_CHANGE_OF_SCORE: f64 = 3e-4;

fn model(folder: &Folder) -> Run {
    verify([OsStr::new("model"), folder.path().as_os_str()])
}

#[test]
fn changed_tensors_are_found() {
    let folder = Folder::copy_of("hf-wide");
    // Without cases, only the tensors are compared.
    let mut cases = folder.read_json(CASES);
    cases["cases"] = json!([]);
    folder.write_json(CASES, &cases);

    let original = folder.read(TENSORS);
    let file = SafeTensors::deserialize(&original).unwrap();
    assert_eq!(file.len(), 7);
    for (name, tensor) in file.tensors() {
        for index in positions(tensor.shape().iter().product()) {
            let mut changed = original.clone();
            match name.as_str() {
                "decoder_attention_mask" => {
                    let kept = i64::from_le_bytes(*element(&mut changed, &name, index));
                    set(&mut changed, &name, index, 1 - kept);
                }
                "decoder_input_ids" => {
                    let token = i64::from_le_bytes(*element(&mut changed, &name, index));
                    set(&mut changed, &name, index, (token + 1) % VOCABULARY);
                }
                "pixel_values" => add(&mut changed, &name, index, 0.1),
                _ => add(&mut changed, &name, index, SMALL_CHANGE as f32),
            }
            folder.write(TENSORS, changed);
            let run = model(&folder);
            assert_eq!(run.code, Some(1), "{name} {index}\n{}", run.output);
        }
    }
}

/// The cases of the reference that are run.
fn supported_cases(reference: &Value) -> Vec<Value> {
    let mut cases = reference["cases"].as_array().unwrap().clone();
    cases.retain(|case| {
        GenerationConfig::unsupported_options(case["options"].as_object().unwrap()).is_empty()
    });
    assert!(cases.len() > 15);
    cases
}

/// Runs the program on a reference that has only one case, changed at a JSON pointer.
fn run_changed(
    folder: &Folder,
    reference: &Value,
    case: &Value,
    pointer: &str,
    value: Value,
) -> Run {
    let mut case = case.clone();
    let found = case.pointer_mut(pointer).unwrap();
    assert_ne!(*found, value, "{pointer}");
    *found = value;
    let mut changed = reference.clone();
    changed["cases"] = json!([case]);
    folder.write_json(CASES, &changed);
    model(folder)
}

fn assert_found(folder: &Folder, reference: &Value, case: &Value, pointer: &str, value: Value) {
    let run = run_changed(folder, reference, case, pointer, value);
    let options = &case["options"];
    assert_eq!(run.code, Some(1), "{pointer} of {options}\n{}", run.output);
}

#[test]
fn changed_tokens_are_found() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    for case in supported_cases(&reference) {
        for (row, sequence) in case["sequences"].as_array().unwrap().iter().enumerate() {
            let sequence = sequence.as_array().unwrap();
            for index in [0, sequence.len() / 2, sequence.len() - 1] {
                let pointer = format!("/sequences/{row}/{index}");
                let token = (sequence[index].as_i64().unwrap() + 1) % VOCABULARY;
                assert_found(&folder, &reference, &case, &pointer, token.into());
            }
        }
    }
}

#[test]
fn changed_scores_are_found() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    let mut scores_changed = 0;
    for case in supported_cases(&reference) {
        let Some(scores) = case["sequence_scores"].as_array() else {
            continue;
        };
        for (row, score) in scores.iter().enumerate() {
            let pointer = format!("/sequence_scores/{row}");
            let changed = score.as_f64().unwrap() + SMALL_CHANGE_OF_SCORE;
            assert_found(&folder, &reference, &case, &pointer, changed.into());
            scores_changed += 1;
        }
    }
    assert!(scores_changed > 30);
}

#[test]
fn changed_log_probabilities_are_found_even_after_the_end() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    let pad = &reference["pad_token_id"];
    let mut after_the_end = 0;
    for case in supported_cases(&reference) {
        let Some(rows) = case["token_log_probs"].as_array() else {
            continue;
        };
        for (row, log_probs) in rows.iter().enumerate() {
            let log_probs = log_probs.as_array().unwrap();
            for index in [0, log_probs.len() / 2, log_probs.len() - 1] {
                let pointer = format!("/token_log_probs/{row}/{index}");
                let changed = log_probs[index].as_f64().unwrap() - SMALL_CHANGE;
                assert_found(&folder, &reference, &case, &pointer, changed.into());
                // There is no log-probability of the start token.
                after_the_end += usize::from(case["sequences"][row][index + 1] == *pad);
            }
        }
    }
    assert!(after_the_end > 5, "{after_the_end}");
}

/// Options whose every change also changes the texts or their scores.
const DECISIVE_OPTIONS: [&str; 7] = [
    "early_stopping",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_new_tokens",
    "min_new_tokens",
    "num_return_sequences",
];

/// Options whose changes may have no effect: a limit that no text reaches, or more beams that find the same
/// texts. Hugging Face would return the same results, so the reference is still right.
const OTHER_OPTIONS: [&str; 2] = ["max_length", "num_beams"];

/// Other valid values of an option.
fn other_values(name: &str, value: &Value) -> Vec<Value> {
    match (name, value.as_u64()) {
        ("length_penalty", _) => vec![json!(value.as_f64().unwrap() + 0.25), json!(3.0)],
        ("early_stopping", _) => {
            let mut values = vec![json!(true), json!(false), json!("never")];
            values.retain(|other| other != value);
            values
        }
        // There can't be more sequences than beams.
        ("num_return_sequences", Some(number)) => vec![json!(number - 1)],
        ("num_beams", Some(1)) => vec![json!(2), json!(7)],
        (_, Some(number)) => vec![json!(number - 1), json!(number + 1), json!(number + 7)],
        _ => panic!("{name}: {value}"),
    }
}

#[test]
fn changed_options_are_found_if_they_have_an_effect() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    let (mut found, mut not_found) = (BTreeSet::new(), BTreeSet::new());
    for case in supported_cases(&reference) {
        for name in DECISIVE_OPTIONS.into_iter().chain(OTHER_OPTIONS) {
            let Some(value) = case["options"].get(name) else {
                continue;
            };
            for other in other_values(name, value) {
                let pointer = format!("/options/{name}");
                let run = run_changed(&folder, &reference, &case, &pointer, other);
                match run.code {
                    Some(1) => found.insert(name),
                    Some(0) => not_found.insert(name),
                    // Invalid options, such as fewer beams than sequences.
                    _ => continue,
                };
            }
        }
    }
    assert!(
        not_found.is_subset(&BTreeSet::from(OTHER_OPTIONS)),
        "{not_found:?}"
    );
    assert_eq!(found.len(), DECISIVE_OPTIONS.len() + OTHER_OPTIONS.len());
}

#[test]
fn changed_special_tokens_are_found() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    for name in ["decoder_start_token_id", "pad_token_id", "eos_token_id"] {
        let mut changed = reference.clone();
        changed[name] = (changed[name].as_u64().unwrap() + 1).into();
        folder.write_json(CASES, &changed);
        let run = model(&folder);
        assert_eq!(run.code, Some(1), "{name}\n{}", run.output);
    }
}

#[test]
fn an_image_without_a_result_differs_with_a_reason() {
    let folder = Folder::copy_of("hf-wide");
    let mut tensors = folder.read(TENSORS);
    add(&mut tensors, "pixel_values", 0, f32::NAN);
    folder.write(TENSORS, tensors);
    let run = verify([
        OsStr::new("model"),
        folder.path().as_os_str(),
        OsStr::new("--json"),
    ]);
    assert_eq!(run.code, Some(1), "{}{}", run.output, run.errors);
    let differing = run.with_status("differs");
    let reasons = differing.iter().filter_map(|it| it["reason"].as_str());
    let expected = "1 of 3 images have no result; image 0: the logits of row 0 at step 0";
    let failed = reasons.filter(|reason| reason.starts_with(expected));
    // Every case is compared, although none has all its texts.
    let cases = supported_cases(&folder.read_json(CASES)).len();
    assert_eq!(failed.count(), cases, "{}", run.output);
}

#[test]
fn missing_rows_are_found() {
    let folder = Folder::copy_of("hf-wide");
    let reference = folder.read_json(CASES);
    for case in supported_cases(&reference) {
        for field in ["sequences", "sequence_scores", "token_log_probs"] {
            let Some(rows) = case[field].as_array() else {
                continue;
            };
            let fewer = rows[..rows.len() - 1].into();
            assert_found(&folder, &reference, &case, &format!("/{field}"), fewer);
        }
    }
}
