use std::ops::Range;

/// The part of an image that its pixel values show, as [`ImageProcessor::shown`](super::ImageProcessor::shown) returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// In fractions of the height. What lies below 0 or above 1 is padding.
    pub rows: Range<f64>,
    /// In fractions of the width.
    pub columns: Range<f64>,
    /// Whether the image is turned by a quarter, clockwise, before everything else. Then `rows` and `columns` are those of
    /// the turned image.
    pub turned: bool,
}

impl Shown {
    /// All of an image, and nothing else.
    pub const WHOLE: Self = Self {
        rows: 0.0..1.0,
        columns: 0.0..1.0,
        turned: false,
    };
}
