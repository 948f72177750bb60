use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use preprocess::image::ImageProcessorConfig;
use preprocess::text::Tokenizer;
use vision_encoder_decoder::hub::tokenizer_files;
use vision_encoder_decoder::{SaveError, VisionEncoderDecoderConfig};

use crate::ConvertError;

/// Where the files come from that a folder has beside the model.
#[derive(Debug)]
pub(crate) struct SideFiles {
    /// A folder that may have a tokenizer.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Whether the user said so, so that it has to have one.
    pub(crate) tokenizer_was_named: bool,
    /// A folder that may say how images are prepared.
    pub(crate) preprocessing: Option<PathBuf>,
}

impl SideFiles {
    /// Copies the files of the tokenizer as they are, and makes what transformers 5 wants of a
    /// `sentencepiece.bpe.model`. Returns the number of tokens, if there is a tokenizer.
    pub(crate) fn write_tokenizer(&self, folder: &Path) -> Result<Option<usize>, ConvertError> {
        let Some(source) = &self.tokenizer else {
            return Ok(None);
        };
        let files = files_of_tokenizer(source);
        if files.is_empty() && !self.tokenizer_was_named {
            return Ok(None);
        }
        let tokenizer = Tokenizer::from_folder(source)?; // says what is missing
        if files.iter().any(|file| file == "tokenizer.json") {
            for file in &files {
                copy(source, folder, file)?;
            }
        } else {
            tokenizer.save(folder)?;
            copy(source, folder, "sentencepiece.bpe.model")?;
        }
        Ok(Some(tokenizer.vocab_size()))
    }

    /// Writes how images are prepared; a source that would fail at the first image is refused.
    pub(crate) fn write_preprocessing(
        &self,
        folder: &Path,
        config: &VisionEncoderDecoderConfig,
    ) -> Result<(), ConvertError> {
        let side = u32::try_from(config.encoder.image_size).unwrap_or(u32::MAX);
        let preprocessing = match &self.preprocessing {
            Some(source) => ImageProcessorConfig::of_checkpoint(source, side)?,
            None => ImageProcessorConfig::square(side),
        };
        Ok(preprocessing.save(folder)?)
    }
}

/// The files of a folder that belong to a tokenizer; none if it has no tokenizer.
pub(crate) fn files_of_tokenizer(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    tokenizer_files(&names).unwrap_or_default()
}

/// Copies a file's content alone: a cache's files may be read-only.
fn copy(source: &Path, folder: &Path, file: &str) -> Result<(), SaveError> {
    let (from, to) = (source.join(file), folder.join(file));
    let copied = fs::read(from).and_then(|bytes| {
        let mut file = File::create(&to)?;
        file.write_all(&bytes)?;
        file.sync_all()
    });
    copied.map_err(SaveError::io(to))
}
