use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use checkpoint::{WeightNames, load_weights, open_weights};
use packed_linear::Format;
use safetensors::SafeTensors;
use serde_json::Value;
use vision_encoder_decoder::Encoder;

use crate::reference::floats;

/// The largest difference of states that counts as equal.
const TOLERANCE: f32 = 2e-4;

/// A family of image encoders.
pub trait EncoderFamily {
    /// The model.
    type Encoder: Encoder<Input = Tensor<4>>;

    /// The names of its weights.
    const NAMES: WeightNames<'static>;

    /// An encoder with fresh weights, packed if there is a format.
    fn init(config: Value, format: Option<Format>, device: &Device) -> Self::Encoder;
}

/// The hidden states of a folder's model are those in its `reference.safetensors`, where they are called `states`, with
/// ordinary weights and with packed ones.
///
/// # Panics
/// If a difference is too large, or a file is missing.
pub fn states_are_those_of_the_reference<F: EncoderFamily>(folder: &Path, states: &str) {
    for format in [None, Some(Format::F32)] {
        let difference = difference::<F>(folder, states, format);
        eprintln!("{}, {format:?}: {difference:.1e}", folder.display());
        assert!(difference < TOLERANCE, "{}: {difference}", folder.display());
    }
}

/// The largest difference between the states of a folder's model and those of its reference.
fn difference<F: EncoderFamily>(folder: &Path, states: &str, format: Option<Format>) -> f32 {
    let device = Device::flex();
    let json = fs::read(folder.join("config.json")).unwrap();
    let mut json: Value = serde_json::from_slice(&json).unwrap();
    if let Some(encoder) = json.get_mut("encoder") {
        json = encoder.take();
    }
    let weights = open_weights(folder).unwrap();
    let model = F::init(json, format, &device);
    let model = load_weights(model, weights.as_ref(), &F::NAMES).unwrap();

    let bytes = fs::read(folder.join("reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let pixels = Tensor::from_data(floats(&file, "pixel_values"), &device);
    let hidden = model.encode(pixels).hidden;
    let expected = Tensor::from_data(floats(&file, states), &device);
    assert_eq!(hidden.dims(), expected.dims());
    (hidden - expected).abs().max().into_scalar::<f32>()
}
