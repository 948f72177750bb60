use std::fmt;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use checkpoint::{Progress, locate_checkpoint};
use generation::GenerationConfig;
use preprocess::text::MarianTokenizer;
use pretrained::{LoadOptions, PretrainedTranslator, Weights};

use crate::translator::BATCH_TOKENS;
use crate::{Error, LongTexts, Translator};

/// Loads a [`Translator`]: a checkpoint folder, or a model on the Hugging Face Hub.
///
/// ```
/// use burn::tensor::Device;
/// use translation::{LongTexts, Translator, Weights};
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny");
/// let translator = Translator::builder()
///     .folder(folder)
///     .weights(Weights::Packed("int8".parse()?))
///     .long_texts(LongTexts::Cut)
///     .build(&Device::flex())?;
/// assert_eq!(translator.tokenizer().language_pair(), [Some("en"), Some("de")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder loads nothing until `build` is called"]
pub struct TranslatorBuilder<'a> {
    model: Option<Source>,
    options: LoadOptions,
    language: Option<String>,
    long_texts: LongTexts,
    batch_tokens: usize,
    generation: Option<Box<ChangeGeneration<'a>>>,
    progress: Option<Box<OnProgress<'a>>>,
}

type ChangeGeneration<'a> = dyn FnOnce(GenerationConfig) -> GenerationConfig + 'a;
type OnProgress<'a> = dyn FnMut(Progress<'_>) + 'a;

/// Where a checkpoint is.
#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    /// The path of a folder, or a name on the Hub.
    Name(String),
}

impl Translator {
    /// Starts to load a translator: which model, how its weights are kept, how it searches.
    pub fn builder<'a>() -> TranslatorBuilder<'a> {
        TranslatorBuilder {
            model: None,
            options: LoadOptions::default(),
            language: None,
            long_texts: LongTexts::default(),
            batch_tokens: BATCH_TOKENS,
            generation: None,
            progress: None,
        }
    }

    /// Loads a checkpoint folder; [`TranslatorBuilder::folder`] says what it has to contain.
    ///
    /// # Errors
    /// [`Error`], naming the file and what is wrong with it.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        Self::builder().folder(folder.as_ref()).build(device)
    }
}

impl<'a> TranslatorBuilder<'a> {
    /// Loads a checkpoint folder: `config.json`, weights in any form that [`PretrainedTranslator::from_folder`] reads,
    /// and the files of [`MarianTokenizer`].
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.model = Some(Source::Folder(folder.into()));
        self
    }

    /// Loads a checkpoint by the path of a folder, or by a name on the Hugging Face Hub,
    /// `owner/name[@revision][:subfolder]`, which is downloaded unless the cache has it. A name on the Hub needs the
    /// feature `hub`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.model = Some(Source::Name(name.into()));
        self
    }

    /// Sets how weights are kept in memory; [`Weights::Auto`] by default.
    pub fn weights(mut self, weights: Weights) -> Self {
        self.options.weights = weights;
        self
    }

    /// Maps a file of packed weights into memory instead of reading it: loading then takes no time, and processes share
    /// one copy. The file must not be changed in place while the translator is in use: if it is truncated, the system
    /// stops this process with a bus error. Replacing it by renaming is safe.
    pub fn memory_map(mut self, memory_map: bool) -> Self {
        self.options.memory_map = memory_map;
        self
    }

    /// Sets the target language of a model that writes several, by its code in the vocabulary: `fra` or `>>fra<<`.
    /// Without it, such a model expects every text to begin with `>>fra<<`.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets what happens to texts that are longer than the model can read; by default they are refused.
    pub fn long_texts(mut self, long_texts: LongTexts) -> Self {
        self.long_texts = long_texts;
        self
    }

    /// Sets how many tokens of source texts, padding included, are translated at once; 2048 by default. More is faster
    /// on large machines and takes more memory. Batches of very short texts are smaller, since each text has `num_beams`
    /// rows in the search, with a score for each token of the vocabulary.
    pub fn batch_tokens(mut self, tokens: usize) -> Self {
        self.batch_tokens = tokens;
        self
    }

    /// Changes the generation options of the checkpoint, which [`Translator::generation_config`] returns. If the
    /// checkpoint names no length, `max_length` is what the model can write.
    pub fn generation(
        mut self,
        change: impl FnOnce(GenerationConfig) -> GenerationConfig + 'a,
    ) -> Self {
        self.generation = Some(Box::new(change));
        self
    }

    /// Sets a function that is called with the progress of a download.
    pub fn progress(mut self, progress: impl FnMut(Progress<'_>) + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Loads the translator.
    ///
    /// # Errors
    /// [`Error`], naming the file or the option and what is wrong with it.
    pub fn build(mut self, device: &Device) -> Result<Translator, Error> {
        let mut ignore = |_: Progress<'_>| ();
        let progress: &mut dyn FnMut(Progress<'_>) = match &mut self.progress {
            Some(progress) => progress,
            None => &mut ignore,
        };
        let folder = match self.model {
            Some(Source::Folder(folder)) => folder,
            Some(Source::Name(name)) => locate_checkpoint(&name, progress)?,
            None => return Err(Error::NoModel),
        };
        let mut pretrained = PretrainedTranslator::from_folder(&folder, &self.options, device)?;
        let tokenizer = MarianTokenizer::from_folder(&folder)?;
        let options = &mut pretrained.generation_config;
        if options.max_length.is_none() && options.max_new_tokens.is_none() {
            options.max_length = Some(pretrained.config.max_position_embeddings);
        }
        if let Some(change) = self.generation {
            *options = change(options.clone());
        }
        let translator = Translator::new(pretrained, tokenizer, device)?;
        translator.with_settings(self.language, self.long_texts, self.batch_tokens)
    }
}

impl fmt::Debug for TranslatorBuilder<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TranslatorBuilder")
            .field("model", &self.model)
            .field("options", &self.options)
            .field("language", &self.language)
            .field("long_texts", &self.long_texts)
            .field("batch_tokens", &self.batch_tokens)
            .finish_non_exhaustive()
    }
}
