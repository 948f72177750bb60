use clap::ValueEnum;
use clip_vision::ClipVisionConfig;
use generation::GenerationConfig;
use mbart50_decoder::MBartDecoderConfig;
use vision_encoder_decoder::VisionEncoderDecoderConfig;

/// Sizes of a model with random weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RandomSize {
    /// Those of the published model: 547 million parameters.
    Full,
    /// A hundred tokens and two narrow layers, to try things with.
    Tiny,
}

impl RandomSize {
    pub(crate) fn config(self) -> VisionEncoderDecoderConfig {
        match self {
            Self::Full => VisionEncoderDecoderConfig::new(
                ClipVisionConfig::vit_b_32(),
                MBartDecoderConfig::mbart_large_50(),
            ),
            Self::Tiny => VisionEncoderDecoderConfig::new(
                ClipVisionConfig {
                    hidden_size: 32,
                    intermediate_size: 64,
                    num_hidden_layers: 2,
                    num_attention_heads: 4,
                    image_size: 32,
                    patch_size: 8,
                    ..ClipVisionConfig::vit_b_32()
                },
                MBartDecoderConfig {
                    vocab_size: 101,
                    d_model: 48,
                    decoder_layers: 2,
                    decoder_attention_heads: 4,
                    decoder_ffn_dim: 80,
                    max_position_embeddings: 64,
                    ..MBartDecoderConfig::mbart_large_50()
                },
            ),
        }
    }
}

/// mBART-50's special tokens.
pub(crate) fn generation_config() -> GenerationConfig {
    GenerationConfig {
        decoder_start_token_id: Some(2),
        bos_token_id: Some(0),
        pad_token_id: Some(1),
        eos_token_id: vec![2],
        ..GenerationConfig::default()
    }
}
