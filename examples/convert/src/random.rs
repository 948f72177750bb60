use clap::ValueEnum;
use generation::GenerationConfig;
use pretrained::VisionEncoderDecoderConfig;

/// The size of a model with random weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RandomSize {
    /// The sizes of the published model: 547 million parameters.
    Full,
    /// A hundred tokens and two narrow layers, for experiments.
    Tiny,
}

impl RandomSize {
    pub(crate) fn config(self) -> VisionEncoderDecoderConfig {
        match self {
            Self::Full => VisionEncoderDecoderConfig::clip_vision_mbart50(),
            Self::Tiny => VisionEncoderDecoderConfig::tiny(),
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
