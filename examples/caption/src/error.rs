use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use report::{Fault, OutputError, name};

use crate::inputs::Picture;

/// Why the program can't start or can't go on: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Load(#[from] captioner::LoadError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error("can't translate captions")]
    Translator(#[from] translation::Error),
    #[error(
        "--translate takes captions in one language, but {0} were asked for; name the one that the model reads with --lang"
    )]
    Translate(usize),
    #[error("--stream prints one caption per language, but num_return_sequences is {0}")]
    Stream(usize),
    #[error("can't read the text of the shortlist, {}", name(.path))]
    Shortlist { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error(
        "the text of the shortlist, {}, is empty, so no caption could be written with its tokens",
        name(.0)
    )]
    EmptyShortlist(PathBuf),
    #[error("can't create the folder {}", name(.path))]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "a picture from the standard input can't have a file in --output, since no later run could tell which one it was"
    )]
    StandardInput,
    #[error(transparent)]
    Outputs(#[from] crate::outputs::FolderError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Why one picture has no captions, or not all that was asked for. Pictures are named as text shows them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error("can't read the standard input")]
    Input(#[source] io::Error),
    #[error("the standard input is {0}")]
    InputStandIn(whole_files::StandIn),
    #[error("the standard input has more than the {limit} bytes that are read of a picture")]
    InputTooLarge { limit: u64 },
    #[error("can't use {picture}")]
    Decode {
        picture: String,
        source: preprocess::Error,
    },
    #[error("can't use {picture}: {reason}: {detail}")]
    Skipped {
        picture: String,
        reason: datasets::SkipReason,
        detail: String,
    },
    /// There may have been more pictures after it.
    #[error(transparent)]
    Lost(Arc<datasets::Error>),
    #[error("can't caption {picture}")]
    Caption {
        picture: String,
        source: Box<captioning::Error>,
    },
    #[error("can't translate the captions of {picture}")]
    Translation {
        picture: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("can't write {}", name(.path))]
    Attention {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("can't caption {picture}")]
    Fault { picture: String, source: Fault },
    /// Captions of other pictures can't be written either.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl PictureError {
    pub(crate) fn caption(picture: &Picture, source: captioning::Error) -> Self {
        Self::Caption {
            picture: picture.name(),
            source: Box::new(source),
        }
    }

    pub(crate) fn fault(picture: &Picture, source: Fault) -> Self {
        Self::Fault {
            picture: picture.name(),
            source,
        }
    }
}
