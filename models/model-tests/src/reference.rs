use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use checkpoint::{Layout, WeightGroup, WeightNames, load_weights, open_weights};
use packed_linear::Format;
use safetensors::SafeTensors;
use serde_json::Value;
use transformer_layers::DecoderState;
use vision_encoder_decoder::{Decoder, Memory};

/// A table of weight names, and further names.
pub type WeightTables = [&'static [(&'static str, &'static str, Layout)]; 2];

/// A family of decoders.
pub trait Family {
    /// The model.
    type Decoder: Decoder<State = DecoderState>;

    /// A decoder with fresh weights, packed if there is a format, and the tables of its weights.
    fn init(
        config: Value,
        format: Option<Format>,
        device: &Device,
    ) -> (Self::Decoder, WeightTables);
}

/// A folder with a checkpoint of a `VisionEncoderDecoderModel` and what transformers computes with it. The weights of the
/// encoder may be missing.
pub struct Reference {
    folder: PathBuf,
    /// The configuration of the decoder.
    pub config: Value,
    /// `reference.json`
    pub searches: Value,
    /// What the decoder attends to, `[images, positions, width]`.
    pub memory: TensorData,
    /// `[images, length]`
    pub tokens: TensorData,
    /// Which tokens are padding, `[images, length]`.
    pub padding: TensorData,
    /// `[images, length, vocabulary]`
    pub logits: TensorData,
}

impl Reference {
    /// Reads a folder. Without it, a message is printed: it may be one of those beside the repository.
    pub fn open(folder: impl AsRef<Path>) -> Option<Self> {
        let folder = folder.as_ref();
        if !folder.exists() {
            eprintln!("not compared: there is no folder {}", folder.display());
            return None;
        }
        let json = |file: &str| -> Value {
            serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
        };
        let bytes = fs::read(folder.join("reference.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let floats = |name: &str| floats(&tensors, name);
        let integers = |name: &str| {
            let tensor = tensors.tensor(name).unwrap();
            let values = tensor.data().chunks_exact(8);
            let values: Vec<i64> = values
                .map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()))
                .collect();
            (values, tensor.shape().to_vec())
        };
        let (tokens, shape) = integers("decoder_input_ids");
        let (mask, _) = integers("decoder_attention_mask");
        let padding: Vec<bool> = mask.into_iter().map(|seen| seen == 0).collect();
        Some(Self {
            folder: folder.to_owned(),
            config: json("config.json")["decoder"].take(),
            searches: json("reference.json"),
            memory: floats("decoder_memory"),
            tokens: TensorData::new(tokens, shape.clone()),
            padding: TensorData::new(padding, shape),
            logits: floats("logits"),
        })
    }

    /// The decoder with the weights of the folder, packed if there is a format.
    pub fn load<F: Family>(&self, format: Option<Format>, device: &Device) -> F::Decoder {
        let (decoder, tables) = F::init(self.config.clone(), format, device);
        let groups = tables.map(|names| WeightGroup {
            module: "",
            checkpoint: &["decoder."],
            names,
        });
        let names = WeightNames {
            groups: &groups,
            ignored: &[
                "encoder.*",
                "enc_to_dec_proj.*",
                // A head with its own table uses its own bias, but transformers saves both.
                "decoder.cls.predictions.bias",
            ],
        };
        let weights = open_weights(&self.folder).unwrap();
        load_weights(decoder, weights.as_ref(), &names).unwrap()
    }

    /// What the decoder attends to.
    pub fn memory(&self, device: &Device) -> Memory {
        Tensor::<3>::from_data(self.memory.clone(), device).into()
    }

    /// Tokens and padding of the reference.
    pub fn texts(&self, device: &Device) -> (Tensor<2, Int>, Tensor<2, Bool>) {
        let tokens = Tensor::from_data(self.tokens.clone(), device);
        (tokens, Tensor::from_data(self.padding.clone(), device))
    }

    /// Some tokens for each row, different in every row, none of which is padding.
    pub fn varied(&self, rows: usize, length: usize, device: &Device) -> Tensor<2, Int> {
        let vocabulary = self.logits.shape()[2];
        let ids: Vec<i64> = (0..rows * length)
            .map(|i| (2 + (i * i + 31 * i) % (vocabulary - 2)) as i64)
            .collect();
        Tensor::from_data(TensorData::new(ids, [rows, length]), device)
    }
}

/// A tensor of a reference file.
pub(crate) fn floats(file: &SafeTensors<'_>, name: &str) -> TensorData {
    let tensor = file.tensor(name).unwrap();
    let values = tensor.data().chunks_exact(4);
    let values: Vec<f32> = values
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    TensorData::new(values, tensor.shape().to_vec())
}

/// The logits of tokens that are appended to a state.
pub(crate) fn logits<D: Decoder<State = DecoderState>>(
    decoder: &D,
    tokens: Tensor<2, Int>,
    padding: Option<Tensor<2, Bool>>,
    state: &mut DecoderState,
) -> Tensor<3> {
    decoder.logits(decoder.forward(tokens, padding, state))
}

/// max|a−b| / max|b|
pub fn relative_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    let largest = b.clone().abs().max().into_scalar::<f32>();
    (a - b).abs().max().into_scalar::<f32>() / largest
}
