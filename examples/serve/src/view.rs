//! What the model sees of a picture.

use captioning::{Captioner, RgbImage};
use serde::Serialize;

/// The size of a picture, and the part of it that attention maps are about.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct View {
    width: u32,
    height: u32,
    shown: ShownRecord,
}

/// The part of a picture that the model sees, in fractions of its width and height. What lies below 0 or above 1 is
/// padding.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ShownRecord {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// Whether the model sees the picture turned by a quarter, clockwise. Then all of the above is about the turned one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    turned: bool,
}

impl View {
    pub(crate) fn new(captioner: &Captioner, image: &RgbImage) -> Self {
        let shown = captioner.image_processor().shown(image);
        Self {
            width: image.width(),
            height: image.height(),
            shown: ShownRecord {
                left: shown.columns.start,
                top: shown.rows.start,
                right: shown.columns.end,
                bottom: shown.rows.end,
                turned: shown.turned,
            },
        }
    }
}
