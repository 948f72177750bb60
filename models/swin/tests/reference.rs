//! Hidden states are those that transformers computes. `tests/data/make_reference.py` says how the small references
//! were made; the larger ones are outside of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use checkpoint::{WeightGroup, WeightNames, load_weights, open_weights};
use packed_linear::Format;
use safetensors::SafeTensors;
use serde_json::Value;
use swin::{SwinConfig, WEIGHTS};

/// The largest difference that counts as equal.
const TOLERANCE: f32 = 2e-4;

const NAMES: WeightNames<'_> = WeightNames {
    groups: &[WeightGroup {
        module: "",
        checkpoint: &["encoder.", ""],
        names: WEIGHTS,
    }],
    ignored: &["*relative_position_index", "decoder.*", "enc_to_dec_proj.*"],
};

/// A tensor of a reference file.
fn tensor<const D: usize>(file: &SafeTensors<'_>, name: &str, device: &Device) -> Tensor<D> {
    let view = file.tensor(name).unwrap();
    let shape: [usize; D] = view.shape().try_into().unwrap();
    let values = view.data().chunks_exact(4);
    let values: Vec<f32> = values
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The largest difference between the states of a folder's model and those of its reference.
fn difference(folder: &Path, states: &str, format: Option<Format>) -> f32 {
    let device = Device::flex();
    let json = fs::read(folder.join("config.json")).unwrap();
    let mut json: Value = serde_json::from_slice(&json).unwrap();
    if let Some(encoder) = json.get_mut("encoder") {
        json = encoder.take();
    }
    let config = SwinConfig::from_value(json).unwrap();
    let model = match format {
        Some(format) => config.init_packed(format, &device),
        None => config.init(&device),
    };
    let weights = open_weights(folder).unwrap();
    let model = load_weights(model, weights.as_ref(), &NAMES).unwrap();

    let bytes = fs::read(folder.join("reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let hidden = model.forward(tensor(&file, "pixel_values", &device));
    let expected = tensor(&file, states, &device);
    assert_eq!(hidden.dims(), expected.dims());
    (hidden - expected).abs().max().into_scalar::<f32>()
}

fn assert_equal(folder: &Path, states: &str) {
    for format in [None, Some(Format::F32)] {
        let difference = difference(folder, states, format);
        eprintln!("{}, {format:?}: {difference:.1e}", folder.display());
        assert!(difference < TOLERANCE, "{}: {difference}", folder.display());
    }
}

#[test]
fn small_models_compute_the_states_of_transformers() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["donut", "swin-odd", "swin-positions"] {
        assert_equal(&data.join(name), "last_hidden_state");
    }
}

#[test]
fn encoders_of_whole_models_compute_the_states_of_transformers() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/auto");
    for name in ["donut-mbart", "swin-gpt2", "swin-mbart"] {
        let folder = shared.join(name);
        match folder.exists() {
            true => assert_equal(&folder, "encoder_last_hidden_state"),
            false => eprintln!("not run: {} is not there", folder.display()),
        }
    }
}
