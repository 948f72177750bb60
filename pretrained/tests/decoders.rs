//! Decoders of all families: their checkpoints, composing and saving.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor};
use generation::GenerationConfig;
use packed_linear::Format;
use pretrained::{
    ComposeOptions, LoadError, LoadOptions, NewToken, Pretrained, VisionEncoderDecoderConfig,
    Weights,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::TempDir;
use vision_encoder_decoder::Decoder;

use crate::common::{Tensors, load, load_as, write};

/// Small checkpoints that transformers saved, without their encoders.
const FOLDERS: [&str; 6] = [
    "gpt2-decoder/tests/data/tied",
    "gpt2-decoder/tests/data/untied",
    "bert-decoder/tests/data/bert",
    "bert-decoder/tests/data/roberta",
    "trocr-decoder/tests/data/learned",
    "trocr-decoder/tests/data/sinusoidal",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name)
}

/// The configuration of the whole model with a small CLIP of the same width as the encoder.
fn config_of(folder: &Path) -> Value {
    let text = fs::read(folder.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&text).unwrap();
    config["encoder"] = json!({
        "model_type": "clip_vision_model", "hidden_size": config["encoder"]["hidden_size"],
        "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 16, "patch_size": 8,
    });
    config
}

fn tensors_of(folder: &Path) -> Tensors {
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = tensors.iter().map(|(name, tensor)| {
        let values = tensor.data().chunks_exact(4);
        let values = values.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        (name.to_owned(), (tensor.shape().to_vec(), values.collect()))
    });
    tensors.collect()
}

/// A whole checkpoint: the decoder of a folder after a fresh encoder.
fn whole(name: &str) -> (TempDir, Tensors) {
    let source = folder(name);
    let json = config_of(&source).to_string();
    let config = VisionEncoderDecoderConfig::from_json(&json).unwrap();
    let device = Device::flex();
    let weights = Weights::Ordinary;
    let fresh = Pretrained::from_config(config, GenerationConfig::default(), weights, &device);
    let saved = tempfile::tempdir().unwrap();
    fresh.save(saved.path(), &Default::default()).unwrap();
    let decoder = tensors_of(&source);
    let mut tensors = tensors_of(saved.path());
    tensors.extend(decoder.clone());
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &json, &tensors);
    (folder, decoder)
}

/// The decoder's logits of some tokens and some memory.
fn logits(pretrained: &Pretrained) -> Tensor<3> {
    let device = Device::flex();
    let decoder = &pretrained.model.decoder;
    let width = pretrained.config.decoder.memory_width();
    let memory = Tensor::<1, Int>::arange(0..(5 * width) as i64, &device)
        .float()
        .sin();
    let memory = memory.reshape([1, 5, width]);
    let mut state = decoder.start(memory.into(), &[0]);
    let tokens = Tensor::<2, Int>::from_data([[2, 9, 17, 28]], &device);
    decoder.logits(decoder.forward(tokens, None, &mut state))
}

fn largest_difference(a: Tensor<3>, b: Tensor<3>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}

#[test]
fn a_saved_decoder_has_the_tensors_that_transformers_saved() {
    for name in FOLDERS {
        let (folder, expected) = whole(name);
        let loaded = load(folder.path()).unwrap();
        let saved = tempfile::tempdir().unwrap();
        loaded.save(saved.path(), &Default::default()).unwrap();
        let mut found = tensors_of(saved.path());
        found.retain(|name, _| name.starts_with("decoder."));
        // Transformers saves a bias that a head with its own table does not use.
        let unused = ["decoder.cls.predictions.bias", "decoder.lm_head.bias"];
        let is_used = |key: &String| {
            name != "bert-decoder/tests/data/bert" || !unused.contains(&key.as_str())
        };
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .filter(|(key, _)| is_used(key))
            .collect();
        assert!(found == expected, "{name}: {:?}", found.keys());

        let text = fs::read(saved.path().join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&text).unwrap();
        let decoder = &config_of(&self::folder(name))["decoder"];
        for (key, value) in config["decoder"].as_object().unwrap() {
            let known = &decoder[key];
            assert!(known == value || known.is_null(), "{name}, {key}: {value}");
        }
        let again = load(saved.path()).unwrap();
        assert_eq!(again.config, loaded.config, "{name}");
        assert_eq!(logits(&again).into_data(), logits(&loaded).into_data());
    }
}

#[test]
fn packed_weights_of_every_decoder_are_saved_and_read_again() {
    for name in FOLDERS {
        let (folder, expected) = whole(name);
        let packed = load_as(folder.path(), Weights::Packed(Format::F32)).unwrap();
        let ordinary = logits(&load(folder.path()).unwrap());
        let difference = largest_difference(logits(&packed), ordinary);
        assert!(difference < 1e-3, "{name}: {difference}");
        // As they are packed, and unpacked for transformers.
        let saved = tempfile::tempdir().unwrap();
        let staged = checkpoint::StagedFolder::new(saved.path().join("packed")).unwrap();
        packed.write_packed(&staged).unwrap();
        staged.commit().unwrap();
        let options = LoadOptions::default();
        let again = Pretrained::from_folder(saved.path().join("packed"), &options, &Device::flex());
        let again = logits(&again.unwrap());
        assert_eq!(again.into_data(), logits(&packed).into_data(), "{name}");
        packed
            .save(saved.path().join("unpacked"), &Default::default())
            .unwrap();
        let found = tensors_of(&saved.path().join("unpacked"));
        for (key, tensor) in &found {
            if key.starts_with("decoder.") {
                assert!(expected.get(key) == Some(tensor), "{name}: {key}");
            }
        }
    }
}

#[test]
fn buffers_and_second_names_of_old_files_are_ignored() {
    for (name, old) in [
        (
            "gpt2-decoder/tests/data/tied",
            &[
                ("transformer.h.0.attn.bias", ""),
                ("transformer.h.0.attn.masked_bias", ""),
                ("transformer.h.0.crossattention.bias", ""),
                ("transformer.h.0.crossattention.masked_bias", ""),
                ("lm_head.weight", "transformer.wte.weight"),
            ][..],
        ),
        (
            "bert-decoder/tests/data/roberta",
            &[
                ("roberta.embeddings.position_ids", ""),
                ("lm_head.decoder.bias", "lm_head.bias"),
                (
                    "lm_head.decoder.weight",
                    "roberta.embeddings.word_embeddings.weight",
                ),
            ],
        ),
        (
            "trocr-decoder/tests/data/sinusoidal",
            &[
                ("model.decoder.embed_positions._float_tensor", ""),
                (
                    "output_projection.weight",
                    "model.decoder.embed_tokens.weight",
                ),
            ],
        ),
    ] {
        let (folder, _) = whole(name);
        let expected = logits(&load(folder.path()).unwrap());
        let mut tensors = tensors_of(folder.path());
        for (key, like) in old {
            let tensor = tensors.get(&format!("decoder.{like}")).cloned();
            let tensor = tensor.unwrap_or((vec![1], vec![7.0]));
            tensors.insert(format!("decoder.{key}"), tensor);
        }
        let json = fs::read_to_string(folder.path().join("config.json")).unwrap();
        write(folder.path(), &json, &tensors);
        let loaded = load(folder.path()).unwrap();
        assert!(loaded.config.decoder.has_tied_head(), "{name}");
        assert!(loaded.notices.is_empty(), "{name}");
        assert_eq!(logits(&loaded).into_data(), expected.into_data(), "{name}");
    }
}

#[test]
fn xlm_roberta_and_camembert_are_saved_under_their_names() {
    let source = folder("bert-decoder/tests/data/roberta");
    for name in ["xlm-roberta", "camembert"] {
        let mut config = config_of(&source);
        config["decoder"]["model_type"] = name.into();
        let read = VisionEncoderDecoderConfig::from_json(&config.to_string()).unwrap();
        let written = read.to_json(&GenerationConfig::default(), Default::default());
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["decoder"]["model_type"], name);
    }
}

#[test]
fn an_encoder_of_another_width_than_the_memory_is_refused() {
    let source = folder("trocr-decoder/tests/data/sinusoidal");
    let mut config = config_of(&source);
    config["encoder"]["hidden_size"] = 10.into();
    let error = VisionEncoderDecoderConfig::from_json(&config.to_string()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("cross_attention_hidden_size is 8"),
        "{message}"
    );
}

#[test]
fn a_new_token_gets_a_bias_of_the_head_too() {
    let (folder, _) = whole("bert-decoder/tests/data/bert");
    let token = NewToken {
        id: 29,
        like: vec![5],
    };
    let options = LoadOptions {
        weights: Weights::Ordinary,
        ..LoadOptions::default()
    };
    let device = Device::flex();
    let loaded =
        Pretrained::from_folder_with_tokens(folder.path(), &[token], &options, &device).unwrap();
    let logits = logits(&loaded);
    let of = |token: usize| logits.clone().slice_dim(2, token..token + 1);
    assert_eq!(logits.dims(), [1, 4, 30]);
    assert!(largest_difference(of(29), of(5)) < 1e-5);
}

/// A decoder's own checkpoint, with or without cross-attention, and with names that old files have.
fn own(name: &str, with_cross_attention: bool) -> TempDir {
    let source = folder(name);
    let config = &config_of(&source)["decoder"];
    let mut tensors = Tensors::new();
    for (key, tensor) in tensors_of(&source) {
        let key = key.strip_prefix("decoder.").unwrap();
        let is_cross = key.contains("crossattention")
            || key.contains("ln_cross_attn")
            || key.contains("encoder_attn");
        if is_cross && !with_cross_attention {
            continue;
        }
        let mut key = key.to_owned();
        if name.contains("gpt2") && name.contains("/tied") {
            key = key.strip_prefix("transformer.").unwrap_or(&key).to_owned();
            if key.ends_with("attn.c_attn.bias") {
                let mask = key.replace("c_attn.bias", "bias");
                tensors.insert(mask, (vec![1, 1, 2, 2], vec![1.0, 0.0, 1.0, 1.0]));
            }
        }
        if name.contains("data/bert") && key.contains("LayerNorm") {
            key = key.replace(".weight", ".gamma").replace(".bias", ".beta");
        }
        tensors.insert(key, tensor);
    }
    if name.contains("data/bert") {
        tensors.insert("bert.pooler.dense.bias".into(), (vec![1], vec![0.0]));
        tensors.insert("cls.seq_relationship.bias".into(), (vec![1], vec![0.0]));
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &config.to_string(), &tensors);
    folder
}

#[test]
fn a_decoder_without_cross_attention_is_refused_unless_a_fresh_one_is_asked_for() {
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms/clip");
    let device = Device::flex();
    for name in FOLDERS {
        if name.contains("sinusoidal") {
            continue; // It fits no other encoder.
        }
        let decoder = own(name, false);
        let compose = |fresh_cross_attention| {
            let options = ComposeOptions {
                weights: Weights::Ordinary,
                fresh_cross_attention,
            };
            Pretrained::compose(&encoder, decoder.path(), &options, &device)
        };
        let error = compose(false).unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error, LoadError::NoCrossAttention { .. }),
            "{name}: {message}"
        );
        assert!(message.contains("fresh_cross_attention"), "{message}");
        let composed = compose(true).unwrap();
        let saved = tempfile::tempdir().unwrap();
        composed.save(saved.path(), &Default::default()).unwrap();
        let found = tensors_of(saved.path());
        for (key, tensor) in tensors_of(&folder(name)) {
            let found = found.get(&key);
            match key.contains("cross") || key.contains("encoder_attn") {
                true => assert!(found.is_some_and(|found| *found != tensor), "{name}: {key}"),
                false if key == "decoder.cls.predictions.bias" => {}
                false => assert!(found == Some(&tensor), "{name}: {key}"),
            }
        }
    }
}

#[test]
fn a_decoder_with_cross_attention_is_composed_with_it() {
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms/clip");
    let device = Device::flex();
    for name in &FOLDERS[..5] {
        let decoder = own(name, true);
        let weights = Weights::Ordinary;
        let composed =
            Pretrained::from_encoder_decoder(&encoder, decoder.path(), weights, &device).unwrap();
        let (whole, _) = whole(name);
        let whole = load(whole.path()).unwrap();
        let difference = largest_difference(logits(&composed), logits(&whole));
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}
