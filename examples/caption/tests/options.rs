//! Who decides on an option: the user, then the checkpoint, then the program.

mod common;

use std::fs;
use std::path::Path;

use common::{MODEL, caption, fails_with, picture, text};
use safetensors::tensor::TensorView;
use safetensors::{SafeTensors, serialize};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of the embedded model with other options of generation beside its special tokens.
fn model(options: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(MODEL).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    let path = folder.path().join("generation_config.json");
    let mut all: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (name, value) in options.as_object().unwrap() {
        all[name] = value.clone();
    }
    fs::write(path, all.to_string()).unwrap();
    folder
}

/// A copy whose decoder has fewer positions.
fn model_with_positions(positions: usize, options: &Value) -> TempDir {
    let folder = model(options);
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["decoder"]["max_position_embeddings"] = positions.into();
    fs::write(path, config.to_string()).unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let cut = tensors.iter().map(|(name, tensor)| {
        if !name.ends_with("embed_positions.weight") {
            return (name.to_owned(), tensor);
        }
        // mBART has two positions more than it uses.
        let rows = positions + 2;
        let bytes = tensor.data().len() / tensor.shape()[0] * rows;
        let shape = vec![rows, tensor.shape()[1]];
        let tensor = TensorView::new(tensor.dtype(), shape, &tensor.data()[..bytes]).unwrap();
        (name.to_owned(), tensor)
    });
    fs::write(path, serialize(cut.collect::<Vec<_>>(), None).unwrap()).unwrap();
    folder
}

fn record(folder: &Path, arguments: &[&str]) -> Value {
    let all = [
        "--json",
        "--lang",
        "en",
        "--model",
        folder.to_str().unwrap(),
    ];
    let output = caption(&[&all, arguments, &[&picture("camera-red.png")]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn length(record: &Value) -> usize {
    record["captions"][0]["ids"].as_array().unwrap().len()
}

/// The value and the origin of an option.
fn option(record: &Value, name: &str) -> (Value, String) {
    let option = &record["options"][name];
    let from = option["from"].as_str().unwrap_or_default();
    (option["value"].clone(), from.to_owned())
}

fn from(value: impl Into<Value>, origin: &str) -> (Value, String) {
    (value.into(), origin.to_owned())
}

#[test]
fn what_the_checkpoint_says_counts_unless_the_user_says_otherwise() {
    // The options of ../shared/cases/checkpoint-options-ignored.
    let said = json!({"num_beams": 1, "length_penalty": -3.0, "max_length": 5});
    let folder = model(&said);
    let found = record(folder.path(), &[]);
    assert_eq!(length(&found), 5);
    assert_eq!(option(&found, "num_beams"), from(1, "checkpoint"));
    assert_eq!(option(&found, "length_penalty"), from(-3.0, "checkpoint"));
    assert_eq!(option(&found, "max_length"), from(5, "checkpoint"));
    assert_eq!(option(&found, "num_return_sequences"), from(1, "default"));

    let user = [
        "--num-beams",
        "2",
        "--length-penalty",
        "0.5",
        "--max-length",
        "7",
    ];
    let found = record(folder.path(), &user);
    assert_eq!(length(&found), 7);
    assert_eq!(option(&found, "num_beams"), from(2, "user"));
    assert_eq!(option(&found, "length_penalty"), from(0.5, "user"));
    assert_eq!(option(&found, "max_length"), from(7, "user"));
    let found = record(folder.path(), &["--set", "max_length=6"]);
    assert_eq!(
        (length(&found), option(&found, "max_length")),
        (6, from(6, "user"))
    );
}

#[test]
fn without_a_word_of_the_checkpoint_the_program_decides() {
    let folder = model(&json!({}));
    for arguments in [&[][..], &["--max-length", "64"], &["--num-beams", "4"]] {
        let found = record(folder.path(), arguments);
        let origin = |name| {
            if arguments.contains(&name) {
                "user"
            } else {
                "default"
            }
        };
        assert_eq!(option(&found, "num_beams"), from(4, origin("--num-beams")));
        assert_eq!(
            option(&found, "max_length"),
            from(64, origin("--max-length"))
        );
        assert_eq!(option(&found, "length_penalty"), from(1.0, "default"));
        assert!(length(&found) > 5);
    }
}

#[test]
fn max_length_and_max_new_tokens_are_one_option_under_two_names() {
    let folder = model(&json!({"max_new_tokens": 3}));
    assert_eq!(length(&record(folder.path(), &[])), 4);
    let found = record(folder.path(), &["--max-length", "7"]);
    assert_eq!(length(&found), 7);
    assert!(found["options"].get("max_new_tokens").is_none(), "{found}");
    let found = record(folder.path(), &["--max-new-tokens", "4"]);
    assert_eq!(
        (length(&found), option(&found, "max_new_tokens")),
        (5, from(4, "user"))
    );
    let folder = model(&json!({"max_length": 4}));
    assert_eq!(
        length(&record(folder.path(), &["--max-new-tokens", "5"])),
        6
    );
    let both = ["--max-length", "7", "--max-new-tokens", "5"];
    assert!(
        fails_with(2, &[&both[..], &[&picture("camera-red.png")]].concat())
            .contains("cannot be used with")
    );
}

#[test]
fn the_default_length_is_what_the_decoder_can_write() {
    let folder = model_with_positions(32, &json!({}));
    let found = record(folder.path(), &[]);
    assert!(length(&found) > 5);
    let (most, origin) = option(&found, "max_length");
    assert!((32..=33).contains(&most.as_u64().unwrap()), "{most}");
    assert_eq!(origin, "default");
    // A checkpoint of mBART's says 200, which transformers opens too.
    for said in [json!({"max_length": 200}), json!({"max_new_tokens": 200})] {
        let folder = model_with_positions(32, &said);
        assert_eq!(length(&record(folder.path(), &[])), length(&found));
    }
    // But the user is told.
    for user in [
        ["--max-length", "64"],
        ["--max-new-tokens", "64"],
        ["--set", "max_length=64"],
    ] {
        let model = ["--model", folder.path().to_str().unwrap()];
        let stderr = fails_with(
            2,
            &[&model[..], &user, &[&picture("camera-red.png")]].concat(),
        );
        assert!(stderr.contains("the model can write 33"), "{stderr}");
    }
    let tiny = model_with_positions(6, &json!({}));
    assert!(length(&record(tiny.path(), &[])) <= 7);
}

#[test]
fn a_checkpoint_that_samples_does_so_without_beams() {
    let folder = model(&json!({"do_sample": true, "top_k": 1}));
    let found = record(folder.path(), &[]);
    assert_eq!(option(&found, "num_beams"), from(1, "default"));
    assert_eq!(option(&found, "do_sample"), from(true, "checkpoint"));
    assert_eq!(found["captions"][0]["text"], "camera on a red background");
    let folder = model(&json!({"penalty_alpha": 0.4, "top_k": 4}));
    assert_eq!(
        record(folder.path(), &[])["captions"][0]["text"],
        "camera on a red background"
    );
}

#[test]
fn a_checkpoint_may_ask_for_several_captions() {
    let folder = model(&json!({"num_beams": 3, "num_return_sequences": 2}));
    let found = record(folder.path(), &[]);
    assert_eq!(found["captions"].as_array().unwrap().len(), 2);
    let found = record(folder.path(), &["--num-return-sequences", "1"]);
    assert_eq!(found["captions"].as_array().unwrap().len(), 1);
    // In text they have scores.
    let name = folder.path().to_str().unwrap();
    let output = caption(&["--model", name, "--lang", "en", &picture("camera-red.png")]);
    assert_eq!(text(&output.stdout).lines().count(), 3);
}

#[test]
fn verbose_says_what_was_loaded_and_who_decided() {
    let folder = model(&json!({"num_beams": 2, "sequence_bias": [[[5], -1.0]]}));
    let name = folder.path().to_str().unwrap();
    let camera = picture("camera-red.png");
    let arguments = [
        "--model",
        name,
        "--lang",
        "en",
        "--max-length",
        "9",
        &camera,
    ];
    let quiet = caption(&arguments);
    let output = caption(&[&arguments[..], &["--verbose"]].concat());
    assert_eq!(
        (output.status.code(), &output.stdout),
        (Some(0), &quiet.stdout)
    );
    assert_eq!(text(&quiet.stderr), "");
    let said = text(&output.stderr);
    for expected in [
        name,
        "model.safetensors",
        "f16",
        "kernel ",
        "device flex",
        "num_beams: 2 (checkpoint)",
        "max_length: 9 (user)",
        "length_penalty: 1.0 (default)",
        "sequence_bias",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(
        said.lines().all(|line| line.starts_with("caption: ")),
        "{said}"
    );
    let embedded = caption(&["-v", "--precision", "ordinary", "--lang", "en", &camera]);
    assert!(text(&embedded.stderr).contains("the embedded model"));
    assert!(text(&embedded.stderr).contains("ordinary"));
}

#[test]
fn options_without_effect_are_said_to_be_ignored() {
    let folder =
        model(&json!({"temperature": 0, "top_k": -1, "typical_p": 0, "a\u{1b}[2J\nkey": 1}));
    let found = record(folder.path(), &["--num-beams", "1"]);
    assert_eq!(found["captions"][0]["text"], "camera on a red background");
    let ignored = found["ignored"].to_string();
    for option in ["temperature", "top_k", "typical_p", "key"] {
        assert!(ignored.contains(option), "{option}: {ignored}");
    }
    let name = folder.path().to_str().unwrap();
    let camera = picture("camera-red.png");
    let output = caption(&["-v", "--lang", "en", "--model", name, &camera]);
    let said = text(&output.stderr);
    assert!(said.contains("temperature is ignored"), "{said}");
    assert!(
        !said.replace('\n', "").contains(report::is_escaped),
        "{said:?}"
    );
    assert!(
        record(model(&json!({})).path(), &[])
            .get("ignored")
            .is_none()
    );
    // Nobody reads a thousand sentences with every picture.
    let many = (0..1000).map(|index| (format!("key{index}"), 1.into()));
    let found = record(model(&Value::Object(many.collect())).path(), &[]);
    assert!(found["ignored"].as_array().unwrap().len() < 20);
}
