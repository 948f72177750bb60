use std::fmt;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use checkpoint::files::CONFIG;
use checkpoint::{
    FolderState, Progress, complete_interrupted_save, locate_checkpoint, locate_tokenizer,
};
use generation::GenerationConfig;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::{Language, Tokenizer, UNDETERMINED};
use pretrained::{LoadError, LoadOptions, Pretrained, Weights};

use crate::{Captioner, Error, embedded};

/// Loads a [`Captioner`]: the embedded model, a checkpoint folder, or a model on the Hugging Face Hub.
///
/// ```
/// use burn::tensor::Device;
/// use captioning::{Captioner, GenerationConfig, Weights};
///
/// let captioner = Captioner::builder() // the embedded model, since no other is named
///     .weights(Weights::Packed("int8".parse()?))
///     .languages(["spanish", "fr"])
///     .generation(|defaults| GenerationConfig { num_beams: 4, ..defaults })
///     .build(&Device::flex())?;
/// assert_eq!(captioner.languages()[0].code, "es_XX");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
#[must_use = "a builder loads nothing until `build` is called"]
pub struct CaptionerBuilder<'a> {
    model: Option<Source>,
    tokenizer: Option<Source>,
    options: LoadOptions,
    languages: Option<Vec<String>>,
    generation: Option<Box<ChangeGeneration<'a>>>,
    progress: Option<Box<OnProgress<'a>>>,
}

type ChangeGeneration<'a> = dyn FnOnce(GenerationConfig) -> GenerationConfig + 'a;
type OnProgress<'a> = dyn FnMut(Progress<'_>) + 'a;

/// Where a checkpoint or a tokenizer is.
#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    /// The path of a folder, or a name on the Hub.
    Name(String),
}

impl Captioner {
    /// Starts to load a captioner: which model, how its weights are kept, in which languages it writes.
    pub fn builder<'a>() -> CaptionerBuilder<'a> {
        CaptionerBuilder::default()
    }

    /// Loads the small model inside this crate. It knows 514 common things in six styles of pictogram
    /// art, one or two on a plain background, in English, French, German and Spanish. It is not for
    /// photographs.
    ///
    /// This is [`builder`](Self::builder) without any settings.
    ///
    /// # Errors
    /// [`Error`] only if the device fails.
    pub fn embedded(device: &Device) -> Result<Self, Error> {
        Self::builder().build(device)
    }

    /// Loads a checkpoint folder; [`CaptionerBuilder::folder`] says what it has to contain.
    ///
    /// # Errors
    /// [`Error`], naming the file and what is wrong with it.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        Self::builder().folder(folder.as_ref()).build(device)
    }
}

impl<'a> CaptionerBuilder<'a> {
    /// Loads a checkpoint folder: `config.json`, weights in any form that [`Pretrained::from_folder`]
    /// reads, the files of a tokenizer that [`Tokenizer::from_folder`] reads, and `preprocessor_config.json`,
    /// without which the settings of the encoder's family are used.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.model = Some(Source::Folder(folder.into()));
        self
    }

    /// Loads a checkpoint by the path of a folder, or by a name on the Hugging Face Hub,
    /// `owner/name[@revision][:subfolder]`, which is downloaded unless the cache has it. A name on the Hub
    /// needs the feature `hub`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.model = Some(Source::Name(name.into()));
        self
    }

    /// Takes the tokenizer from another folder than the checkpoint's: the published checkpoint comes
    /// without one. The embedded model always uses its own.
    pub fn tokenizer_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tokenizer = Some(Source::Folder(folder.into()));
        self
    }

    /// Takes the tokenizer from another checkpoint, given by the path of a folder or by a name on the
    /// Hugging Face Hub, `owner/name[@revision][:subfolder]`. A name on the Hub needs the feature `hub`.
    /// The embedded model always uses its own tokenizer.
    pub fn tokenizer_name(mut self, name: impl Into<String>) -> Self {
        self.tokenizer = Some(Source::Name(name.into()));
        self
    }

    /// Sets how weights are kept in memory; [`Weights::Auto`] by default.
    pub fn weights(mut self, weights: Weights) -> Self {
        self.options.weights = weights;
        self
    }

    /// Maps a file of packed weights into memory instead of reading it: loading then takes no time, and
    /// processes share one copy. The file must not be changed in place while the captioner is in use: if
    /// it is truncated, the system stops this process with a bus error. Replacing it by renaming is safe.
    pub fn memory_map(mut self, memory_map: bool) -> Self {
        self.options.memory_map = memory_map;
        self
    }

    /// Sets the languages to write, by code (`es_XX`), short code (`es`) or English name, in the order in
    /// which [`Captioner::languages`] will return them. By default, they are all that the tokenizer has a
    /// code for, [`UNDETERMINED`] if it has none, or those that the embedded model was trained for.
    pub fn languages<T: Into<String>>(mut self, languages: impl IntoIterator<Item = T>) -> Self {
        self.languages = Some(languages.into_iter().map(Into::into).collect());
        self
    }

    /// Changes the generation options of the checkpoint, which [`Captioner::generation_config`] returns.
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

    /// Loads the captioner.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] if the model does not write one of the languages. Any other [`Error`]
    /// names the file and what is wrong with it.
    pub fn build(mut self, device: &Device) -> Result<Captioner, Error> {
        let mut captioner = self.load(device)?;
        if let Some(change) = self.generation.take() {
            let pretrained = &mut captioner.pretrained;
            pretrained.generation_config = change(pretrained.generation_config.clone());
        }
        if let Some(languages) = &self.languages {
            let found = languages.iter().map(|text| captioner.language(text.trim()));
            captioner.languages = found.collect::<Result<_, _>>()?;
        }
        Ok(captioner)
    }

    fn load(&mut self, device: &Device) -> Result<Captioner, Error> {
        let mut ignore = |_: Progress<'_>| ();
        let progress: &mut dyn FnMut(Progress<'_>) = match &mut self.progress {
            Some(progress) => progress,
            None => &mut ignore,
        };
        let Some(model) = &self.model else {
            return embedded::load(self.options.weights, device);
        };
        let folder = match model {
            Source::Folder(folder) => folder.clone(),
            Source::Name(name) => locate_checkpoint(name, progress)?,
        };
        let tokenizer = match &self.tokenizer {
            Some(Source::Folder(folder)) => folder.clone(),
            Some(Source::Name(name)) => locate_tokenizer(name, progress)?,
            None => folder.clone(),
        };
        from_folders(&folder, &tokenizer, &self.options, device)
    }
}

impl fmt::Debug for CaptionerBuilder<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CaptionerBuilder")
            .field("model", &self.model)
            .field("tokenizer", &self.tokenizer)
            .field("options", &self.options)
            .field("languages", &self.languages)
            .finish_non_exhaustive()
    }
}

fn from_folders(
    folder: &Path,
    tokenizer_folder: &Path,
    options: &LoadOptions,
    device: &Device,
) -> Result<Captioner, Error> {
    if !folder.is_dir() {
        let missing = checkpoint::LoadError::MissingFile {
            folder: folder.to_owned(),
            file: CONFIG.into(),
        };
        return Err(LoadError::from(missing).into());
    }
    complete_interrupted_save(folder);
    // Another program may be saving to the folder.
    let load = || from_unchanged_folders(folder, tokenizer_folder, options, device);
    FolderState::while_unchanged(folder, load).map_err(LoadError::from)?
}

fn from_unchanged_folders(
    folder: &Path,
    tokenizer_folder: &Path,
    options: &LoadOptions,
    device: &Device,
) -> Result<Captioner, Error> {
    // Before the weights: it is small, and the file that is most often missing.
    let tokenizer = Tokenizer::from_folder(tokenizer_folder)?;
    let pretrained = Pretrained::from_folder(folder, options, device)?;
    let size = pretrained.config.encoder.image_size();
    let image_processor = ImageProcessor::new(ImageProcessorConfig::of_checkpoint(folder, size)?)?;
    let mut languages: Vec<Language> = tokenizer.languages().map(|(known, _)| known).collect();
    if languages.is_empty() {
        languages.push(UNDETERMINED);
    }
    Captioner::new(pretrained, image_processor, tokenizer, languages, device)
}
