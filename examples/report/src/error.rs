use std::error::Error;
use std::iter::successors;
use std::path::Path;

use crate::name;

/// An error and its sources, joined. An error's own message does not repeat its source.
pub fn message(error: &dyn Error) -> String {
    let mut messages = vec![error.to_string()];
    let sources = successors(error.source(), |source| (*source).source());
    messages.extend(sources.map(ToString::to_string));
    messages.join(": ")
}

/// The message of an error about a file, in which the file has its [`name`].
///
/// Libraries show paths as the standard library does, with U+FFFD in place of all bytes that are not UTF-8, so that the
/// names of different files can look the same.
pub fn message_about(error: &dyn Error, path: &Path) -> String {
    let (message, shown) = (message(error), path.display().to_string());
    match name(path) {
        name if name != shown && !shown.is_empty() => message.replace(&shown, &name),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(String, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(&self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn a_message_has_all_sources() {
        let source = Layer("no such file".into(), None);
        let middle = Layer("can't read a".into(), Some(Box::new(source)));
        let error = Layer("can't start".into(), Some(Box::new(middle)));
        assert_eq!(message(&error), "can't start: can't read a: no such file");
    }

    #[cfg(unix)]
    #[test]
    fn a_message_about_a_file_has_its_exact_name() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let path = Path::new(OsStr::from_bytes(b"d/bad\xff.png"));
        let error = Layer(format!("can't use {}", path.display()), None);
        assert_eq!(message_about(&error, path), r"can't use d/bad\xff.png");
    }
}
