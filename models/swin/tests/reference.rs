//! Hidden states are those that transformers computes. `tests/data/make_reference.py` says how the small references
//! were made; the larger ones are outside of the repository.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use checkpoint::{WeightGroup, WeightNames};
use model_tests::{EncoderFamily, states_are_those_of_the_reference};
use packed_linear::Format;
use serde_json::Value;
use swin::{SwinConfig, SwinModel, WEIGHTS};

struct Swin;

impl EncoderFamily for Swin {
    type Encoder = SwinModel;

    const NAMES: WeightNames<'static> = WeightNames {
        groups: &[WeightGroup {
            module: "",
            checkpoint: &["encoder.", ""],
            names: WEIGHTS,
        }],
        ignored: &["*relative_position_index", "decoder.*", "enc_to_dec_proj.*"],
    };

    fn init(config: Value, format: Option<Format>, device: &Device) -> SwinModel {
        let config = SwinConfig::from_value(config).unwrap();
        match format {
            Some(format) => config.init_packed(format, device),
            None => config.init(device),
        }
    }
}

#[test]
fn small_models_compute_the_states_of_transformers() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["donut", "swin-odd", "swin-positions"] {
        states_are_those_of_the_reference::<Swin>(&data.join(name), "last_hidden_state");
    }
}

#[test]
fn encoders_of_whole_models_compute_the_states_of_transformers() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/auto");
    for name in ["donut-mbart", "swin-gpt2", "swin-mbart"] {
        let folder = shared.join(name);
        match folder.exists() {
            true => states_are_those_of_the_reference::<Swin>(&folder, "encoder_last_hidden_state"),
            false => eprintln!("not run: {} is not there", folder.display()),
        }
    }
}
