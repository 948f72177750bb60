use std::path::Path;

use burn::tensor::Device;
use mbart50_decoder::language;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::Tokenizer;
use vision_encoder_decoder::Pretrained;

use crate::{Captioner, Error};

const PREPROCESSOR_CONFIG: &str = "preprocessor_config.json";

pub(crate) fn load(folder: &Path, device: &Device) -> Result<Captioner, Error> {
    let pretrained = Pretrained::from_folder(folder, device)?;
    let path = folder.join(PREPROCESSOR_CONFIG);
    let image_processor = if path.exists() {
        ImageProcessor::from_file(path)?
    } else {
        // The published checkpoint has none: it takes CLIP's own.
        let side = pretrained.config.encoder.image_size;
        ImageProcessor::new(ImageProcessorConfig::square(
            u32::try_from(side).unwrap_or(u32::MAX),
        ))?
    };
    let tokenizer = Tokenizer::from_folder(folder)?;
    let languages = tokenizer
        .languages()
        .filter_map(|(code, _)| language(code))
        .collect();
    Captioner::new(pretrained, image_processor, tokenizer, languages, device)
}
