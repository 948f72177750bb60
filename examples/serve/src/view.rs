use captioning::{Captioner, RgbImage};
use serde::Serialize;

/// What the model sees of a picture.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct View {
    width: u32,
    height: u32,
    shown: Shown,
}

/// The part of a picture that the patches of `words` cover, in fractions of its width and height. What lies below 0 or
/// above 1 is padding.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
struct Shown {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl View {
    pub(crate) fn new(captioner: &Captioner, image: &RgbImage) -> Self {
        let [rows, columns] = captioner.image_processor().shown(image);
        Self {
            width: image.width(),
            height: image.height(),
            shown: Shown {
                left: columns.start,
                top: rows.start,
                right: columns.end,
                bottom: rows.end,
            },
        }
    }
}
