//! Hidden states are those that transformers computes. `tests/data/make_reference.py` says how the small references
//! were made; the larger ones are outside of the repository.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use checkpoint::{WeightGroup, WeightNames};
use model_tests::{EncoderFamily, states_are_those_of_the_reference};
use packed_linear::Format;
use serde_json::Value;
use vit::{ViTConfig, ViTModel, WEIGHTS};

struct ViT;

impl EncoderFamily for ViT {
    type Encoder = ViTModel;

    const NAMES: WeightNames<'static> = WeightNames {
        groups: &[WeightGroup {
            module: "",
            checkpoint: &["encoder.", ""],
            names: WEIGHTS,
        }],
        ignored: &[
            "pooler.*",
            "encoder.pooler.*",
            "decoder.*",
            "enc_to_dec_proj.*",
        ],
    };

    fn init(config: Value, format: Option<Format>, device: &Device) -> ViTModel {
        let config = ViTConfig::from_value(config).unwrap();
        match format {
            Some(format) => config.init_packed(format, device),
            None => config.init(device),
        }
    }
}

#[test]
fn small_models_compute_the_states_of_transformers() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["vit", "vit-without-bias", "deit-rectangle"] {
        states_are_those_of_the_reference::<ViT>(&data.join(name), "last_hidden_state");
    }
}

#[test]
fn encoders_of_whole_models_compute_the_states_of_transformers() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/auto");
    for name in [
        "vit-gpt2",
        "vit-bert",
        "deit-roberta",
        "vit-trocr",
        "deit-trocr",
    ] {
        let folder = shared.join(name);
        match folder.exists() {
            true => states_are_those_of_the_reference::<ViT>(&folder, "encoder_last_hidden_state"),
            false => eprintln!("not run: {} is not there", folder.display()),
        }
    }
}
