//! What the programs of this workspace say of errors.

use std::error::Error;

/// An error and its causes, each once: some errors say their cause themselves.
pub fn message(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !message.contains(&reason) {
            message += &format!(": {reason}");
        }
        cause = error.source();
    }
    message
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
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn a_cause_that_was_said_is_not_repeated() {
        let cause = Layer("no such file", None);
        let middle = Layer("can't read a: no such file", Some(Box::new(cause)));
        let error = Layer("can't start", Some(Box::new(middle)));
        assert_eq!(message(&error), "can't start: can't read a: no such file");
    }
}
