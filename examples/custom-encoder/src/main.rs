//! A custom encoder with this workspace's decoder: mBART's decoder attends to a convolutional network.
//!
//! To add an encoder, implement [`Encoder`](vision_encoder_decoder::Encoder) for a Burn module. Its one
//! method encodes a batch of images as [`Memory`](vision_encoder_decoder::Memory), a sequence of vectors
//! for each image. [`VisionEncoderDecoder`] does everything else: the projection between the two widths,
//! teacher forcing, beam search and scores.
//!
//! The weights are random, so the program prints arbitrary token ids. It only shows how the parts fit
//! together. The tests show that the text depends on the picture, that the pictures of a batch do not
//! influence each other, and that token by token the model computes the same logits as in one call for the
//! whole text. To get words, train the model, or load trained weights with the function `load_weights` of
//! the crate `checkpoint`.
//!
//! ```text
//! cargo run --release -p custom-encoder
//! ```

mod encoder;

use std::error::Error;
use std::process::ExitCode;

use burn::tensor::{Device, Distribution, Tensor};
use generation::GenerationConfig;
use mbart50_decoder::{MBartDecoder, MBartDecoderConfig};
use report::Program;
use vision_encoder_decoder::VisionEncoderDecoder;

use crate::encoder::ConvolutionalEncoder;

const VOCABULARY: usize = 200;
const END_TOKEN: u32 = 2;

fn main() -> ExitCode {
    report::run_without_arguments("custom-encoder", |program| run(program).map(|()| 0))
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

fn model(device: &Device) -> VisionEncoderDecoder<ConvolutionalEncoder, MBartDecoder> {
    let encoder_width = 48;
    let encoder = ConvolutionalEncoder::new([3, 16, 32, encoder_width], device);
    let decoder = MBartDecoderConfig {
        vocab_size: VOCABULARY,
        d_model: 64,
        decoder_layers: 2,
        decoder_attention_heads: 4,
        decoder_ffn_dim: 128,
        // Without training, a tied head mostly repeats the last token, and with weights of the usual size
        // the text hardly depends on the picture.
        tie_word_embeddings: false,
        init_std: 0.3,
        ..MBartDecoderConfig::default()
    };
    VisionEncoderDecoder::new(encoder, decoder.init(device)).with_projection(
        encoder_width,
        decoder.d_model,
        device,
    )
}

fn generation_config() -> GenerationConfig {
    GenerationConfig {
        num_beams: 3,
        num_return_sequences: 3,
        max_length: Some(12),
        decoder_start_token_id: Some(END_TOKEN), // mBART starts with its end token
        eos_token_id: vec![END_TOKEN],
        ..GenerationConfig::default()
    }
}

/// Random pixel values, `[pictures, 3, 32, 48]`.
fn pictures(pictures: usize, device: &Device) -> Tensor<4> {
    Tensor::random(
        [pictures, 3, 32, 48],
        Distribution::Normal(0.0, 1.0),
        device,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;
    use burn::tensor::{Int, TensorData, s};
    use generation::Hypothesis;
    use vision_encoder_decoder::Decoder;

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

    #[test]
    fn token_by_token_the_logits_are_those_of_one_call_for_the_whole_text() {
        let (device, _turn) = seeded_device(3);
        let model = model(&device);
        let pictures = pictures(2, &device);
        let ids: Vec<i64> = (0..2 * 9).map(|i| i * 31 % VOCABULARY as i64).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(ids, [2, 9]), &device);

        let full = model.forward(pictures.clone(), tokens.clone(), None);
        let mut state = model.decoder.start(model.encode(pictures), &[0, 1]);
        let steps = tokens.iter_dim(1).map(|token| {
            let hidden = model.decoder.forward(token, None, &mut state);
            model.decoder.logits(hidden) // [rows, 1, vocabulary]
        });
        let steps = Tensor::cat(steps.collect(), 1);

        let largest = full.clone().abs().max().into_scalar::<f32>();
        let difference = (steps - full).abs().max().into_scalar::<f32>() / largest;
        assert!(difference <= 1e-5, "{difference}");
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
