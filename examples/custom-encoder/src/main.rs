//! An encoder of one's own with this workspace's decoder: a convolutional network that mBART's
//! decoder attends to.
//!
//! To bring an encoder, implement [`Encoder`](vision_encoder_decoder::Encoder) for a Burn module:
//! one method, which turns a batch of images into [`Memory`](vision_encoder_decoder::Memory), a
//! sequence of vectors per image. Everything else comes with
//! [`VisionEncoderDecoder`]: a projection between the two widths, teacher forcing, beam search,
//! scores.
//!
//! The weights are random, so the texts below are arbitrary token ids and say nothing of the
//! pictures; what the program shows is that the parts fit. Its tests show that the picture reaches
//! the text, that pictures of one batch do not influence each other, and that writing token by token
//! computes what one call over the whole text computes. To get words, train the model, or read
//! trained weights into it with
//! [`load_weights`](vision_encoder_decoder::checkpoint::load_weights).
//!
//! ```text
//! cargo run --release -p custom-encoder
//! ```

mod encoder;

use burn::tensor::{Device, Distribution, Tensor};
use generation::GenerationConfig;
use mbart50_decoder::{MBartDecoder, MBartDecoderConfig};
use vision_encoder_decoder::{GenerateError, VisionEncoderDecoder};

use crate::encoder::ConvolutionalEncoder;

const VOCABULARY: usize = 200;
const END_TOKEN: u32 = 2;

fn main() -> Result<(), GenerateError> {
    let device = Device::flex();
    device.seed(1);
    let captions = model(&device).generate(pictures(2, &device), &generation_config())?;
    println!("Untrained: the tokens are arbitrary.");
    for (picture, hypotheses) in captions.iter().enumerate() {
        println!("picture {picture}");
        for hypothesis in hypotheses {
            println!("  {:.4}  {:?}", hypothesis.score, hypothesis.tokens);
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
        // Untrained, a tied head mostly repeats the last token, and weights of the usual size let
        // little of the picture through.
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

/// Noise in place of pictures, `[pictures, 3, 32, 48]`.
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
    use vision_encoder_decoder::Decoder;

    #[test]
    fn each_picture_of_a_batch_gets_the_texts_that_it_gets_alone() {
        let (device, _turn) = seeded_device(2);
        let (model, config) = (model(&device), generation_config());
        let batch = pictures(3, &device);
        let together = model.generate(batch.clone(), &config).unwrap();
        assert_ne!(together[0][0].tokens, together[1][0].tokens);
        for (picture, expected) in together.iter().enumerate() {
            let alone = batch.clone().slice(s![picture..picture + 1, .., .., ..]);
            let alone = model.generate(alone, &config).unwrap().remove(0);
            assert_eq!(alone.len(), config.num_return_sequences);
            for (a, b) in alone.iter().zip(expected) {
                assert_eq!(a.tokens, b.tokens);
                assert!((a.score - b.score).abs() <= 1e-5 * b.score.abs());
            }
        }
    }

    #[test]
    fn writing_token_by_token_computes_what_one_call_over_the_text_computes() {
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

    /// A seeded device. All tests draw from one source of random numbers, so each waits for its
    /// turn.
    pub(crate) fn seeded_device(seed: u64) -> (Device, MutexGuard<'static, ()>) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let device = Device::flex();
        device.seed(seed);
        (device, turn)
    }
}
