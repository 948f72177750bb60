use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use report::{OutputError, name};

/// Why the program can't start: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Load(#[from] captioner::LoadError),
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error("can't start a thread")]
    Thread(#[source] io::Error),
    #[error("can't listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error("the file of keys, {}, has no key", name(.0))]
    NoKeys(PathBuf),
    #[error(
        "line {line} of the file of keys, {}, is not a key: expected at least 16 visible ASCII characters",
        name(.path)
    )]
    Key { path: PathBuf, line: usize },
    #[error("{0:?} is not an origin: expected one such as https://example.org, or *")]
    Origin(String),
    #[error("can't listen for signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
}
