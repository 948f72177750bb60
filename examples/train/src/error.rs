use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a training did not begin, or ended.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{origin} can't be understood")]
    Toml {
        origin: String,
        source: Box<toml::de::Error>,
    },
    #[error("{setting} is missing: name {what} with {option}, or in the file of --config")]
    Missing {
        setting: &'static str,
        option: &'static str,
        what: &'static str,
    },
    #[error("{setting} is {value}, expected at least {least}")]
    TooSmall {
        setting: &'static str,
        value: usize,
        least: usize,
    },
    #[error(
        "data.captions chooses some captions of an image, but a classifier learns all of its labels; leave it at \"all\""
    )]
    SomeLabels,
    #[error("data.max_length is {length}, but the model writes at most {positions} tokens")]
    TooLong { length: usize, positions: usize },
    #[error("can't set {path}: {part} is a single value and has no settings of its own")]
    NotATable { path: String, part: String },
    #[error("--set {0}: expected KEY=VALUE, such as training.seed=1")]
    Set(String),
    #[error(
        "{} has a training with other settings ({}): give --output-dir another folder, or --overwrite-settings to go on \
         with the new ones",
        folder.display(),
        changed.join(", ")
    )]
    OtherSettings {
        folder: PathBuf,
        changed: Vec<String>,
    },
    #[error("{0:?} is no language; use codes such as fr_XX or fr")]
    Language(String),
    #[error(
        "data.languages names {}, but the model has no codes of languages and learns one; name one language",
        .0.join(", ")
    )]
    SeveralLanguages(Vec<String>),
    #[error("{} is used by another training that runs now", folder.display())]
    InUse { folder: PathBuf },
    #[error("can't write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Load(#[from] pretrained::LoadError),
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    #[error(transparent)]
    Data(#[from] datasets::Error),
    #[error(transparent)]
    Caption(#[from] captioning::Error),
    #[error(transparent)]
    Metrics(#[from] metrics::Error),
    #[error(transparent)]
    Training(#[from] training::TrainingError),
    #[error(transparent)]
    Output(#[from] report::OutputError),
}

impl Error {
    /// Says which file could not be written.
    pub(crate) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
