//! Whether the machine, and not a picture, is the reason that it can't be read.

use std::io;

use preprocess::Error;
use whole_files::ReadError;

/// Whether there is not enough memory, or too many files are open, so that another time the picture could be read.
pub(crate) fn is_short(error: &Error) -> bool {
    match error {
        Error::File { source, .. } => is_short(source),
        Error::OutOfMemory { .. } => true,
        Error::Read(ReadError::Io { source, .. }) => {
            // Too many open files, in this process or in all.
            source.kind() == io::ErrorKind::OutOfMemory
                || (cfg!(unix) && matches!(source.raw_os_error(), Some(23 | 24)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_memory_or_handles_is_told_from_a_bad_picture() {
        let read = |source| {
            Error::Read(ReadError::Io {
                path: "a.png".into(),
                source,
            })
        };
        let large = Error::OutOfMemory {
            width: 9,
            height: 9,
        };
        assert!(is_short(&read(io::ErrorKind::OutOfMemory.into())));
        assert!(is_short(&Error::File {
            path: "a.png".into(),
            source: Box::new(large)
        }));
        assert_eq!(
            is_short(&read(io::Error::from_raw_os_error(24))),
            cfg!(unix)
        );
        assert!(!is_short(&read(io::ErrorKind::NotFound.into())));
        assert!(!is_short(&Error::UnknownFormat { bytes: 3 }));
    }
}
