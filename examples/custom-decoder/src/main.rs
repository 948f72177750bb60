//! A custom decoder with this workspace's encoder: a recurrent cell attends to CLIP's vision transformer.
//!
//! To add a decoder, implement [`Decoder`](vision_encoder_decoder::Decoder) for a Burn module. It chooses
//! the type of its state. Here the state is a hidden vector for each row (a text under construction) and
//! the projected memory of the images. A search only feeds tokens and reorders rows.
//! [`VisionEncoderDecoder`] does everything else: beam search, several texts for each image, scores and
//! teacher forcing.
//!
//! The weights are random, so the program prints arbitrary token ids. It only shows how the parts fit
//! together. The tests show what every decoder should be tested for: decoding step by step equals decoding
//! at once, selected rows continue as if they had been in that order from the start, and the images of a
//! batch do not influence each other. To get words, train the model, or load trained weights with the
//! function `load_weights` of the crate `checkpoint`.
//!
//! ```text
//! cargo run --release -p custom-decoder
//! ```

mod decoder;

use std::error::Error;
use std::process::ExitCode;

use burn::tensor::{Device, Distribution, Tensor};
use clip_vision::{ClipVisionConfig, ClipVisionModel};
use generation::GenerationConfig;
use report::Program;
use vision_encoder_decoder::VisionEncoderDecoder;

use crate::decoder::{RecurrentDecoder, RecurrentDecoderConfig};

fn main() -> ExitCode {
    report::run_without_arguments("custom-decoder", |program| run(program).map(|()| 0))
}

fn run(program: &Program) -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    device.seed(1);
    let captions = model(&device).generate(pictures(2, &device), &generation_config())?;
    program.line("Untrained: the tokens are arbitrary.")?;
    for (picture, result) in captions.into_iter().enumerate() {
        program.line(format_args!("picture {picture}"))?;
        match result {
            Ok(hypotheses) => {
                for hypothesis in hypotheses {
                    let (score, tokens) = (hypothesis.score, hypothesis.tokens);
                    program.line(format_args!("  {score:.4}  {tokens:?}"))?;
                }
            }
            Err(error) => program.line(format_args!("  {error}"))?, // the other pictures are not affected
        }
    }
    Ok(())
}

fn model(device: &Device) -> VisionEncoderDecoder<ClipVisionModel, RecurrentDecoder> {
    let encoder = ClipVisionConfig {
        hidden_size: 48,
        intermediate_size: 96,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        image_size: 32,
        patch_size: 8,
        ..ClipVisionConfig::default()
    };
    // The decoder itself projects the memory to its width, so the model needs no projection.
    let decoder = RecurrentDecoderConfig {
        vocab_size: 200,
        memory_width: encoder.hidden_size,
        width: 64,
    };
    VisionEncoderDecoder::new(encoder.init(device), decoder.init(device))
}

fn generation_config() -> GenerationConfig {
    GenerationConfig {
        num_beams: 3,
        num_return_sequences: 3,
        max_length: Some(12),
        bos_token_id: Some(0),
        eos_token_id: vec![1],
        ..GenerationConfig::default()
    }
}

/// Random pixel values, `[pictures, 3, 32, 32]`.
fn pictures(pictures: usize, device: &Device) -> Tensor<4> {
    Tensor::random(
        [pictures, 3, 32, 32],
        Distribution::Normal(0.0, 1.0),
        device,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;
    use burn::tensor::s;
    use generation::Hypothesis;

    #[test]
    fn each_picture_of_a_batch_gets_the_texts_that_it_gets_alone() {
        let (device, _turn) = seeded_device(2);
        let (model, config) = (model(&device), generation_config());
        let batch = pictures(3, &device);
        let texts = |pictures: Tensor<4>| -> Vec<Vec<Hypothesis>> {
            let results = model.generate(pictures, &config).unwrap();
            results.into_iter().map(Result::unwrap).collect()
        };
        let together = texts(batch.clone());
        assert_ne!(together[0][0].tokens, together[1][0].tokens);
        for (picture, expected) in together.iter().enumerate() {
            let alone = batch.clone().slice(s![picture..picture + 1, .., .., ..]);
            let alone = texts(alone).remove(0);
            assert_eq!(alone.len(), config.num_return_sequences);
            for (a, b) in alone.iter().zip(expected) {
                assert_eq!(a.tokens, b.tokens);
                assert!((a.score - b.score).abs() <= 1e-5 * b.score.abs());
            }
        }
    }

    /// A seeded device. All tests of the process share the random numbers of a device, so only one test
    /// at a time may draw.
    pub(crate) fn seeded_device(seed: u64) -> (Device, MutexGuard<'static, ()>) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let device = Device::flex();
        device.seed(seed);
        (device, turn)
    }
}
