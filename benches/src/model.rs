use std::fmt;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Int, Tensor};
use clap::ValueEnum;
use generation::GenerationConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};

use crate::END;

/// The family and the size of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// That of the published model, with 547 million parameters.
    Full,
    /// 101 tokens and two narrow layers in each half.
    Tiny,
    /// ViT-B/16 and GPT-2.
    VitGpt2,
    /// ViT-B/16 for 384 pixels and TrOCR's decoder.
    TrocrBase,
    /// Donut's Swin for 1,280 × 960 pixels and four layers of mBART.
    DonutBase,
    /// ViT-B/16 and two layers of BERT.
    MangaOcr,
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "full",
            Self::Tiny => "tiny",
            Self::VitGpt2 => "vit-gpt2",
            Self::TrocrBase => "trocr-base",
            Self::DonutBase => "donut-base",
            Self::MangaOcr => "manga-ocr",
        })
    }
}

/// A model with random weights, which are already allocated.
pub fn random_model(size: Size, weights: Weights, device: &Device) -> Pretrained {
    let config = match size {
        Size::Full => VisionEncoderDecoderConfig::clip_vision_mbart50(),
        Size::Tiny => VisionEncoderDecoderConfig::tiny(),
        Size::VitGpt2 => VisionEncoderDecoderConfig::vit_gpt2(),
        Size::TrocrBase => VisionEncoderDecoderConfig::trocr_base(),
        Size::DonutBase => VisionEncoderDecoderConfig::donut_base(),
        Size::MangaOcr => VisionEncoderDecoderConfig::manga_ocr(),
    };
    device.seed(1);
    let pretrained = Pretrained::from_config(config, GenerationConfig::default(), weights, device);
    pretrained.model.visit(&mut Initialize);
    pretrained
}

/// Random pixel values for a model, `[images, channels, height, width]`.
pub fn random_pixels(pretrained: &Pretrained, images: usize, device: &Device) -> Tensor<4> {
    let [channels, height, width] = pretrained.config.encoder.input();
    let shape = [images, channels, height, width];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Options for captions of exactly `tokens` generated tokens, whatever the model writes.
pub fn captions_of(tokens: usize, num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        decoder_start_token_id: Some(END),
        eos_token_id: vec![END],
        max_new_tokens: Some(tokens),
        min_new_tokens: Some(tokens),
        ..GenerationConfig::default()
    }
}

/// Allocates every weight, which otherwise happens when it is first used.
struct Initialize;

impl ModuleVisitor for Initialize {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        param.val();
    }
}
