use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::files::tokenizer_files;
use checkpoint::write_file;
use preprocess::image::ImageProcessorConfig;
use preprocess::text::Tokenizer;
use pretrained::VisionEncoderDecoderConfig;
use whole_files::limits;

use crate::ConvertError;

/// Where the files that are not part of the model come from.
#[derive(Debug)]
pub(crate) struct SideFiles {
    /// A folder that may contain a tokenizer.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Whether the user named this folder, so that a missing tokenizer is an error.
    pub(crate) tokenizer_was_named: bool,
    /// A folder that may contain the configuration of the preprocessing.
    pub(crate) preprocessing: Option<PathBuf>,
}

impl SideFiles {
    /// Copies the files of the tokenizer. If there is only a `sentencepiece.bpe.model`, this also writes the
    /// `tokenizer.json` that transformers 5 needs. Returns the number of tokens, or `None` without a tokenizer.
    pub(crate) fn write_tokenizer(&self, folder: &Path) -> Result<Option<usize>, ConvertError> {
        let Some(source) = &self.tokenizer else {
            return Ok(None);
        };
        let files = files_of_tokenizer(source);
        if files.is_empty() && !self.tokenizer_was_named {
            return Ok(None);
        }
        let tokenizer = Tokenizer::from_folder(source)?; // the error says what is missing
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

    /// Writes the configuration of the preprocessing.
    ///
    /// # Errors
    /// If it would fail at the first image.
    pub(crate) fn write_preprocessing(
        &self,
        folder: &Path,
        config: &VisionEncoderDecoderConfig,
    ) -> Result<(), ConvertError> {
        let [_, height, _] = config.encoder.input();
        let side = u32::try_from(height).unwrap_or(u32::MAX);
        let preprocessing = match &self.preprocessing {
            Some(source) => ImageProcessorConfig::of_checkpoint(source, side)?,
            None => ImageProcessorConfig::square(side),
        };
        Ok(preprocessing.save(folder)?)
    }
}

/// The files of a folder's tokenizer, or an empty list without a tokenizer.
pub(crate) fn files_of_tokenizer(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    tokenizer_files(&names).unwrap_or_default()
}

/// Copies the content of a file, but not its permissions: files of a cache may be read-only.
fn copy(source: &Path, folder: &Path, file: &str) -> Result<(), ConvertError> {
    let bytes = whole_files::read(source.join(file), limits::VOCABULARY)?;
    Ok(write_file(&folder.join(file), &bytes)?)
}
