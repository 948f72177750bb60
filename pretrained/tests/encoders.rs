//! Encoders of every family are composed with a decoder, saved and loaded again.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use packed_linear::Format;
use pretrained::{EncoderConfig, Pretrained, Weights};
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;
use vision_encoder_decoder::Encoder;

use crate::common::{load, load_as};

/// The small references of the crates `vit` and `swin`, which `make_reference.py` in their folders made, and the
/// width of each.
const ENCODERS: [(&str, usize); 6] = [
    ("vit/tests/data/vit", 12),
    ("vit/tests/data/vit-without-bias", 12),
    ("vit/tests/data/deit-rectangle", 12),
    ("swin/tests/data/donut", 8),
    ("swin/tests/data/swin-odd", 16),
    ("swin/tests/data/swin-positions", 8),
];

fn encoder(name: &str) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    models.join(name)
}

/// Composes an encoder's checkpoint with a small mBART of width 12.
fn composed(encoder: &Path) -> Pretrained {
    let decoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms/mbart-decoder");
    let device = Device::flex();
    Pretrained::from_encoder_decoder(encoder, decoder, Weights::Ordinary, &device).unwrap()
}

/// A tensor of a file.
fn floats<const D: usize>(file: &SafeTensors<'_>, name: &str) -> Tensor<D> {
    let tensor = file.tensor(name).unwrap();
    let (values, _) = tensor.data().as_chunks();
    let values: Vec<f32> = values.iter().map(|n| f32::from_le_bytes(*n)).collect();
    let data = TensorData::new(values, tensor.shape().to_vec());
    Tensor::from_data(data, &Device::flex())
}

/// The largest difference of the encoder's states from those of transformers.
fn apart(pretrained: &Pretrained, reference: &Path) -> f32 {
    let bytes = std::fs::read(reference.join("reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let encoded = pretrained
        .model
        .encoder
        .encode(floats(&file, "pixel_values"));
    let expected = floats(&file, "last_hidden_state");
    (encoded.hidden - expected).abs().max().into_scalar()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn encoders_of_their_own_checkpoints_are_composed_and_saved_for_transformers() {
    for (name, width) in ENCODERS {
        let reference = encoder(name);
        let pretrained = composed(&reference);
        assert!(apart(&pretrained, &reference) < 2e-4, "{name}");
        assert_eq!(pretrained.config.encoder.width(), width);
        assert_eq!(pretrained.config.projection, width != 12, "{name}");

        let place = TempDir::new().unwrap();
        pretrained.save(place.path(), &Default::default()).unwrap();
        for weights in [
            Weights::Ordinary,
            Weights::Packed(Format::F32),
            Weights::Packed(Format::INT8),
        ] {
            let again = load_as(place.path(), weights).unwrap();
            assert_eq!(again.config, pretrained.config, "{name}");
            let most = match weights {
                Weights::Packed(Format::Int8 { .. }) => 1.0,
                _ => 2e-4,
            };
            let apart = apart(&again, &reference);
            assert!(apart < most, "{name} {weights:?}: {apart}");
        }

        // Every key and every parameter that transformers wrote is written again, in its shape.
        let (before, after) = (
            read_json(&reference.join("config.json")),
            read_json(&place.path().join("config.json")),
        );
        for (key, value) in before.as_object().unwrap() {
            if !["architectures", "dtype", "transformers_version"].contains(&key.as_str()) {
                assert_eq!(after["encoder"][key], *value, "{name}: {key}");
            }
        }
        let (before, after) = (
            std::fs::read(reference.join("model.safetensors")).unwrap(),
            std::fs::read(place.path().join("model.safetensors")).unwrap(),
        );
        let before = SafeTensors::deserialize(&before).unwrap();
        let after = SafeTensors::deserialize(&after).unwrap();
        for (name, tensor) in before.tensors() {
            if name.starts_with("pooler.") || name.ends_with("relative_position_index") {
                continue;
            }
            let saved = after.tensor(&format!("encoder.{name}")).unwrap();
            assert_eq!(saved.shape(), tensor.shape(), "{name}");
            assert_eq!(saved.data(), tensor.data(), "{name}");
        }
    }
}

/// A copy of a checkpoint whose tensors have other names, and a few more.
fn renamed(name: &str, rename: impl Fn(&str) -> String, more: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let from = encoder(name);
    std::fs::copy(from.join("config.json"), folder.path().join("config.json")).unwrap();
    let bytes = std::fs::read(from.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors();
    let (_, some) = tensors.first().unwrap();
    let mut views: Vec<_> = tensors
        .iter()
        .map(|(name, view)| (rename(name), view.clone()))
        .collect();
    views.extend(more.iter().map(|name| (String::from(*name), some.clone())));
    let path = folder.path().join("model.safetensors");
    safetensors::serialize_to_file(views, None, &path).unwrap();
    folder
}

#[test]
fn an_encoder_is_found_in_a_classifier() {
    for (name, prefix, heads) in [
        (
            "vit/tests/data/vit",
            "vit.",
            &["classifier.weight", "classifier.bias"][..],
        ),
        (
            "vit/tests/data/deit-rectangle",
            "deit.",
            &["cls_classifier.bias", "distillation_classifier.weight"],
        ),
        ("swin/tests/data/swin-odd", "swin.", &["classifier.weight"]),
        ("swin/tests/data/donut", "donut.", &["classifier.weight"]),
        (
            "vit/tests/data/vit",
            "vit.",
            &["decoder.0.weight", "vit.embeddings.mask_token"],
        ),
    ] {
        let folder = renamed(name, |name| format!("{prefix}{name}"), heads);
        assert!(
            apart(&composed(folder.path()), &encoder(name)) < 2e-4,
            "{name}"
        );
    }
}

#[test]
fn the_names_that_transformers_5_has_while_it_runs_are_read() {
    let vit = |name: &str| {
        name.replace("encoder.layer.", "layers.")
            .replace("attention.attention.query", "attention.q_proj")
            .replace("attention.attention.key", "attention.k_proj")
            .replace("attention.attention.value", "attention.v_proj")
            .replace("attention.output.dense", "attention.o_proj")
            .replace("intermediate.dense", "mlp.fc1")
            .replace("output.dense", "mlp.fc2")
    };
    let swin = |name: &str| {
        vit(name)
            .replace("attention.self.query", "attention.q_proj")
            .replace("attention.self.key", "attention.k_proj")
            .replace("attention.self.value", "attention.v_proj")
            .replace(
                "attention.self.relative_position_bias_table",
                "attention.relative_position_bias.relative_position_bias_table",
            )
    };
    for name in ["vit/tests/data/vit", "vit/tests/data/deit-rectangle"] {
        let folder = renamed(name, vit, &[]);
        assert!(
            apart(&composed(folder.path()), &encoder(name)) < 2e-4,
            "{name}"
        );
    }
    let name = "swin/tests/data/swin-odd";
    let folder = renamed(name, swin, &[]);
    assert!(
        apart(&composed(folder.path()), &encoder(name)) < 2e-4,
        "{name}"
    );
}

#[test]
fn a_family_of_two_models_keeps_its_type() {
    for (name, model_type) in [
        ("vit/tests/data/vit", "vit"),
        ("vit/tests/data/deit-rectangle", "deit"),
        ("swin/tests/data/swin-odd", "swin"),
        ("swin/tests/data/donut", "donut-swin"),
    ] {
        let pretrained = composed(&encoder(name));
        let found = match &pretrained.config.encoder {
            EncoderConfig::ViT(config) => serde_json::to_value(config.model_type),
            EncoderConfig::Swin(config) => serde_json::to_value(config.model_type),
            other => panic!("{other:?}"),
        };
        assert_eq!(found.unwrap(), model_type);
    }
}

#[test]
fn whole_models_of_transformers_are_loaded() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle/auto");
    for name in ["donut-mbart", "swin-mbart"] {
        let folder = shared.join(name);
        if !folder.exists() {
            eprintln!("not run: {} is not there", folder.display());
            return;
        }
        let pretrained = load(&folder).unwrap();
        assert!(pretrained.config.projection);
        assert!(pretrained.notices.is_empty(), "{:?}", pretrained.notices);
        assert_eq!(pretrained.generation_config.decoder_start_token_id, Some(2));
    }
}
