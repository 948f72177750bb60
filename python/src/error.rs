//! Errors as the package's exceptions, which are defined in Python so that they travel between processes.

use std::error::Error as StdError;

use pyo3::PyErr;

pyo3::import_exception!(captioning._errors, ImageError);
pyo3::import_exception!(captioning._errors, ModelError);
pyo3::import_exception!(captioning._errors, OptionError);

/// A model that can't be loaded.
pub(crate) fn model(error: &captioning::Error) -> PyErr {
    match error {
        captioning::Error::UnknownLanguage { .. } => option(error),
        _ => ModelError::new_err(message(error)),
    }
}

/// A call with options that can't be used.
pub(crate) fn option(error: &(dyn StdError + 'static)) -> PyErr {
    OptionError::new_err(message(error))
}

/// A picture that can't be read, or for which no caption was found.
pub(crate) fn image(error: &(dyn StdError + 'static)) -> PyErr {
    ImageError::new_err(message(error))
}

/// What an error and its sources say.
fn message(error: &(dyn StdError + 'static)) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message += &format!(": {error}");
        source = error.source();
    }
    message
}
