use std::path::Path;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use generation::GenerationConfig;
use packed_linear::Format;
use vision_encoder_decoder::as_published::{self, truncated_pixels};
use vision_encoder_decoder::{Decoder, Memory, Pretrained};

use crate::cases::{Compared, compare_cases};
use crate::input::{InputError, Tensors, content, read_bytes};
use crate::report::{Comparison, Report};
use crate::tolerance::Tolerance;

/// Tensors of a reference file that are inputs.
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
    /// The name of its file of generated texts.
    pub(crate) reference_file: &'a Path,
    /// Whether that file is of the published model's original code.
    pub(crate) as_published: bool,
    /// How its weights are packed.
    pub(crate) format: Option<Format>,
}

/// Compares a checkpoint with what a public implementation computed from it.
pub(crate) fn verify(
    check: &Check<'_>,
    device: &Device,
    report: &mut Report,
) -> Result<(), InputError> {
    let pretrained = Pretrained::from_folder_as(check.folder, check.format, device)?;
    let tolerance = Tolerance::of(pretrained.precision);
    let path = check.reference.join("reference.safetensors");
    let tensors = Tensors::read(path.clone())?;
    let pixel_values = pixel_values(&pretrained, &path, &tensors, device)?;
    let truncated_memory = || {
        let pixel_values = truncated_pixels(pixel_values.clone());
        pretrained.model.encode(pixel_values)
    };

    let last_hidden_state = pretrained.model.encoder.forward(pixel_values.clone());
    let memory = pretrained.model.project(last_hidden_state.clone().into());
    for name in tensors.names()? {
        if INPUTS.contains(&name.as_str()) {
            continue;
        }
        let found = match name.as_str() {
            "encoder_last_hidden_state" => last_hidden_state.clone().into_data(),
            "encoder_pooler_output" => pretrained
                .model
                .encoder
                .pool(last_hidden_state.clone())
                .into_data(),
            "decoder_memory" => memory.hidden.clone().into_data(),
            "decoder_memory_truncated_pixels" => truncated_memory().hidden.into_data(),
            "logits" => logits(&pretrained, &path, &tensors, &memory, device)?.into_data(),
            _ => {
                report.add(Comparison::not_run(
                    name,
                    1,
                    "this tensor is not known here",
                ))?;
                continue;
            }
        };
        let expected = tensors.floats(&name)?;
        let same_shape = found.shape().as_slice() == expected.shape;
        let found = found.try_into_vec::<f32>().unwrap_or_default();
        let found = if same_shape { found } else { Vec::new() };
        report.add(Comparison::of_numbers(
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

/// What the original code takes where a call names no option.
fn published_defaults(
    folder: &Path,
    pretrained: &Pretrained,
) -> Result<GenerationConfig, InputError> {
    let path = folder.join("config.json");
    let json = String::from_utf8_lossy(&read_bytes(&path)?).into_owned();
    as_published::generation_config(&json, &pretrained.generation_config)
        .map_err(|error| content(&path, error))
}

fn pixel_values(
    pretrained: &Pretrained,
    path: &Path,
    tensors: &Tensors,
    device: &Device,
) -> Result<Tensor<4>, InputError> {
    let pixels = tensors.floats("pixel_values")?;
    let shape: [usize; 4] = pixels.dims(path, "pixel_values")?;
    let encoder = &pretrained.config.encoder;
    let expected = [encoder.num_channels, encoder.image_size, encoder.image_size];
    if shape[1..] != expected || shape[0] == 0 {
        let reason =
            format!("pixel_values has shape {shape:?}, the model takes [images, {expected:?}]");
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
    let fits = mask.shape == shape
        && shape[0] == images
        && (1..=decoder.max_position_embeddings).contains(&shape[1]);
    if !fits {
        let reason = format!(
            "decoder_input_ids has shape {shape:?} and decoder_attention_mask {:?}, expected [{images}, up to {}] for both",
            mask.shape, decoder.max_position_embeddings
        );
        return Err(content(path, reason));
    }
    let vocabulary = 0..decoder.vocab_size as i64;
    if let Some(id) = ids.values.iter().find(|id| !vocabulary.contains(id)) {
        let reason =
            format!("decoder_input_ids has token {id}, beyond the vocabulary {vocabulary:?}");
        return Err(content(path, reason));
    }
    if let Some(value) = mask.values.iter().find(|value| !matches!(value, 0 | 1)) {
        let reason = format!("decoder_attention_mask has {value}, expected 0 or 1");
        return Err(content(path, reason));
    }
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(ids.values, shape), device);
    let padding: Vec<bool> = mask.values.iter().map(|keep| *keep == 0).collect();
    let padding = Tensor::<2, Bool>::from_data(TensorData::new(padding, shape), device);

    let decoder = &pretrained.model.decoder;
    let row_images: Vec<usize> = (0..images).collect();
    let mut state = decoder.start(memory.clone(), &row_images);
    let hidden = decoder.forward(tokens, Some(padding), &mut state);
    Ok(decoder.logits(hidden))
}
