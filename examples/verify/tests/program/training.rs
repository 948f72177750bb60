//! The reference of a training: unchanged, with single changed values, and with options that are not known.

use std::ffi::OsStr;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::folders::{Folder, add, element, positions, set, shared};
use crate::run::{Run, verify};

const CASES: &str = "reference.json";

fn training(folder: &Folder) -> Run {
    verify([
        OsStr::new("training"),
        folder.path().as_os_str(),
        OsStr::new("--json"),
    ])
}

/// A copy of the reference with only the first case, and the weights at its end.
fn first_case() -> (Folder, Value) {
    let folder = Folder::copy_of("training");
    let mut reference = folder.read_json(CASES);
    let cases = reference["cases"].as_array_mut().unwrap();
    cases.truncate(1);
    folder.write_json(CASES, &reference);
    (folder, reference)
}

#[test]
fn an_unchanged_training_agrees() {
    let run = training(&Folder::copy_of("training"));
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    // The labels, six comparisons for each of four cases, and the weights at the end of one.
    assert_eq!(run.with_status("ok").len(), 1 + 4 * 6 + 2);
}

#[test]
fn the_shared_training_agrees() {
    let Some(folder) = shared("training") else {
        return;
    };
    let run = verify([
        OsStr::new("training"),
        folder.as_os_str(),
        OsStr::new("--json"),
    ]);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    assert_eq!(run.with_status("ok").len(), 1 + 6 * 6 + 2 * 2);
}

#[test]
fn changed_results_are_found() {
    let (folder, reference) = first_case();
    let mut pointers: Vec<(String, f64)> = Vec::new();
    for step in 0..6 {
        for (name, change) in [
            ("loss", 5e-5),
            ("grad_norm", 1.5e-4),
            ("learning_rate", 1e-8),
            ("tokens", 1.0),
        ] {
            pointers.push((format!("/cases/0/steps/{step}/{name}"), change));
        }
    }
    for name in reference["cases"][0]["parameter_sums"]
        .as_object()
        .unwrap()
        .keys()
    {
        let change = if name.ends_with("k_proj.bias") {
            5e-3
        } else {
            2e-4
        };
        pointers.push((format!("/cases/0/parameter_sums/{name}"), change));
    }
    for (pointer, change) in pointers {
        let mut changed = reference.clone();
        let value = changed.pointer_mut(&pointer).unwrap();
        *value = match value.as_u64() {
            Some(number) => json!(number + change as u64),
            None => json!(value.as_f64().unwrap() + change),
        };
        folder.write_json(CASES, &changed);
        let run = training(&folder);
        assert_eq!(run.code, Some(1), "{pointer}\n{}", run.output);
        assert_eq!(
            run.with_status("differs").len(),
            1,
            "{pointer}\n{}",
            run.output
        );
    }
}

#[test]
fn changed_options_are_found() {
    let (folder, reference) = first_case();
    for (pointer, value) in [
        ("/pad_token_id", json!(0)),
        ("/eos_token_id", json!(3)),
        ("/cases/0/options/steps", json!(5)),
        ("/cases/0/options/learning_rate", json!(0.0021)),
        ("/cases/0/options/warmup_steps", json!(1)),
        ("/cases/0/options/adam_beta1", json!(0.91)),
        ("/cases/0/options/adam_beta2", json!(0.97)),
        ("/cases/0/options/adam_epsilon", json!(1e-5)),
        ("/cases/0/options/weight_decay", json!(0.02)),
        ("/cases/0/options/label_smoothing_factor", json!(0.01)),
        ("/cases/0/options/max_grad_norm", json!(1.0)),
        ("/cases/0/options/decoder_start_token_id", json!(1)),
        ("/cases/0/options/freeze", json!("encoder")),
        (
            "/cases/0/options/freeze",
            json!("decoder.model.decoder.layer_norm.bias"),
        ),
    ] {
        let mut changed = reference.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        folder.write_json(CASES, &changed);
        let run = training(&folder);
        assert_eq!(run.code, Some(1), "{pointer}\n{}{}", run.output, run.errors);
    }
}

#[test]
fn changed_tensors_are_found() {
    let (folder, _) = first_case();
    for file in [
        "batches.safetensors",
        "start/model.safetensors",
        "end-0/model.safetensors",
    ] {
        let original = folder.read(file);
        let tensors = SafeTensors::deserialize(&original).unwrap();
        // Of the many weights, some of each kind.
        let step = if file.starts_with("batches") { 1 } else { 9 };
        let mut names = tensors.names();
        names.sort();
        for name in names.into_iter().step_by(step) {
            let elements = tensors.tensor(name).unwrap().shape().iter().product();
            let Some(index) = positions(elements).into_iter().next() else {
                continue;
            };
            let mut changed = original.clone();
            match name {
                "labels" => {
                    let token = i64::from_le_bytes(*element(&mut changed, name, index));
                    set(&mut changed, name, index, token + 1);
                }
                "pixel_values" => add(&mut changed, name, index, 1.0),
                name if name.ends_with("k_proj.bias") => add(&mut changed, name, index, 1e-2),
                name => add(&mut changed, name, index, 1e-3),
            }
            folder.write(file, changed);
            let run = training(&folder);
            assert_eq!(run.code, Some(1), "{file} {name} {index}\n{}", run.output);
        }
        folder.write(file, original.clone());
    }
}

#[test]
fn cases_that_cannot_be_run_are_named() {
    let (folder, reference) = first_case();
    for (option, value, reason) in [
        ("optimizer", json!("adafactor"), "unsupported: optimizer"),
        (
            "freeze",
            json!("text_model"),
            "freeze names no part of the model",
        ),
        ("adam_beta2", json!(1.5), "adam_beta2 is 1.5"),
        ("adam_beta2", json!("much"), "invalid type"),
        (
            "gradient_accumulation_steps",
            json!(2),
            "it needs 12 batches",
        ),
        (
            "lr_scheduler_type",
            json!("polynomial"),
            "unknown variant `polynomial`",
        ),
    ] {
        let mut changed = reference.clone();
        changed["cases"][0]["options"][option] = value;
        folder.write_json(CASES, &changed);
        let run = training(&folder);
        assert_eq!(run.code, Some(3), "{option}\n{}{}", run.output, run.errors);
        let not_run = run.with_status("not_run");
        let found = not_run[0]["reason"].as_str().unwrap();
        assert!(found.contains(reason), "{option}: {found}");
    }
    let mut without = reference.clone();
    without["cases"][0]["options"]
        .as_object_mut()
        .unwrap()
        .remove("weight_decay");
    folder.write_json(CASES, &without);
    let run = training(&folder);
    assert_eq!(run.code, Some(3), "{}", run.output);
    assert!(
        run.output.contains("does not say weight_decay"),
        "{}",
        run.output
    );
}

#[test]
fn damaged_inputs_are_errors() {
    for file in [
        CASES,
        "batches.safetensors",
        "start/config.json",
        "start/model.safetensors",
        "end-0/model.safetensors",
    ] {
        let (folder, _) = first_case();
        let content = folder.read(file);
        folder.write(file, &content[..content.len() / 2]);
        let run = training(&folder);
        assert_eq!(run.code, Some(2), "{file}\n{}{}", run.output, run.errors);
        assert!(
            run.errors.contains(file.rsplit('/').next().unwrap()),
            "{}",
            run.errors
        );
    }
}
