use std::path::Path;

use burn::tensor::Device;
use mbart50_decoder::language;
use packed_linear::Format;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::Tokenizer;
use vision_encoder_decoder::{LoadError, Pretrained};

use crate::{Captioner, Error};

pub(crate) fn load(
    folder: &Path,
    tokenizer_folder: &Path,
    format: Option<Format>,
    device: &Device,
) -> Result<Captioner, Error> {
    if !folder.is_dir() {
        return Err(Error::Load(LoadError::MissingFile {
            folder: folder.to_owned(),
            file: "config.json".into(),
        }));
    }
    // Before the weights: it is small, and the file that is most often missing.
    let tokenizer = Tokenizer::from_folder(tokenizer_folder)?;
    let pretrained = Pretrained::from_folder_as(folder, format, device)?;
    let side = u32::try_from(pretrained.config.encoder.image_size).unwrap_or(u32::MAX);
    let image_processor = ImageProcessor::new(ImageProcessorConfig::of_checkpoint(folder, side)?)?;
    let languages = tokenizer
        .languages()
        .filter_map(|(code, _)| language(code))
        .collect();
    Captioner::new(pretrained, image_processor, tokenizer, languages, device)
}
