use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::files::tokenizer_files;
use checkpoint::write_file;
use preprocess::image::{ImageProcessorClass, ImageProcessorConfig};
use preprocess::text::{MarianTokenizer, Tokenizer};
use pretrained::VisionEncoderDecoderConfig;
use whole_files::limits;

use crate::ConvertError;
use crate::new_languages::{Added, NewLanguages};

/// The file of a whole tokenizer.
const TOKENIZER: &str = "tokenizer.json";

/// The file of a tokenizer's options.
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// The file of the pieces alone, from which Python's slow classes make a tokenizer.
const PIECES: &str = "sentencepiece.bpe.model";

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
    /// `tokenizer.json` that transformers 5 needs. Returns the number of tokens before languages were added, or
    /// `None` without a tokenizer, and the languages.
    pub(crate) fn write_tokenizer(
        &self,
        folder: &Path,
        languages: NewLanguages<'_>,
    ) -> Result<(Option<usize>, Vec<Added>), ConvertError> {
        let Some(source) = &self.tokenizer else {
            return Ok((None, Vec::new()));
        };
        let files = files_of_tokenizer(source);
        let is_needed = self.tokenizer_was_named || !languages.names.is_empty();
        if files.is_empty() && !is_needed {
            return Ok((None, Vec::new()));
        }
        let mut tokenizer = Tokenizer::from_folder(source)?; // the error says what is missing
        let count = tokenizer.vocab_size();
        if !languages.names.is_empty() {
            let added = languages.add_to(&mut tokenizer)?;
            write_with_languages(&tokenizer, source, &files, folder)?;
            return Ok((Some(count), added));
        }
        // The pieces of an mBART-50 alone are no tokenizer for transformers 5.
        if files.iter().any(|file| file == PIECES) && !files.iter().any(|file| file == TOKENIZER) {
            tokenizer.save(folder)?;
            copy(source, folder, PIECES)?;
        } else {
            for file in &files {
                copy(source, folder, file)?;
            }
        }
        Ok((Some(count), Vec::new()))
    }

    /// Copies the files of a translation model's tokenizer. Returns the numbers of tokens of the source and of the
    /// target language, or `None` without a tokenizer.
    pub(crate) fn write_translation_tokenizer(
        &self,
        folder: &Path,
    ) -> Result<Option<[usize; 2]>, ConvertError> {
        let Some(source) = &self.tokenizer else {
            return Ok(None);
        };
        let files = files_of_tokenizer(source);
        if files.is_empty() && !self.tokenizer_was_named {
            return Ok(None);
        }
        let tokenizer = MarianTokenizer::from_folder(source)?; // the error says what is missing
        for file in &files {
            copy(source, folder, file)?;
        }
        let counts = [tokenizer.vocab_size(), tokenizer.target_vocab_size()];
        Ok(Some(counts))
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
        let size = config.encoder.image_size();
        let preprocessing = match &self.preprocessing {
            Some(source) => ImageProcessorConfig::of_checkpoint(source, size)?,
            None => {
                let class = ImageProcessorClass::of_encoder(&config.encoder.model_type());
                ImageProcessorConfig::of_class(class.unwrap_or_default(), size)
            }
        };
        Ok(preprocessing.save(folder)?)
    }
}

/// Writes a tokenizer that got more languages than the files that it was read from have.
fn write_with_languages(
    tokenizer: &Tokenizer,
    source: &Path,
    files: &[String],
    folder: &Path,
) -> Result<(), ConvertError> {
    let has = |name: &str| files.iter().any(|file| file == name);
    let config = match has(TOKENIZER_CONFIG) {
        true => config_like(tokenizer, &source.join(TOKENIZER_CONFIG))?,
        false => tokenizer.to_tokenizer_config_json(),
    };
    write_file(&folder.join(TOKENIZER_CONFIG), config.as_bytes())?;
    let tokenizer = tokenizer.to_tokenizer_json()?;
    write_file(&folder.join(TOKENIZER), tokenizer.as_bytes())?;
    if has(PIECES) {
        copy(source, folder, PIECES)?;
    }
    Ok(())
}

/// A `tokenizer_config.json` that says what another file says, with the tokens of this tokenizer.
fn config_like(tokenizer: &Tokenizer, path: &Path) -> Result<String, ConvertError> {
    let other = whole_files::read_text(path, limits::JSON)?;
    let config = tokenizer.to_tokenizer_config_json_like(&other);
    Ok(config.map_err(|source| preprocess::Error::File {
        path: path.to_owned(),
        source: Box::new(source),
    })?)
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
