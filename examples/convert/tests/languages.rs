//! Languages that a checkpoint lacks.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use checkpoint::{TensorSource, open_weights};
use serde_json::{Value, json};
use tempfile::TempDir;

const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captioning/model");

fn convert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_convert"))
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap()
}

fn converts(arguments: &[&str]) -> Value {
    let output = convert(&[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn json_file(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}

const TABLE: &str = "decoder.model.decoder.embed_tokens.weight";

fn rows(source: &dyn TensorSource) -> (Vec<f32>, usize) {
    let width = source.info(TABLE).unwrap().shape[1];
    (source.read_all(TABLE).unwrap(), width)
}

#[test]
fn a_language_is_added_to_the_tokenizer_and_to_the_model() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let [one_name, two_name] = [&one, &two].map(|path| path.to_str().unwrap());
    let report = converts(&[
        "--add-language",
        "ca",
        "--like",
        "Spanish",
        EMBEDDED,
        one_name,
    ]);
    assert_eq!(report["added_languages"], json!({"ca_ES": 1654}));
    // Then more, to a folder that has a tokenizer.json.
    let report = converts(&["--add-language", "eu_ES,tlh_XX", one_name, two_name]);
    let ids = json!({"eu_ES": 1655, "tlh_XX": 1656});
    assert_eq!(report["added_languages"], ids);

    assert_eq!(
        json_file(&two, "config.json")["decoder"]["vocab_size"],
        1657
    );
    let tokenizer = json_file(&two, "tokenizer.json");
    let tokens = tokenizer["added_tokens"].as_array().unwrap();
    let last: Vec<&Value> = tokens.iter().rev().take(3).collect();
    let contents = last.iter().map(|token| token["content"].as_str().unwrap());
    assert!(contents.eq(["tlh_XX", "eu_ES", "ca_ES"]));
    // What the source says of it otherwise stays.
    let config = json_file(&two, "tokenizer_config.json");
    assert_eq!(config["tgt_lang"], "en_XX");
    assert_eq!(config["additional_special_tokens"][54], "tlh_XX");

    let before = open_weights(Path::new(EMBEDDED)).unwrap();
    let after = open_weights(&two).unwrap();
    let ((before, width), (after, _)) = (rows(before.as_ref()), rows(after.as_ref()));
    assert_eq!(after.len(), 1657 * width);
    assert_eq!(after[..before.len()], before);
    let row = |id: usize| &after[id * width..(id + 1) * width];
    assert_eq!(row(1654), row(1605)); // es_XX
    for column in 0..width {
        let mean = (1601..1653)
            .chain([1654])
            .map(|id| f64::from(row(id)[column]));
        let mean = mean.sum::<f64>() / 53.0;
        // The file has half precision: 11 bits, or steps of 2^-24 near zero.
        let rounding = mean.abs() * 2f64.powi(-11) + 2f64.powi(-24);
        let found = f64::from(row(1655)[column]);
        assert!((mean - found).abs() <= rounding, "{mean} {found}");
    }
}

#[test]
fn languages_that_can_not_be_added_are_refused_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    let destination = folder.path().join("out");
    let destination = destination.to_str().unwrap();
    for (options, expected) in [
        (
            &["--add-language", "es"][..],
            "has the language es_XX already",
        ),
        (
            &["--add-language", "ca,ca"],
            "has the language ca_ES already",
        ),
        (
            &["--add-language", "xx"],
            "expected a language code like ca_ES",
        ),
        (&["--add-language", "ca", "--like", "klingon"], "klingon"),
        (&["--like", "es"], "--add-language"),
    ] {
        let output = convert(&[options, &[EMBEDDED, destination]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    // A model without a tokenizer.
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../pretrained/tests/data/forms/safetensors"
    );
    let output = convert(&["--add-language", "ca", model, destination]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("found none"), "{stderr}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
