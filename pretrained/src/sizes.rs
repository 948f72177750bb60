//! Configurations of published models of the families, for models with random weights: to measure, and to train.

use bert_decoder::BertDecoderConfig;
use gpt2_decoder::Gpt2DecoderConfig;
use mbart50_decoder::MBartDecoderConfig;
use swin::SwinConfig;
use trocr_decoder::TrocrDecoderConfig;
use vit::ViTConfig;

use crate::VisionEncoderDecoderConfig;

impl VisionEncoderDecoderConfig {
    /// ViT-B/16 and GPT-2, as `nlpconnect/vit-gpt2-image-captioning`: 239 million parameters.
    pub fn vit_gpt2() -> Self {
        Self::new(ViTConfig::base_patch16_224(), Gpt2DecoderConfig::default())
    }

    /// BEiT's ViT-B/16 for 384 pixels and TrOCR's decoder, as `microsoft/trocr-base-handwritten`: 334 million
    /// parameters.
    pub fn trocr_base() -> Self {
        let encoder = ViTConfig {
            image_size: 384.into(),
            qkv_bias: false,
            ..ViTConfig::base_patch16_224()
        };
        let decoder = TrocrDecoderConfig {
            cross_attention_hidden_size: Some(encoder.hidden_size),
            ..TrocrDecoderConfig::default()
        };
        Self::new(encoder, decoder)
    }

    /// Donut's Swin for pages of 1,280 × 960 pixels and four layers of mBART, as
    /// `naver-clova-ix/donut-base-finetuned-cord-v2`: 202 million parameters.
    pub fn donut_base() -> Self {
        let encoder = SwinConfig {
            image_size: [1280, 960].into(),
            ..SwinConfig::donut_base()
        };
        let decoder = MBartDecoderConfig {
            vocab_size: 57_580,
            decoder_layers: 4,
            max_position_embeddings: 768,
            ..MBartDecoderConfig::mbart_large_50()
        };
        Self::new(encoder, decoder)
    }

    /// ViT-B/16 and two layers of BERT that write characters, as `kha-white/manga-ocr-base`: 111 million parameters.
    pub fn manga_ocr() -> Self {
        let decoder = BertDecoderConfig {
            vocab_size: 6_144,
            num_hidden_layers: 2,
            ..BertDecoderConfig::default()
        };
        Self::new(ViTConfig::base_patch16_224(), decoder)
    }
}
