use std::path::PathBuf;

use captioning::{Captioner, Language, UNDETERMINED, Weights};
use clap::Args;
use report::Program;

/// The languages that the published model was trained for.
const OF_MODEL_CARD: [&str; 4] = ["en", "fr", "de", "es"];

// Comments of the structures would be the help texts of programs.
#[allow(missing_docs)]
#[derive(Args, Clone, Debug)]
pub struct ModelArguments {
    /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub. Default: the
    /// embedded model.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Where to take the tokenizer from if the checkpoint has none: a folder, or a name on the Hub.
    #[arg(long, value_name = "MODEL", requires = "model")]
    pub tokenizer: Option<String>,
    /// How weights are kept in memory: packed for the kernels as f32, bf16, int8 or int4, where the last two
    /// may have a group size (int8:128); ordinary for f32 tensors that are not packed; or auto for the
    /// checkpoint's own packed format if it has one, otherwise f32.
    #[arg(long, default_value = "auto")]
    pub precision: Weights,
    /// Map packed weights into memory instead of reading them. The file must not be changed in place while
    /// the program runs: if it is truncated, the system kills the program.
    #[arg(long, requires = "model")]
    pub mmap: bool,
    /// Device to compute on.
    #[arg(long, default_value = "flex")]
    pub device: String,
    /// Number of threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

/// A captioner, and the folder of its checkpoint unless it is the embedded one.
#[derive(Debug)]
pub struct Loaded {
    /// The captioner.
    pub captioner: Captioner,
    /// The folder of its checkpoint.
    pub folder: Option<PathBuf>,
}

/// Why a model can't be used as the arguments say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such device, or no such number of threads.
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    /// A checkpoint or tokenizer is not found.
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    /// A checkpoint, an option or a language can't be used.
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    /// `--set` has no name and value, names no option, or has a value of the wrong type.
    #[error("--set can't be used")]
    Setting(#[source] captioning::ConfigError),
}

impl ModelArguments {
    /// Runs work on the threads that are asked for.
    ///
    /// # Errors
    /// [`LoadError::Device`] if they can't be started, and those of the work.
    pub fn with_threads<T: Send, E: From<LoadError> + Send>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> Result<T, E> {
        let result = device::with_threads(self.threads, work);
        result.unwrap_or_else(|error| Err(LoadError::from(error).into()))
    }

    /// Finds and loads the model. What there is to say about it is printed.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(&self, program: &Program) -> Result<Loaded, LoadError> {
        let device = device::device(&self.device)?;
        let folder = self.model.as_deref();
        let folder = folder
            .map(|name| locate::checkpoint(program, name))
            .transpose()?;
        let mut builder = Captioner::builder()
            .weights(self.precision)
            .memory_map(self.mmap);
        if let Some(folder) = &folder {
            builder = builder.folder(folder);
        }
        if let Some(tokenizer) = &self.tokenizer {
            builder = builder.tokenizer_folder(locate::tokenizer(program, tokenizer)?);
        }
        let captioner = builder.build(&device)?;
        for notice in captioner.notices() {
            program.message(notice);
        }
        Ok(Loaded { captioner, folder })
    }
}

/// The languages that a user names, or else those of the model card. A model without languages writes what
/// it was trained on.
///
/// # Errors
/// [`LoadError::Captioning`] for one that the model does not write.
pub fn languages_or_default(
    captioner: &Captioner,
    names: &[String],
) -> Result<Vec<Language>, LoadError> {
    match names {
        [] if captioner.languages() == [UNDETERMINED] => Ok(vec![UNDETERMINED]),
        [] => languages(captioner, &OF_MODEL_CARD.map(String::from)),
        names => languages(captioner, names),
    }
}

/// The languages that a user names.
///
/// # Errors
/// [`LoadError::Captioning`] for one that the model does not write.
pub fn languages(captioner: &Captioner, names: &[String]) -> Result<Vec<Language>, LoadError> {
    let found = names.iter().map(|name| captioner.language(name.trim()));
    Ok(found.collect::<Result<_, _>>()?)
}
