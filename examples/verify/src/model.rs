use std::path::Path;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use generation::GenerationConfig;
use pretrained::as_published::{self, truncated_pixels};
use pretrained::{ImageEncoder, LoadOptions, Pretrained, Weights};
use vision_encoder_decoder::{Encoder, Memory};

use crate::cases::{Compared, compare_cases};
use crate::input::{InputError, Tensors, content, read_bytes, unusable};
use crate::report::{Comparison, Report};
use crate::tolerance::Tolerance;

/// The tensors of a reference file that are inputs.
const INPUTS: [&str; 3] = [
    "pixel_values",
    "decoder_input_ids",
    "decoder_attention_mask",
];

/// What to compare with what.
pub(crate) struct Check<'a> {
    /// The checkpoint.
    pub(crate) folder: &'a Path,
    /// The folder of the reference.
    pub(crate) reference: &'a Path,
    /// The name of the reference's file of generated texts.
    pub(crate) reference_file: &'a Path,
    /// Whether the published model's original code generated these texts.
    pub(crate) as_published: bool,
    /// How the weights are kept in memory.
    pub(crate) weights: Weights,
}

/// Compares a checkpoint with what a public implementation computed from it.
pub(crate) fn verify(
    check: &Check<'_>,
    device: &Device,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let options = LoadOptions {
        weights: check.weights,
        ..LoadOptions::default()
    };
    let pretrained = Pretrained::from_folder(check.folder, &options, device)?;
    for notice in &pretrained.notices {
        report.notice(notice);
    }
    let tolerance = Tolerance::of(pretrained.precision);
    let path = check.reference.join("reference.safetensors");
    let tensors = Tensors::read(path.clone())?;
    let pixel_values = pixel_values(&pretrained, &path, &tensors, device)?;
    let truncated_memory = || {
        let pixel_values = truncated_pixels(pixel_values.clone());
        pretrained.model.encode(pixel_values)
    };

    let encoded = pretrained.model.encoder.encode(pixel_values.clone());
    let last_hidden_state = encoded.hidden.clone();
    let memory = pretrained.model.project(encoded);
    for name in tensors.names()? {
        if INPUTS.contains(&name.as_str()) {
            continue;
        }
        let found = match name.as_str() {
            "encoder_last_hidden_state" => Some(last_hidden_state.clone().into_data()),
            "encoder_pooler_output" => {
                let pooled = pooled(&pretrained.model.encoder, last_hidden_state.clone());
                pooled.map(Tensor::into_data)
            }
            "decoder_memory" => Some(memory.hidden.clone().into_data()),
            "decoder_memory_truncated_pixels" => Some(truncated_memory().hidden.into_data()),
            "logits" => Some(logits(&pretrained, &path, &tensors, &memory, device)?.into_data()),
            _ => None,
        };
        let Some(found) = found else {
            let reason = "this program does not compute this tensor for this model";
            report.add(Comparison::not_run(name, 1, reason))?;
            continue;
        };
        let expected = tensors.floats(&name)?;
        let same_shape = found.shape().as_slice() == expected.shape;
        let found = found.try_into_vec::<f32>().unwrap_or_default();
        let found = if same_shape { found } else { Vec::new() };
        report.add(Comparison::of_values(
            name,
            &found,
            &expected.values,
            tolerance.states,
        ))?;
    }
    let compared = Compared {
        pretrained: &pretrained,
        memory: match check.as_published {
            true => truncated_memory(),
            false => memory,
        },
        as_published: check.as_published,
        defaults: match check.as_published {
            true => published_defaults(check.folder, &pretrained)?,
            false => pretrained.generation_config.clone(),
        },
        tolerance,
    };
    let path = check.reference.join(check.reference_file);
    compare_cases(&compared, &path, report)
}

/// The pooled output of encoders that have one.
fn pooled(encoder: &ImageEncoder, last_hidden_state: Tensor<3>) -> Option<Tensor<2>> {
    match encoder {
        ImageEncoder::ClipVision(encoder) => Some(encoder.pool(last_hidden_state)),
        _ => None,
    }
}

/// The original code's defaults for options that a call does not name.
fn published_defaults(
    folder: &Path,
    pretrained: &Pretrained,
) -> Result<GenerationConfig, InputError> {
    let path = folder.join("config.json");
    let json = String::from_utf8_lossy(&read_bytes(&path)?).into_owned();
    as_published::generation_config(&json, &pretrained.generation_config)
        .map_err(|error| unusable(&path, error))
}

fn pixel_values(
    pretrained: &Pretrained,
    path: &Path,
    tensors: &Tensors,
    device: &Device,
) -> Result<Tensor<4>, InputError> {
    let pixels = tensors.floats("pixel_values")?;
    let shape: [usize; 4] = pixels.dims(path, "pixel_values")?;
    let [channels, height, width] = pretrained.config.encoder.input();
    if shape[1..] != [channels, height, width] || shape[0] == 0 {
        let reason = format!(
            "pixel_values has shape {shape:?}, expected [images, {channels}, {height}, {width}]"
        );
        return Err(content(path, reason));
    }
    Ok(Tensor::from_data(
        TensorData::new(pixels.values, shape),
        device,
    ))
}

/// Teacher-forced logits.
fn logits(
    pretrained: &Pretrained,
    path: &Path,
    tensors: &Tensors,
    memory: &Memory,
    device: &Device,
) -> Result<Tensor<3>, InputError> {
    let ids = tensors.integers("decoder_input_ids")?;
    let mask = tensors.integers("decoder_attention_mask")?;
    let shape: [usize; 2] = ids.dims(path, "decoder_input_ids")?;
    let [images, _, _] = memory.hidden.dims();
    let decoder = &pretrained.config.decoder;
    let most = decoder.max_positions();
    let fits = mask.shape == shape && shape[0] == images && (1..=most).contains(&shape[1]);
    if !fits {
        let reason = format!(
            "decoder_input_ids has shape {shape:?} and decoder_attention_mask {:?}, expected [{images}, up to {most}] for both",
            mask.shape
        );
        return Err(content(path, reason));
    }
    let vocabulary = 0..decoder.vocab_size() as i64;
    if let Some(id) = ids.values.iter().find(|id| !vocabulary.contains(id)) {
        let reason = format!(
            "decoder_input_ids has token {id}, expected one of the vocabulary {vocabulary:?}"
        );
        return Err(content(path, reason));
    }
    if let Some(value) = mask.values.iter().find(|value| !matches!(value, 0 | 1)) {
        let reason = format!("decoder_attention_mask has {value}, expected 0 or 1");
        return Err(content(path, reason));
    }
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(ids.values, shape), device);
    let padding: Vec<bool> = mask.values.iter().map(|keep| *keep == 0).collect();
    let padding = Tensor::<2, Bool>::from_data(TensorData::new(padding, shape), device);

    let row_sources: Vec<usize> = (0..images).collect();
    let model = &pretrained.model;
    Ok(model.forward_from(memory.clone(), &row_sources, tokens, Some(padding)))
}
