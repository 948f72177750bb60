//! What the Python package `captioning` is made of: a captioner whose calls release the interpreter's lock.
//!
//! The package's own files, in `captioning/`, are what users see; they check types and name arguments.

mod captioner;
mod error;
mod picture;
mod threads;

/// The native half of the package `captioning`.
#[pyo3::pymodule]
mod _captioning {
    #[pymodule_export]
    use crate::captioner::Captioner;
}
