use clap::ValueEnum;
use generation::GenerationConfig;
use pretrained::VisionEncoderDecoderConfig;

/// The family and the size of a model with random weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RandomSize {
    /// The sizes of the published model: 547 million parameters.
    Full,
    /// A hundred tokens and two narrow layers, for experiments.
    Tiny,
    /// ViT-B/16 and GPT-2, as nlpconnect/vit-gpt2-image-captioning.
    VitGpt2,
    /// As microsoft/trocr-base-handwritten.
    TrocrBase,
    /// As naver-clova-ix/donut-base-finetuned-cord-v2, for pages of 1,280 × 960 pixels.
    DonutBase,
    /// As kha-white/manga-ocr-base.
    MangaOcr,
}

impl RandomSize {
    pub(crate) fn config(self) -> VisionEncoderDecoderConfig {
        match self {
            Self::Full => VisionEncoderDecoderConfig::clip_vision_mbart50(),
            Self::Tiny => VisionEncoderDecoderConfig::tiny(),
            Self::VitGpt2 => VisionEncoderDecoderConfig::vit_gpt2(),
            Self::TrocrBase => VisionEncoderDecoderConfig::trocr_base(),
            Self::DonutBase => VisionEncoderDecoderConfig::donut_base(),
            Self::MangaOcr => VisionEncoderDecoderConfig::manga_ocr(),
        }
    }

    /// The special tokens of the published model.
    pub(crate) fn generation_config(self) -> GenerationConfig {
        let [start, bos, pad, eos] = match self {
            Self::Full | Self::Tiny | Self::TrocrBase => [2, 0, 1, 2],
            Self::VitGpt2 => [50_256; 4],
            Self::DonutBase => [57_579, 0, 1, 2],
            Self::MangaOcr => [2, 2, 0, 3],
        };
        GenerationConfig {
            decoder_start_token_id: Some(start),
            bos_token_id: Some(bos),
            pad_token_id: Some(pad),
            eos_token_id: vec![eos],
            ..GenerationConfig::default()
        }
    }
}
