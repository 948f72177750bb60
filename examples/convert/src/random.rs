use burn::tensor::Device;
use clap::ValueEnum;
use generation::GenerationConfig;
use marian::MarianConfig;
use pretrained::{Pretrained, PretrainedTranslator, VisionEncoderDecoderConfig, Weights};

use crate::model::Model;

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
    /// A translation model as Helsinki-NLP/opus-mt-en-de.
    OpusMt,
}

/// The vocabulary of Helsinki-NLP/opus-mt-en-de. Its last token is padding.
const OPUS_MT_TOKENS: u32 = 58_101;

impl RandomSize {
    /// A model with fresh weights.
    pub(crate) fn model(self, weights: Weights, device: &Device) -> Model {
        let options = self.generation_config();
        match self.config() {
            Some(config) => Model::Captioner(Box::new(Pretrained::from_config(
                config, options, weights, device,
            ))),
            None => Model::Translator(Box::new(PretrainedTranslator::from_config(
                MarianConfig::opus_mt(OPUS_MT_TOKENS as usize),
                options,
                weights,
                device,
            ))),
        }
    }

    /// The configuration of a captioner; `None` for a translation model.
    fn config(self) -> Option<VisionEncoderDecoderConfig> {
        Some(match self {
            Self::Full => VisionEncoderDecoderConfig::clip_vision_mbart50(),
            Self::Tiny => VisionEncoderDecoderConfig::tiny(),
            Self::VitGpt2 => VisionEncoderDecoderConfig::vit_gpt2(),
            Self::TrocrBase => VisionEncoderDecoderConfig::trocr_base(),
            Self::DonutBase => VisionEncoderDecoderConfig::donut_base(),
            Self::MangaOcr => VisionEncoderDecoderConfig::manga_ocr(),
            Self::OpusMt => return None,
        })
    }

    /// The special tokens of the published model. For a translation model, which has options of its own for the search,
    /// those too.
    fn generation_config(self) -> GenerationConfig {
        let [start, bos, pad, eos] = match self {
            Self::Full | Self::Tiny | Self::TrocrBase => [2, 0, 1, 2],
            Self::VitGpt2 => [50_256; 4],
            Self::DonutBase => [57_579, 0, 1, 2],
            Self::MangaOcr => [2, 2, 0, 3],
            Self::OpusMt => return opus_mt_generation_config(),
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

/// The generation options of Helsinki-NLP/opus-mt-en-de.
fn opus_mt_generation_config() -> GenerationConfig {
    let pad = OPUS_MT_TOKENS - 1;
    GenerationConfig {
        decoder_start_token_id: Some(pad),
        bos_token_id: Some(0),
        pad_token_id: Some(pad),
        eos_token_id: vec![0],
        forced_eos_token_id: vec![0],
        bad_words_ids: vec![vec![pad]],
        num_beams: 6,
        max_length: Some(512),
        ..GenerationConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_every_size_fit_its_vocabulary() {
        for size in RandomSize::value_variants() {
            let model = size.model(Weights::Ordinary, &Device::flex());
            let options = size.generation_config();
            let [_, vocabulary] = model.vocabularies();
            let tokens = [options.pad_token_id, options.decoder_start_token_id];
            for token in tokens.into_iter().flatten().chain(options.eos_token_id) {
                assert!((token as usize) < vocabulary, "{size:?}: {token}");
            }
        }
        let translator = RandomSize::OpusMt.model(Weights::Ordinary, &Device::flex());
        assert_eq!(translator.vocabularies(), [58_101; 2]);
    }
}
