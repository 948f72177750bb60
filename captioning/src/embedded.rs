//! The model inside this crate. `NOTICE` says what it was trained on.

use burn::tensor::Device;
use checkpoint::SafetensorsFile;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::{Language, Tokenizer, language};
use pretrained::{LoadError, Pretrained, Weights};

use crate::{Captioner, Error};

const ORIGIN: &str = "(embedded)";
const CONFIG: &str = include_str!("../model/config.json");
const GENERATION_CONFIG: &str = include_str!("../model/generation_config.json");
const PREPROCESSOR_CONFIG: &str = include_str!("../model/preprocessor_config.json");
const SENTENCEPIECE: &[u8] = include_bytes!("../model/sentencepiece.bpe.model");
static WEIGHTS: &[u8] = include_bytes!("../model/model.safetensors");

/// The languages that the model was trained for.
const TRAINED: [&str; 4] = ["en_XX", "fr_XX", "de_DE", "es_XX"];

pub(crate) fn load(weights: Weights, device: &Device) -> Result<Captioner, Error> {
    let source = SafetensorsFile::from_memory("(embedded)/model.safetensors", WEIGHTS)
        .map_err(LoadError::from)?;
    let options = Some(GENERATION_CONFIG);
    let pretrained = Pretrained::from_parts(ORIGIN, CONFIG, options, &source, weights, device)?;
    let image_processor =
        ImageProcessor::new(ImageProcessorConfig::from_json(PREPROCESSOR_CONFIG)?)?;
    let tokenizer = Tokenizer::from_sentencepiece_bytes(SENTENCEPIECE)?;
    let languages: Vec<Language> = TRAINED.into_iter().filter_map(language).collect();
    Captioner::new(pretrained, image_processor, tokenizer, languages, device)
}
