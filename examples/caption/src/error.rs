use std::io;
use std::path::PathBuf;

/// Why the program can't start or can't go on: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error("--set can't be used")]
    Setting(#[source] captioning::ConfigError),
    #[error("--stream prints one caption per language, but --num-return-sequences is {0}")]
    Stream(usize),
    #[error("can't read the text of the shortlist, {path}")]
    Shortlist { path: PathBuf, source: io::Error },
    #[error(
        "the text of the shortlist, {0}, is empty, so no caption could be written with its tokens"
    )]
    EmptyShortlist(PathBuf),
    #[error("can't create the folder {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("can't write the captions")]
    Output(#[from] io::Error),
}

/// Why one picture has no captions, or not all that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error(transparent)]
    Decode(#[from] preprocess::Error),
    #[error("can't caption {picture}")]
    Caption {
        picture: PathBuf,
        source: Box<captioning::Error>,
    },
    #[error("can't write {path}")]
    Attention {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Captions of other pictures can't be written either.
    #[error("can't write the captions")]
    Output(#[from] io::Error),
}
