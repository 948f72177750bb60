use std::io;
use std::path::PathBuf;

use report::{OutputError, name};

/// Why the program can't start or can't go on: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Load(#[from] captioner::LoadError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error(transparent)]
    Data(#[from] datasets::Error),
    #[error("expected a language such as en_XX, en or English for {option}, found {text:?}")]
    Language { option: &'static str, text: String },
    #[error(
        "captions are in {first} and in {second}, but the model has no codes of languages and writes one; choose it with --lang"
    )]
    SeveralLanguages {
        first: &'static str,
        second: &'static str,
    },
    #[error("can't use the model of sentences in {}", name(.folder))]
    Punkt {
        folder: PathBuf,
        source: metrics::Error,
    },
    #[error("can't write {}", name(.path))]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Why a picture has no captions, or not all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error("can't be decoded")]
    Decode(#[from] preprocess::Error),
    #[error("can't be captioned")]
    Caption(#[from] captioning::Error),
    #[error(transparent)]
    Fault(#[from] report::Fault),
    #[error("can't be scored")]
    Score(#[from] metrics::Error),
    #[error("the search has found no caption")]
    NoCaption,
    #[error("the model does not write {0}")]
    Language(&'static str),
}
