use std::path::Path;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use vision_encoder_decoder::{Decoder, Memory, Pretrained};

use crate::cases::compare_cases;
use crate::input::{InputError, Tensors, content};
use crate::report::{Comparison, Report};

/// Absolute tolerance on hidden states and logits.
const STATES: f64 = 2e-4;

/// Tensors of a reference file that are inputs.
const INPUTS: [&str; 3] = [
    "pixel_values",
    "decoder_input_ids",
    "decoder_attention_mask",
];

/// Compares a checkpoint with what a public implementation computed from it.
pub(crate) fn verify(
    folder: &Path,
    reference: &Path,
    reference_file: &Path,
    device: &Device,
    report: &mut Report,
) -> Result<(), InputError> {
    let pretrained = Pretrained::from_folder(folder, device)?;
    let path = reference.join("reference.safetensors");
    let tensors = Tensors::read(path.clone())?;
    let pixel_values = pixel_values(&pretrained, &path, &tensors, device)?;

    let last_hidden_state = pretrained.model.encoder.forward(pixel_values);
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
            STATES,
        ))?;
    }
    let path = reference.join(reference_file);
    compare_cases(&pretrained, memory, &path, report)
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
