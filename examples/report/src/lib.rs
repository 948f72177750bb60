//! How the programs of this workspace print errors.

use std::error::Error;
use std::iter::successors;

/// An error and its sources, joined. An error's own message does not repeat its source.
pub fn message(error: &dyn Error) -> String {
    let mut messages = vec![error.to_string()];
    let sources = successors(error.source(), |source| (*source).source());
    messages.extend(sources.map(ToString::to_string));
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn a_message_has_all_sources() {
        let source = Layer("no such file", None);
        let middle = Layer("can't read a", Some(Box::new(source)));
        let error = Layer("can't start", Some(Box::new(middle)));
        assert_eq!(message(&error), "can't start: can't read a: no such file");
    }
}
