use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::StandIn;

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system can't open or read it.
    #[error("can't read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It is a pipe, a device or a socket, which may never end.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// It is larger than any file of its kind should be.
    #[error("{path} has {bytes} bytes, more than the {limit} that are read of such a file")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// It has something else in its place.
    #[error("{path} is {found}")]
    StandIn {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: StandIn,
    },
    /// It should be text and is not.
    #[error("{path} is not UTF-8 text: byte {position} is not part of a character")]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where the first invalid byte is, from 0.
        position: usize,
    },
}

impl ReadError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::NotRegular { path }
            | Self::TooLarge { path, .. }
            | Self::StandIn { path, .. }
            | Self::NotText { path, .. } => path,
        }
    }

    /// Whether the file does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == ErrorKind::NotFound)
    }
}

/// Opens a regular file. A link to one is followed.
///
/// # Errors
/// [`ReadError::Io`] if it can't be opened or is a folder, [`ReadError::NotRegular`] if it is a pipe, a device or a
/// socket.
pub fn open(path: impl AsRef<Path>) -> Result<(File, Metadata), ReadError> {
    let path = path.as_ref();
    let io = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let regular = |metadata: &Metadata| match metadata {
        _ if metadata.is_dir() => Err(io(ErrorKind::IsADirectory.into())),
        _ if metadata.is_file() => Ok(()),
        _ => Err(ReadError::NotRegular {
            path: path.to_owned(),
        }),
    };
    // Before it is opened, because to open a pipe waits for a writer, and after, because another file may have taken
    // its place in between.
    regular(&fs::metadata(path).map_err(io)?)?;
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    regular(&metadata)?;
    Ok((file, metadata))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// - [`ReadError::Io`] if it can't be read or is a folder, [`ReadError::NotRegular`] if it is a pipe, a device or a
///   socket.
/// - [`ReadError::TooLarge`] if it has more than `limit` bytes; no memory of that size was allocated.
/// - [`ReadError::StandIn`] if it is what is left in place of a file that was not downloaded.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, ReadError> {
    let path = path.as_ref();
    let too_large = |bytes| ReadError::TooLarge {
        path: path.to_owned(),
        bytes,
        limit,
    };
    let (file, metadata) = open(path)?;
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    let io = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(metadata.len()).unwrap_or(usize::MAX))
        .map_err(|_| io(ErrorKind::OutOfMemory.into()))?;
    // Files under /proc say that they are empty, and others may grow.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    match StandIn::recognise(&bytes) {
        Some(found) => Err(ReadError::StandIn {
            path: path.to_owned(),
            found,
        }),
        None => Ok(bytes),
    }
}

/// Reads a regular file of at most `limit` bytes of UTF-8.
///
/// # Errors
/// Those of [`read`], and [`ReadError::NotText`] if it is not UTF-8.
pub fn read_text(path: impl AsRef<Path>, limit: u64) -> Result<String, ReadError> {
    let path = path.as_ref();
    String::from_utf8(read(path, limit)?).map_err(|error| ReadError::NotText {
        path: path.to_owned(),
        position: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_above_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        let error = read(&path, 3).unwrap_err();
        assert!(
            matches!(
                error,
                ReadError::TooLarge {
                    bytes: 4,
                    limit: 3,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_and_a_folder_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            read(folder.path().join("none"), 9)
                .unwrap_err()
                .is_not_found()
        );
        let error = read(folder.path(), 9).unwrap_err();
        assert!(matches!(error, ReadError::Io { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_pipe_are_refused_before_they_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [Path::new("/dev/zero"), &pipe] {
            let error = read(path, 9).unwrap_err();
            assert!(matches!(error, ReadError::NotRegular { .. }), "{error}");
        }
    }

    #[test]
    fn what_stands_in_place_of_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        for (content, expected) in [
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:0",
                StandIn::GitLfsPointer,
            ),
            ("\u{feff}\n <!DOCTYPE HTML><html>", StandIn::WebPage),
            ("<html lang=en>", StandIn::WebPage),
        ] {
            fs::write(&path, content).unwrap();
            let error = read(&path, 99).unwrap_err();
            assert!(
                matches!(error, ReadError::StandIn { found, .. } if found == expected),
                "{error}"
            );
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_position() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path, 9).unwrap_err();
        assert!(
            matches!(error, ReadError::NotText { position: 2, .. }),
            "{error}"
        );
    }
}
