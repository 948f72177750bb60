//! The program as its users run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use checkpoint::{TensorSource, WeightsForm, open_weights};
use serde_json::Value;
use tempfile::TempDir;

const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captioning/model");

fn form(name: &str) -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../pretrained/tests/data/forms"
    );
    format!("{folder}/{name}")
}

fn convert(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_convert"))
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(
        !text(&output.stderr).contains("panicked"),
        "{}",
        text(&output.stderr)
    );
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs the program and expects success. Returns its report and what it printed on stderr.
fn converts(arguments: &[&str]) -> (Value, String) {
    let output = convert(&[arguments, &["--json"]].concat());
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    (serde_json::from_slice(&output.stdout).unwrap(), stderr)
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that two folders have the same tensors.
fn assert_same_weights(first: &Path, second: &Path) {
    let (first, second) = (open_weights(first).unwrap(), open_weights(second).unwrap());
    let names = |source: &dyn TensorSource| {
        let mut names: Vec<String> = source.names().into_iter().map(String::from).collect();
        names.sort();
        names
    };
    assert_eq!(names(first.as_ref()), names(second.as_ref()));
    for name in first.names() {
        assert_eq!(
            first.read_all(name).unwrap(),
            second.read_all(name).unwrap(),
            "{name}"
        );
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn tokenizer_and_preprocessing_are_copied_with_the_model() {
    let place = Place::new();
    let (report, stderr) = converts(&[EMBEDDED, &place.name("out")]);
    assert_eq!(stderr, "");
    assert_eq!(report["precision"], "f16"); // as the source has it
    assert_eq!(report["parameters"], 4_491_264);
    assert_eq!(
        files(&place.at("out")),
        [
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "preprocessor_config.json",
            "sentencepiece.bpe.model",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
    );
    assert_same_weights(Path::new(EMBEDDED), &place.at("out"));
    // Again from what was written, now with a tokenizer.json, and in shards.
    let shards = ["--max-shard-size", "4MB"];
    let (source, again) = (place.name("out"), place.name("again"));
    converts(&[&[source.as_str(), again.as_str()], &shards[..]].concat());
    assert_same_weights(&place.at("out"), &place.at("again"));
    let written = files(&place.at("again"));
    assert!(
        written.contains(&"model-00001-of-00003.safetensors".into()),
        "{written:?}"
    );
    for file in [
        "tokenizer.json",
        "sentencepiece.bpe.model",
        "preprocessor_config.json",
    ] {
        let read = |folder: &str| fs::read(place.at(folder).join(file)).unwrap();
        assert_eq!(read("out"), read("again"), "{file}");
    }
}

#[test]
fn integers_are_always_packed_and_floats_only_if_asked() {
    let place = Place::new();
    for (arguments, precision, packed) in [
        (&["--precision", "f32"][..], "f32", false),
        (&["--precision", "float16"], "f16", false),
        (&["--precision", "bf16"], "bf16", false),
        (&["--precision", "f32", "--packed"], "f32", true),
        (&["--precision", "bf16", "--packed"], "bf16", true),
        (&["--precision", "int8"], "int8", true),
        (&["--precision", "int8", "--packed"], "int8", true),
        (&["--precision", "int4:64"], "int4:64", true),
    ] {
        let name = arguments.concat();
        let out = place.name(&name);
        let (report, stderr) = converts(&[arguments, &[EMBEDDED, &out]].concat());
        assert_eq!(stderr, "");
        assert_eq!(report["precision"], precision, "{arguments:?}");
        assert_eq!(report["parameters"], 4_491_264, "{arguments:?}");
        let file = match packed {
            true => WeightsForm::Packed.file(),
            false => "model.safetensors",
        };
        let weights: Vec<String> = files(&place.at(&name))
            .into_iter()
            .filter(|name| name.starts_with("model."))
            .collect();
        assert_eq!(weights, [file], "{arguments:?}");
        let size = fs::metadata(place.at(&name).join(file)).unwrap().len();
        let reported = report["weight_bytes"].as_u64().unwrap();
        // The header of the file is not counted for ordinary weights.
        assert!(
            (reported..reported + 200_000).contains(&size),
            "{arguments:?}"
        );
    }
}

#[test]
fn unsupported_weights_and_a_missing_tokenizer_are_reported() {
    let place = Place::new();
    let (report, stderr) = converts(&[&form("flax-published"), &place.name("out")]);
    assert_eq!(report["precision"], "f32");
    assert!(stderr.contains("final_logits_bias"), "{stderr}");
    assert!(
        stderr.contains("has no tokenizer; put sentencepiece.bpe.model"),
        "{stderr}"
    );
    assert!(place.at("out/preprocessor_config.json").exists());
}

#[test]
fn a_composed_model_has_a_projection() {
    let place = Place::new();
    let (encoder, decoder) = (form("clip"), form("mbart"));
    let arguments = [
        "--encoder",
        &encoder,
        "--decoder",
        &decoder,
        &place.name("out"),
    ];
    converts(&arguments);
    let weights = open_weights(place.at("out")).unwrap();
    let info = weights.info("enc_to_dec_proj.weight").unwrap();
    assert_eq!(info.shape, [12, 8]);
}

#[test]
fn random_weights_depend_on_the_seed_only() {
    let place = Place::new();
    for (name, seed) in [("first", "1"), ("same", "1"), ("other", "2")] {
        converts(&["--random", "tiny", "--seed", seed, &place.name(name)]);
    }
    let weights = |name: &str| fs::read(place.at(name).join("model.safetensors")).unwrap();
    assert_eq!(weights("first"), weights("same"));
    assert_ne!(weights("first"), weights("other"));
    let output = convert(&[
        "--random",
        "tiny",
        "--precision",
        "bf16",
        &place.name("first"),
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).contains("87552 parameters in bf16"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn an_error_says_what_is_wrong_and_leaves_no_folder() {
    let place = Place::new();
    fs::write(place.at("file"), "mine").unwrap();
    let (out, file) = (place.name("out"), place.name("file"));
    let (safetensors, mbart) = (form("safetensors"), form("mbart"));
    for (arguments, expected) in [
        (vec!["/nowhere", &out], "there is no such folder"),
        (vec!["owner/absent", &out], "owner/absent is not a folder"),
        (vec![&mbart, &out], "model_type \"mbart\""),
        (vec![&safetensors, &file], "can't write"),
        (
            vec![&safetensors, &out, "--precision", "f8"],
            "expected f32, f16, bf16, int8 or int4",
        ),
        (
            vec![&safetensors, &out, "--precision", "int8:7"],
            "multiple of 8",
        ),
        (
            vec![&safetensors, &out, "--precision", "f16", "--packed"],
            "f16 can't be packed; expected --precision f32, bf16, int8 or int4",
        ),
        (vec![&safetensors, &out, "--packed"], "--precision"),
        (
            vec![&safetensors, &out, "--max-shard-size", "5TB"],
            "such as 5GB",
        ),
        (
            vec![&safetensors, &out, "--tokenizer", EMBEDDED],
            "different models",
        ),
        (
            vec![&safetensors, &out, "--random", "tiny"],
            "cannot be used with",
        ),
        (vec!["--encoder", &mbart, &out], "--decoder"),
        (vec![&out], "required"),
        (vec![], "required"),
    ] {
        let output = convert(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert_eq!(files(place.0.path()), ["file"]);
    assert_eq!(fs::read(place.at("file")).unwrap(), b"mine");
}

#[test]
fn the_same_conversion_writes_the_same_bytes() {
    let place = Place::new();
    let source = form("safetensors");
    for options in [
        &["--packed", "--precision", "f32"][..],
        &["--packed", "--precision", "bf16"],
        &["--precision", "int8"],
        &["--precision", "int4:8"],
        &["--precision", "f16"],
        &["--max-shard-size", "4KB"],
        &[],
    ] {
        let folders = ["first", "second"].map(|name| {
            let folder = format!("{}{}", place.name(name), options.concat());
            converts(&[&[source.as_str(), folder.as_str()], options].concat());
            PathBuf::from(folder)
        });
        let [first, second] = folders.each_ref().map(|folder| files(folder));
        assert_eq!(first, second);
        for file in first {
            let [first, second] = folders
                .each_ref()
                .map(|folder| fs::read(folder.join(&file)));
            assert_eq!(first.unwrap(), second.unwrap(), "{options:?}: {file}");
        }
    }
}

#[test]
fn a_head_that_differs_is_kept_and_said() {
    let place = Place::new();
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../pretrained/tests/data/tied/tied-head-differs"
    );
    for (name, options) in [
        ("whole", &[][..]),
        ("bf16", &["--precision", "bf16"]),
        ("packed", &["--precision", "f32", "--packed"]),
        ("int8", &["--precision", "int8"]),
    ] {
        let out = place.name(name);
        let (_, stderr) = converts(&[&[source, out.as_str()], options].concat());
        assert!(stderr.contains("decoder.lm_head.weight"), "{stderr}");
        let weights = open_weights(&out).unwrap();
        assert!(weights.info("decoder.lm_head.weight").is_some(), "{name}");
        let config = fs::read_to_string(place.at(name).join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["decoder"]["tie_word_embeddings"], false, "{name}");
    }
    assert_same_weights(Path::new(source), &place.at("whole"));
    assert_same_weights(Path::new(source), &place.at("packed"));
}
