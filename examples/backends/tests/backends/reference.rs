//! A small checkpoint with random weights, and what transformers computed from it.

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use generation::GenerationConfig;
use pretrained::{LoadOptions, Pretrained};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value};

/// The checkpoint of `verify`'s tests, with its reference.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../verify/tests/data/hf-wide")
}

/// The model on a device.
pub(crate) fn load(device: &Device) -> Pretrained {
    Pretrained::from_folder(folder(), &LoadOptions::default(), device).unwrap()
}

/// The tensors of the reference.
pub(crate) struct Tensors(Vec<u8>);

impl Tensors {
    pub(crate) fn read() -> Self {
        Self(std::fs::read(folder().join("reference.safetensors")).unwrap())
    }

    /// The values of a tensor, in row-major order.
    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        self.get(name, Dtype::F32, f32::from_le_bytes).1
    }

    pub(crate) fn pixel_values(&self, device: &Device) -> Tensor<4> {
        let (shape, values) = self.get("pixel_values", Dtype::F32, f32::from_le_bytes);
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// `[rows, length]`
    pub(crate) fn tokens(&self, device: &Device) -> Tensor<2, Int> {
        let (shape, ids) = self.get("decoder_input_ids", Dtype::I64, i64::from_le_bytes);
        Tensor::from_data(TensorData::new(ids, shape), device)
    }

    /// `[rows, length]`, true = ignore.
    pub(crate) fn padding(&self, device: &Device) -> Tensor<2, Bool> {
        let (shape, mask) = self.get("decoder_attention_mask", Dtype::I64, i64::from_le_bytes);
        let padding: Vec<bool> = mask.iter().map(|keep| *keep == 0).collect();
        Tensor::from_data(TensorData::new(padding, shape), device)
    }

    fn get<T, const SIZE: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        decode: impl Fn([u8; SIZE]) -> T,
    ) -> (Vec<usize>, Vec<T>) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        let (values, _) = tensor.data().as_chunks();
        let values = values.iter().map(|value| decode(*value)).collect();
        (tensor.shape().to_vec(), values)
    }
}

/// A call of transformers' `generate` and what it returned.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) config: GenerationConfig,
    pub(crate) pad_token_id: u32,
    /// Padded to the longest.
    pub(crate) sequences: Vec<Vec<u32>>,
    /// Only beam search has scores.
    pub(crate) scores: Option<Vec<f32>>,
    /// Of all generated tokens and the padding after them.
    pub(crate) token_log_probs: Vec<Vec<f32>>,
}

/// All cases of the reference.
pub(crate) fn cases(pretrained: &Pretrained) -> Vec<Case> {
    let json = std::fs::read_to_string(folder().join("reference.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let special = ["decoder_start_token_id", "pad_token_id", "eos_token_id"];
    let special: Map<String, Value> = special
        .map(|key| (key.into(), json[key].clone()))
        .into_iter()
        .collect();
    let defaults = pretrained.generation_config.updated(&special).unwrap();
    let cases = json["cases"].as_array().unwrap().iter().map(|case| Case {
        name: case["options"].to_string(),
        config: defaults
            .updated(case["options"].as_object().unwrap())
            .unwrap(),
        pad_token_id: serde_json::from_value(json["pad_token_id"].clone()).unwrap(),
        sequences: serde_json::from_value(case["sequences"].clone()).unwrap(),
        scores: serde_json::from_value(case["sequence_scores"].clone()).unwrap(),
        token_log_probs: serde_json::from_value(case["token_log_probs"].clone()).unwrap(),
    });
    cases.collect()
}
