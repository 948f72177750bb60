//! Checkpoints of random weights, written as Hugging Face and Flax write them.
#![allow(dead_code)] // not every test needs all of it

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::tensor::Device;
use pretrained::{LoadError, LoadOptions, Pretrained, Weights};
use rmp::encode;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Loads a folder with ordinary weights.
pub(crate) fn load(folder: impl AsRef<Path>) -> Result<Pretrained, LoadError> {
    load_as(folder, Weights::Ordinary)
}

/// Loads a folder, reading its files.
pub(crate) fn load_as(folder: impl AsRef<Path>, weights: Weights) -> Result<Pretrained, LoadError> {
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    Pretrained::from_folder(folder, &options, &Device::flex())
}

/// The message of an error and of everything that caused it, as a program reports it.
pub(crate) fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// Name, shape and values of every tensor.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Sizes of a checkpoint.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) encoder_width: usize,
    pub(crate) decoder_width: usize,
    pub(crate) layers: usize,
    pub(crate) vocabulary: usize,
}

impl Sizes {
    pub(crate) fn config_json(&self) -> String {
        let Self {
            encoder_width,
            decoder_width,
            layers,
            vocabulary,
        } = self;
        format!(
            r#"{{"model_type": "vision-encoder-decoder",
                "decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1,
                "encoder": {{"model_type": "clip_vision_model", "hidden_size": {encoder_width},
                    "intermediate_size": 32, "num_hidden_layers": {layers},
                    "num_attention_heads": 4, "image_size": 16, "patch_size": 8}},
                "decoder": {{"model_type": "mbart", "vocab_size": {vocabulary},
                    "d_model": {decoder_width}, "decoder_layers": {layers},
                    "decoder_attention_heads": 4, "decoder_ffn_dim": 32,
                    "max_position_embeddings": 20}}}}"#
        )
    }

    /// Every tensor, with values that differ from tensor to tensor.
    pub(crate) fn tensors(&self) -> Tensors {
        let (encoder, decoder) = (self.encoder_width, self.decoder_width);
        let mut shapes: Vec<(String, Vec<usize>)> = vec![
            ("encoder.embeddings.class_embedding".into(), vec![encoder]),
            (
                "encoder.embeddings.patch_embedding.weight".into(),
                vec![encoder, 3, 8, 8],
            ),
            (
                "encoder.embeddings.position_embedding.weight".into(),
                vec![5, encoder],
            ),
            (
                "decoder.model.decoder.embed_tokens.weight".into(),
                vec![self.vocabulary, decoder],
            ),
            (
                "decoder.model.decoder.embed_positions.weight".into(),
                vec![22, decoder],
            ),
            ("enc_to_dec_proj.weight".into(), vec![decoder, encoder]),
            ("enc_to_dec_proj.bias".into(), vec![decoder]),
        ];
        let mut pair = |name: String, weight: Vec<usize>| {
            shapes.push((format!("{name}.bias"), vec![weight[0]]));
            shapes.push((format!("{name}.weight"), weight));
        };
        for norm in ["pre_layrnorm", "post_layernorm"] {
            pair(format!("encoder.{norm}"), vec![encoder]);
        }
        for norm in ["layernorm_embedding", "layer_norm"] {
            pair(format!("decoder.model.decoder.{norm}"), vec![decoder]);
        }
        for layer in 0..self.layers {
            let prefix = format!("encoder.encoder.layers.{layer}");
            for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                pair(
                    format!("{prefix}.self_attn.{projection}"),
                    vec![encoder, encoder],
                );
            }
            pair(format!("{prefix}.mlp.fc1"), vec![32, encoder]);
            pair(format!("{prefix}.mlp.fc2"), vec![encoder, 32]);
            for norm in ["layer_norm1", "layer_norm2"] {
                pair(format!("{prefix}.{norm}"), vec![encoder]);
            }
            let prefix = format!("decoder.model.decoder.layers.{layer}");
            for attention in ["self_attn", "encoder_attn"] {
                for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                    pair(
                        format!("{prefix}.{attention}.{projection}"),
                        vec![decoder, decoder],
                    );
                }
                pair(format!("{prefix}.{attention}_layer_norm"), vec![decoder]);
            }
            pair(format!("{prefix}.fc1"), vec![32, decoder]);
            pair(format!("{prefix}.fc2"), vec![decoder, 32]);
            pair(format!("{prefix}.final_layer_norm"), vec![decoder]);
        }
        let tensors = shapes
            .into_iter()
            .enumerate()
            .map(|(number, (name, shape))| {
                let count = shape.iter().product::<usize>();
                let values = (0..count).map(|i| ((i * 31 + number * 7) % 101) as f32 / 101.0 - 0.5);
                (name, (shape, values.collect()))
            });
        tensors.collect()
    }
}

/// Writes a checkpoint folder.
pub(crate) fn write(folder: &Path, config: &str, tensors: &Tensors) {
    write_as(folder, config, tensors, Dtype::F32, |value| {
        value.to_le_bytes().to_vec()
    });
}

/// Writes a checkpoint folder whose values are stored as `dtype`; `encode` returns the bytes of a value.
pub(crate) fn write_as(
    folder: &Path,
    config: &str,
    tensors: &Tensors,
    dtype: Dtype,
    encode: impl Fn(f32) -> Vec<u8>,
) {
    std::fs::write(folder.join("config.json"), config).unwrap();
    let bytes: BTreeMap<&str, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, values))| {
            let bytes = values.iter().flat_map(|value| encode(*value));
            (name.as_str(), bytes.collect())
        })
        .collect();
    let views = tensors.iter().map(|(name, (shape, _))| {
        let view = TensorView::new(dtype, shape.clone(), &bytes[name.as_str()]);
        (name.as_str(), view.unwrap())
    });
    let path = folder.join("model.safetensors");
    safetensors::serialize_to_file(views, None, &path).unwrap();
}

/// Writes a checkpoint folder as Flax does, but with the values of a kernel in PyTorch's order.
pub(crate) fn write_flax(folder: &Path, config: &str, tensors: &Tensors) {
    std::fs::write(folder.join("config.json"), config).unwrap();
    let mut file = BufWriter::new(File::create(folder.join("flax_model.msgpack")).unwrap());
    encode::write_map_len(&mut file, tensors.len() as u32).unwrap();
    for (name, (shape, values)) in tensors {
        let (layer, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let table =
            layer.is_empty() || layer.contains("embed_") || layer.ends_with("position_embedding");
        let (leaf, shape) = match shape.as_slice() {
            [output, input, height, width] => ("kernel", vec![*height, *width, *input, *output]),
            [output, input] if !table => ("kernel", vec![*input, *output]),
            _ => (leaf, shape.clone()),
        };
        let mut head = Vec::new();
        encode::write_array_len(&mut head, 3).unwrap();
        encode::write_array_len(&mut head, shape.len() as u32).unwrap();
        for size in shape {
            encode::write_uint(&mut head, size as u64).unwrap();
        }
        encode::write_str(&mut head, "float32").unwrap();
        encode::write_bin_len(&mut head, values.len() as u32 * 4).unwrap();

        if !layer.is_empty() {
            encode::write_str(&mut file, layer).unwrap();
            encode::write_map_len(&mut file, 1).unwrap();
        }
        encode::write_str(&mut file, leaf).unwrap();
        let length = head.len() + values.len() * 4;
        encode::write_ext_meta(&mut file, length as u32, 1).unwrap();
        file.write_all(&head).unwrap();
        for value in values {
            file.write_all(&value.to_le_bytes()).unwrap();
        }
    }
    file.flush().unwrap();
}
