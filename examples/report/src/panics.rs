use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// A panic, as an error.
#[derive(Debug, thiserror::Error)]
#[error("this is a fault in the program, please report it: {0}")]
pub struct Fault(String);

impl Fault {
    /// A panic with this message, which another thread had.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Does some work and returns a panic in it as an error, so that work on other things can go on.
///
/// # Errors
/// [`Fault`] with the message of the panic.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    // What the work has changed when it panics is either dropped with it or not used again.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Fault(text(panic.as_ref())))
}

/// Lets [`catch`] alone report panics. With `RUST_BACKTRACE` they are also printed where they happen.
pub(crate) fn silence() {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        panic::set_hook(Box::new(|_| ()));
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let error = catch(|| panic!("index {} is too large", 3)).unwrap_err();
        assert!(error.to_string().ends_with("index 3 is too large"));
        assert_eq!(catch(|| 1).unwrap(), 1);
    }
}
