//! The model inside the crate; see `model/NOTICE` for what it was trained on.

use burn::tensor::Device;
use mbart50_decoder::{Language, language};
use packed_linear::Format;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::Tokenizer;
use vision_encoder_decoder::Pretrained;
use vision_encoder_decoder::checkpoint::SafetensorsFile;

use crate::{Captioner, Error};

const ORIGIN: &str = "(embedded)";
const CONFIG: &str = include_str!("../model/config.json");
const GENERATION_CONFIG: &str = include_str!("../model/generation_config.json");
const PREPROCESSOR_CONFIG: &str = include_str!("../model/preprocessor_config.json");
const SENTENCEPIECE: &[u8] = include_bytes!("../model/sentencepiece.bpe.model");
static WEIGHTS: &[u8] = include_bytes!("../model/model.safetensors");

/// The languages that it was trained for.
const TRAINED: [&str; 4] = ["en_XX", "fr_XX", "de_DE", "es_XX"];

pub(crate) fn load(format: Option<Format>, device: &Device) -> Result<Captioner, Error> {
    let weights = SafetensorsFile::from_memory("(embedded)/model.safetensors", WEIGHTS)?;
    let options = Some(GENERATION_CONFIG);
    let pretrained = Pretrained::from_parts(ORIGIN, CONFIG, options, &weights, format, device)?;
    let image_processor =
        ImageProcessor::new(ImageProcessorConfig::from_json(PREPROCESSOR_CONFIG)?)?;
    let tokenizer = Tokenizer::from_sentencepiece_bytes(SENTENCEPIECE)?;
    let languages: Vec<Language> = TRAINED.into_iter().filter_map(language).collect();
    Captioner::new(pretrained, image_processor, tokenizer, languages, device)
}
