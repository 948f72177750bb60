//! Translation models.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use burn::tensor::Device;
use checkpoint::open_weights;
use pretrained::{LoadOptions, PretrainedTranslator};
use serde_json::Value;
use tempfile::TempDir;

/// A checkpoint with its tokenizer.
const TINY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../translation/tests/data/tiny"
);

fn checkpoint(name: &str) -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../pretrained/tests/data/marian"
    );
    format!("{folder}/{name}")
}

fn convert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_convert"))
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap()
}

/// Runs the program and expects success. Returns its report and what it printed on stderr.
fn converts(arguments: &[&str]) -> (Value, String) {
    let output = convert(&[arguments, &["--json"]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    (serde_json::from_slice(&output.stdout).unwrap(), stderr)
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

fn load(folder: impl AsRef<Path>) -> PretrainedTranslator {
    let options = LoadOptions::default();
    PretrainedTranslator::from_folder(folder, &options, &Device::flex()).unwrap()
}

/// Asserts that a folder has all tensors of another, with equal values.
fn assert_has_weights_of(source: &Path, written: &Path) {
    let (source, written) = (
        open_weights(source).unwrap(),
        open_weights(written).unwrap(),
    );
    assert!(!written.names().is_empty());
    for name in written.names() {
        let values = source.read_all(name).unwrap();
        assert_eq!(values, written.read_all(name).unwrap(), "{name}");
    }
}

#[test]
fn a_translation_model_is_written_and_read_as_it_was() {
    let place = Place::new();
    for name in ["shared", "separate", "untied"] {
        let (source, out) = (checkpoint(name), place.name(name));
        let (report, stderr) = converts(&[&source, &out]);
        assert!(stderr.contains("put source.spm"), "{stderr}");
        assert_eq!(report["precision"], "f32");
        assert_has_weights_of(Path::new(&source), Path::new(&out));
        let (before, after) = (load(&source), load(&out));
        assert_eq!(before.config, after.config);
        assert_eq!(before.generation_config, after.generation_config);
        assert_eq!(report["parameters"], after.num_params() as u64);
        assert!(!place.at(name).join("preprocessor_config.json").exists());
        // Again, in shards.
        let again = place.name(&format!("{name}-again"));
        converts(&[&out, &again, "--max-shard-size", "6KB"]);
        let index = Path::new(&again).join("model.safetensors.index.json");
        assert!(index.exists(), "{name}");
        assert_has_weights_of(Path::new(&source), Path::new(&again));
        assert_eq!(load(&again).config, before.config);
    }
}

#[test]
fn packed_weights_of_a_translation_model_load() {
    let place = Place::new();
    for (precision, options) in [
        ("f32", &["--packed"][..]),
        ("bf16", &["--packed"]),
        ("int8:8", &[]),
        ("int8", &[]),
        ("int4:8", &[]),
    ] {
        let out = place.name(precision);
        let source = checkpoint("shared");
        let arguments = [&[source.as_str(), &out, "--precision", precision], options];
        let (report, _) = converts(&arguments.concat());
        assert_eq!(report["precision"], precision);
        let loaded = load(&out);
        assert_eq!(loaded.format.unwrap().to_string(), precision);
        assert_eq!(loaded.config, load(&source).config, "{precision}");
    }
}

#[test]
fn the_tokenizer_of_a_translation_model_is_copied() {
    let place = Place::new();
    let out = place.name("out");
    let (_, stderr) = converts(&[TINY, &out]);
    assert_eq!(stderr, "");
    // Named for a checkpoint that has none.
    let (named, target_vocabulary) = (place.name("named"), place.at("tokenizer"));
    fs::create_dir(&target_vocabulary).unwrap();
    let files = [
        "source.spm",
        "target.spm",
        "vocab.json",
        "tokenizer_config.json",
    ];
    for file in files {
        fs::copy(Path::new(TINY).join(file), target_vocabulary.join(file)).unwrap();
    }
    // It is read only if the options ask for separate vocabularies.
    let vocabulary = Path::new(TINY).join("vocab.json");
    fs::copy(vocabulary, target_vocabulary.join("target_vocab.json")).unwrap();
    let tokenizer = place.name("tokenizer");
    let (_, stderr) = converts(&[&checkpoint("shared"), &named, "--tokenizer", &tokenizer]);
    assert_eq!(stderr, "");
    for file in files {
        let read = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert_eq!(read(Path::new(TINY)), read(Path::new(&out)), "{file}");
        assert_eq!(read(Path::new(TINY)), read(Path::new(&named)), "{file}");
    }
    assert!(Path::new(&named).join("target_vocab.json").exists());
}

#[test]
fn what_makes_no_sense_for_a_translation_model_is_refused() {
    let place = Place::new();
    let out = place.name("out");
    let (shared, untied) = (checkpoint("shared"), checkpoint("untied"));
    let clip = format!("{shared}/../../forms/clip");
    for (arguments, expected) in [
        (
            vec![&*shared, &out, "--add-language", "ca"],
            "no languages can be added; leave out --add-language",
        ),
        (
            vec!["--encoder", &clip, "--decoder", &shared, &out],
            "model_type \"marian\"",
        ),
        (
            vec!["--encoder", &shared, "--decoder", &clip, &out],
            "model_type \"marian\"",
        ),
        (
            vec!["--random", "opus-mt", "--add-language", "ca", &out],
            "cannot be used with",
        ),
        (
            vec![&*untied, &out, "--tokenizer", TINY],
            "different models",
        ),
    ] {
        let output = convert(&arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0);
}
