//! Image-text data sets: images with captions in one or several languages.

mod example;

pub use example::{Caption, Example, ImageSource, Origin};
