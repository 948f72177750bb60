use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use preprocess::image::ImageProcessorConfig;
use preprocess::text::Tokenizer;
use vision_encoder_decoder::{SaveError, VisionEncoderDecoderConfig};

use crate::ConvertError;

/// Where the files come from that a folder has beside the model.
#[derive(Debug, Default)]
pub(crate) struct SideFiles {
    /// A folder that may have a tokenizer.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Whether the user said so, so that it has to have one.
    pub(crate) tokenizer_was_named: bool,
    /// A folder that may say how images are prepared.
    pub(crate) preprocessing: Option<PathBuf>,
}

const SENTENCEPIECE: &str = "sentencepiece.bpe.model";
const TOKENIZER_JSON: &str = "tokenizer.json";
const TOKENIZER_FILES: [&str; 5] = [
    SENTENCEPIECE,
    TOKENIZER_JSON,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

impl SideFiles {
    /// Reads the tokenizer, if there is one: a file that is damaged or missing is better known before
    /// gigabytes are converted. Returns the number of its tokens.
    pub(crate) fn tokens(&self) -> Result<Option<usize>, ConvertError> {
        let Some(source) = &self.tokenizer else {
            return Ok(None);
        };
        if !self.tokenizer_was_named && !has_tokenizer(source) {
            return Ok(None);
        }
        Ok(Some(Tokenizer::from_folder(source)?.vocab_size()))
    }

    /// Copies what there is as it is, and makes what transformers 5 wants beside it.
    pub(crate) fn write(
        &self,
        folder: &Path,
        config: &VisionEncoderDecoderConfig,
        has_tokenizer: bool,
    ) -> Result<(), ConvertError> {
        let side = u32::try_from(config.encoder.image_size).unwrap_or(u32::MAX);
        let preprocessing = match &self.preprocessing {
            // Refuses what would fail at the first image.
            Some(source) => ImageProcessorConfig::of_checkpoint(source, side)?,
            None => ImageProcessorConfig::square(side),
        };
        preprocessing.save(folder)?;
        let Some(source) = self.tokenizer.as_ref().filter(|_| has_tokenizer) else {
            return Ok(());
        };
        if source.join(TOKENIZER_JSON).exists() {
            for file in TOKENIZER_FILES {
                copy(source, folder, file)?;
            }
        } else {
            Tokenizer::from_folder(source)?.save(folder)?;
            copy(source, folder, SENTENCEPIECE)?;
        }
        Ok(())
    }
}

/// Whether a folder has a tokenizer.
pub(crate) fn has_tokenizer(folder: &Path) -> bool {
    [SENTENCEPIECE, TOKENIZER_JSON]
        .iter()
        .any(|file| folder.join(file).exists())
}

/// Copies a file if it is there.
fn copy(source: &Path, folder: &Path, file: &str) -> Result<(), SaveError> {
    let (from, to) = (source.join(file), folder.join(file));
    // The content alone: a cache's files may be read-only.
    let copied = fs::read(from).and_then(|bytes| {
        let mut file = File::create(&to)?;
        file.write_all(&bytes)?;
        file.sync_all()
    });
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(SaveError::io(to)),
    }
}
