//! Translation models: what they compute is what transformers does, in every form of their weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use checkpoint::{Precision, SaveOptions, StagedFolder};
use generation::GenerationConfig;
use marian::SourceTokens;
use packed_linear::Format;
use pretrained::{LoadError, LoadNotice, LoadOptions, PretrainedTranslator, Weights};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tempfile::TempDir;
use vision_encoder_decoder::{Encoder, Memory};

use crate::common::chain;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/marian");
const SHARED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/oracle/auto/marian"
);

fn load(folder: impl AsRef<Path>, weights: Weights) -> Result<PretrainedTranslator, LoadError> {
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    PretrainedTranslator::from_folder(folder, &options, &Device::flex())
}

/// A folder's reference: tensors and cases.
struct Reference {
    bytes: Vec<u8>,
    json: Value,
}

impl Reference {
    fn read(folder: &Path) -> Self {
        let json = fs::read(folder.join("reference.json")).unwrap();
        Self {
            bytes: fs::read(folder.join("reference.safetensors")).unwrap(),
            json: serde_json::from_slice(&json).unwrap(),
        }
    }

    fn integers(&self, name: &str) -> Tensor<2, Int> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap();
        let (chunks, _) = tensor.data().as_chunks::<8>();
        let values: Vec<i64> = chunks.iter().map(|one| i64::from_le_bytes(*one)).collect();
        let shape: [usize; 2] = tensor.shape().try_into().unwrap();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn largest_difference(&self, name: &str, found: Tensor<3>) -> f32 {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.shape(), found.dims());
        let (chunks, _) = tensor.data().as_chunks::<4>();
        let expected = chunks.iter().map(|one| f32::from_le_bytes(*one));
        let found = found.try_into_vec_as::<f32>().unwrap();
        let pairs = found.into_iter().zip(expected);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    fn memory(&self, loaded: &PretrainedTranslator) -> Memory {
        let padding: Tensor<2, Bool> = self.integers("attention_mask").equal_elem(0);
        let tokens = SourceTokens::new(self.integers("input_ids"));
        loaded.model.encoder.encode(tokens.with_padding(padding))
    }

    fn logits(&self, loaded: &PretrainedTranslator) -> Tensor<3> {
        let memory = self.memory(loaded);
        let [texts, _, _] = memory.hidden.dims();
        let row_sources: Vec<usize> = (0..texts).collect();
        let tokens = self.integers("decoder_input_ids");
        loaded
            .model
            .forward_from(memory, &row_sources, tokens, None)
    }

    /// Checks states, logits, texts and scores.
    fn check(&self, loaded: &PretrainedTranslator) {
        let memory = self.memory(loaded);
        let states = self.largest_difference("encoder_last_hidden_state", memory.hidden.clone());
        let logits = self.largest_difference("logits", self.logits(loaded));
        assert!(states < 2e-4 && logits < 2e-4, "{states}, {logits}");
        for case in self.json["cases"].as_array().unwrap() {
            self.check_case(loaded, memory.clone(), case);
        }
    }

    fn check_case(&self, loaded: &PretrainedTranslator, memory: Memory, case: &Value) {
        let options = case["options"].as_object().unwrap();
        let config = GenerationConfig {
            num_beams: 1,
            ..loaded.generation_config.clone()
        };
        let config = config.updated(options).unwrap();
        let [texts, _, _] = memory.hidden.dims();
        let row_sources: Vec<usize> = (0..texts).collect();
        let prompts = vec![generation::Prompt::new(vec![config.start_token().unwrap()]); texts];
        let found = loaded
            .model
            .generate_from(memory, &row_sources, &prompts, &config)
            .unwrap();
        let found: Vec<_> = found.into_iter().flat_map(Result::unwrap).collect();
        let expected: Vec<Vec<u32>> = serde_json::from_value(case["sequences"].clone()).unwrap();
        let pad = self.json["pad_token_id"].as_u64().unwrap() as u32;
        assert_eq!(found.len(), expected.len());
        for (number, (found, mut expected)) in found.iter().zip(expected).enumerate() {
            while expected.len() > 2 && expected.last() == Some(&pad) {
                expected.pop();
            }
            assert_eq!(found.tokens, expected, "{options:?}");
            if let Some(score) = case["sequence_scores"][number].as_f64() {
                assert!((f64::from(found.score) - score).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn translation_models_compute_what_transformers_computes() {
    for name in ["shared", "separate", "untied"] {
        let folder = Path::new(DATA).join(name);
        let reference = Reference::read(&folder);
        for weights in [Weights::Ordinary, Weights::Packed(Format::F32)] {
            reference.check(&load(&folder, weights).unwrap());
        }
    }
}

#[test]
fn the_shared_translation_model_agrees() {
    if !Path::new(SHARED).exists() {
        println!("{SHARED} does not exist: not compared");
        return;
    }
    let reference = Reference::read(Path::new(SHARED));
    reference.check(&load(SHARED, Weights::Auto).unwrap());
}

/// Name, shape and values of every tensor of a folder.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

fn tensors(folder: &Path) -> Tensors {
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.iter();
    let tensors = tensors.map(|(name, view)| {
        let tensor = (view.shape().to_vec(), view.data().to_vec());
        (name.to_owned(), tensor)
    });
    tensors.collect()
}

/// A copy of a folder with other weights and other keys in its configuration.
fn copy(name: &str, change: impl FnOnce(&mut Tensors, &mut Value)) -> (TempDir, PathBuf) {
    let original = Path::new(DATA).join(name);
    let copy = TempDir::new().unwrap();
    let mut tensors = tensors(&original);
    let config = fs::read(original.join("config.json")).unwrap();
    let mut config = serde_json::from_slice(&config).unwrap();
    change(&mut tensors, &mut config);
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    let path = copy.path().join("model.safetensors");
    safetensors::serialize_to_file(views, None, &path).unwrap();
    fs::write(copy.path().join("config.json"), config.to_string()).unwrap();
    (copy, original)
}

/// The options that transformers 4 kept in `config.json`.
fn with_old_options(config: &mut Value, pad: u32) {
    for (key, value) in [
        ("bad_words_ids", json!([[pad]])),
        ("num_beams", json!(4)),
        ("max_length", json!(12)),
        ("normalize_before", json!(false)),
        ("static_position_embeddings", json!(true)),
    ] {
        config[key] = value;
    }
}

#[test]
fn older_checkpoints_have_copies_of_tables_and_options_in_their_configuration() {
    let (folder, original) = copy("shared", |tensors, config| {
        let table = tensors["model.shared.weight"].clone();
        let positions = (vec![64, 16], vec![0; 64 * 16 * 4]);
        for part in ["encoder", "decoder"] {
            let name = |table| format!("model.{part}.{table}.weight");
            tensors.insert(name("embed_tokens"), table.clone());
            tensors.insert(name("embed_positions"), positions.clone());
        }
        tensors.insert("lm_head.weight".into(), table);
        with_old_options(config, 190);
    });
    let loaded = load(folder.path(), Weights::Ordinary).unwrap();
    assert_eq!(loaded.notices, []);
    assert_eq!(loaded.generation_config.num_beams, 4);
    assert_eq!(loaded.generation_config.bad_words_ids, [[190]]);
    assert_eq!(loaded.generation_config.forced_eos_token_id, [0]);
    Reference::read(&original).check(&loaded);
}

#[test]
fn the_shared_table_may_have_any_of_its_names() {
    for name in ["lm_head.weight", "model.decoder.embed_tokens.weight"] {
        let (folder, original) = copy("shared", |tensors, config| {
            let table = tensors.remove("model.shared.weight").unwrap();
            tensors.insert(name.into(), table);
            with_old_options(config, 190);
        });
        let loaded = load(folder.path(), Weights::Ordinary).unwrap();
        Reference::read(&original).check(&loaded);
    }
}

#[test]
fn a_head_with_other_values_is_used_and_the_user_is_told() {
    let (folder, _) = copy("shared", |tensors, _| {
        let (shape, mut bytes) = tensors["model.shared.weight"].clone();
        bytes[..4].copy_from_slice(&9f32.to_le_bytes());
        tensors.insert("lm_head.weight".into(), (shape, bytes));
    });
    let loaded = load(folder.path(), Weights::Ordinary).unwrap();
    assert!(!loaded.config.tie_word_embeddings);
    assert!(matches!(
        loaded.notices[..],
        [LoadNotice::HeadIsNotTied { .. }]
    ));
}

#[test]
fn tables_of_both_languages_with_other_values_are_used_and_the_user_is_told() {
    let (folder, _) = copy("shared", |tensors, _| {
        let (shape, mut bytes) = tensors["model.shared.weight"].clone();
        bytes[..4].copy_from_slice(&9f32.to_le_bytes());
        tensors.insert("model.encoder.embed_tokens.weight".into(), (shape, bytes));
    });
    let loaded = load(folder.path(), Weights::Ordinary).unwrap();
    assert!(!loaded.config.share_encoder_decoder_embeddings);
    assert!(loaded.config.tie_word_embeddings);
    assert!(matches!(
        loaded.notices[..],
        [LoadNotice::EmbeddingsAreNotShared { .. }]
    ));
}

#[test]
fn the_bias_of_the_logits_may_be_missing() {
    let (folder, original) = copy("shared", |tensors, _| {
        tensors.remove("final_logits_bias").unwrap();
    });
    let loaded = load(folder.path(), Weights::Ordinary).unwrap();
    assert!(!loaded.config.final_logits_bias);
    let reference = Reference::read(&original);
    assert!(reference.largest_difference("logits", reference.logits(&loaded)) > 0.1);
}

#[test]
fn a_saved_model_is_the_same_model() {
    for name in ["shared", "separate", "untied"] {
        let original = Path::new(DATA).join(name);
        let loaded = load(&original, Weights::Packed(Format::F32)).unwrap();
        let folder = TempDir::new().unwrap();
        let folder = folder.path().join("saved");
        loaded.save(&folder, &SaveOptions::default()).unwrap();
        // The same names and bytes, so that transformers opens them too.
        let mut expected = tensors(&original);
        if name == "untied" {
            expected.remove("model.shared.weight"); // it has no use
        }
        assert_eq!(tensors(&folder), expected);
        Reference::read(&original).check(&load(&folder, Weights::Ordinary).unwrap());
    }
}

#[test]
fn packed_weights_are_loaded_as_they_were_saved() {
    let original = Path::new(DATA).join("shared");
    let reference = Reference::read(&original);
    for (format, apart) in [(Format::INT8, 0.4), (Format::INT4, 4.0)] {
        let loaded = load(&original, Weights::Packed(format)).unwrap();
        let logits = reference.logits(&loaded);
        let difference = reference.largest_difference("logits", logits.clone());
        assert!(difference < apart, "{format}: {difference}");
        let parent = TempDir::new().unwrap();
        let folder = parent.path().join("packed");
        let staged = StagedFolder::new(&folder).unwrap();
        loaded.write_packed(&staged).unwrap();
        staged.commit().unwrap();
        let again = load(&folder, Weights::Auto).unwrap();
        assert_eq!(again.format, Some(format));
        assert_eq!(reference.logits(&again).into_data(), logits.into_data());
    }
}

#[test]
fn half_precision_is_widened() {
    let original = Path::new(DATA).join("separate");
    let loaded = load(&original, Weights::Ordinary).unwrap();
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("half");
    let options = SaveOptions {
        precision: Precision::BF16,
        ..SaveOptions::default()
    };
    loaded.save(&folder, &options).unwrap();
    let half = load(&folder, Weights::Ordinary).unwrap();
    assert_eq!(half.precision, Precision::BF16);
    let reference = Reference::read(&original);
    assert!(reference.largest_difference("logits", reference.logits(&half)) < 0.1);
}

#[test]
fn files_that_are_not_a_translation_model_are_refused() {
    type Change = fn(&mut Tensors, &mut Value);
    let cases: [(Change, &str); 4] = [
        (
            |_, config| config["model_type"] = "t5".into(),
            "expected marian",
        ),
        (|_, config| config["d_model"] = 15.into(), "not a multiple"),
        (
            |tensors, _| drop(tensors.remove("model.encoder.layers.1.fc1.bias")),
            "model.encoder.layers.1.fc1.bias",
        ),
        (
            |tensors, _| drop(tensors.insert("extra".into(), (vec![1], vec![0; 4]))),
            "extra",
        ),
    ];
    for (change, message) in cases {
        let (folder, _) = copy("shared", change);
        let error = chain(&load(folder.path(), Weights::Ordinary).unwrap_err());
        assert!(error.contains(message), "{error}");
    }
}
