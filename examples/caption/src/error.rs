use std::io;
use std::path::PathBuf;

/// Why nothing could be started: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error("--set: {0}")]
    Setting(String),
    #[error("--stream shows one caption per language, but --num-return-sequences is {0}")]
    Stream(usize),
    #[error("can't read the shortlist's text {path}: {source}")]
    Shortlist { path: PathBuf, source: io::Error },
    #[error("the shortlist's text {0} is empty: nothing could be written with its words")]
    EmptyShortlist(PathBuf),
    #[error("can't make the folder {path}: {source}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("can't write the captions: {0}")]
    Output(#[from] io::Error),
}

/// Why one picture has no caption.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error(transparent)]
    Decode(#[from] preprocess::Error),
    #[error("{picture}: {source}")]
    Caption {
        picture: PathBuf,
        source: Box<captioning::Error>,
    },
    #[error("can't write {path}: {source}")]
    Attention {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Of the output: the others can't be written either.
    #[error("can't write the captions: {0}")]
    Output(#[from] io::Error),
}
