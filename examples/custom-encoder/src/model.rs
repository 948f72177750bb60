use burn::tensor::Device;
use generation::GenerationConfig;
use mbart50_decoder::{MBartDecoder, MBartDecoderConfig};
use vision_encoder_decoder::VisionEncoderDecoder;

use crate::encoder::ConvolutionalEncoder;
use crate::pictures::{END, WORDS};

/// The encoder and the decoder together.
pub(crate) type Model = VisionEncoderDecoder<ConvolutionalEncoder, MBartDecoder>;

/// Creates the model with fresh weights.
pub(crate) fn model(device: &Device) -> Model {
    let encoder_width = 48;
    let encoder = ConvolutionalEncoder::new([3, 16, 32, encoder_width], device);
    let decoder = MBartDecoderConfig {
        vocab_size: WORDS.len(),
        d_model: 64,
        decoder_layers: 2,
        decoder_attention_heads: 4,
        decoder_ffn_dim: 128,
        max_position_embeddings: 16,
        dropout: 0.0,
        ..MBartDecoderConfig::default()
    };
    VisionEncoderDecoder::new(encoder, decoder.init(device)).with_projection(
        encoder_width,
        decoder.d_model,
        device,
    )
}

/// How captions are searched for.
pub(crate) fn generation_config() -> GenerationConfig {
    GenerationConfig {
        num_beams: 3,
        max_length: Some(12),
        decoder_start_token_id: Some(END), // mBART starts with its end token
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Int, Tensor, TensorData, s};
    use generation::Hypothesis;
    use vision_encoder_decoder::Decoder;

    use super::*;
    use crate::tests::seeded_device;

    /// Random pixel values, `[pictures, 3, 32, 48]`.
    fn pictures(pictures: usize, device: &Device) -> Tensor<4> {
        let normal = Distribution::Normal(0.0, 1.0);
        Tensor::random([pictures, 3, 32, 48], normal, device)
    }

    #[test]
    fn each_picture_of_a_batch_gets_the_texts_that_it_gets_alone() {
        let (device, _turn) = seeded_device(2);
        let config = GenerationConfig {
            num_return_sequences: 3,
            ..generation_config()
        };
        let model = model(&device);
        let batch = pictures(3, &device);
        let texts = |pictures: Tensor<4>| -> Vec<Vec<Hypothesis>> {
            let results = model.generate(pictures, &config).unwrap();
            results.into_iter().map(Result::unwrap).collect()
        };
        let together = texts(batch.clone());
        assert_ne!(together[0][0].score, together[1][0].score);
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
        let ids: Vec<i64> = (0..2 * 9).map(|i| i * 31 % WORDS.len() as i64).collect();
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
}
