use super::pixels;
use crate::cleaning::{PictureLimits, Sound};

/// What is too small about a picture.
pub(super) fn check(picture: &Sound, limits: &PictureLimits) -> Option<String> {
    let (width, height) = (picture.width, picture.height);
    if width.min(height) < limits.min_side {
        return Some(format!(
            "{width} x {height}: a side below {}",
            limits.min_side
        ));
    }
    let few = pixels(picture) < limits.min_pixels;
    few.then(|| {
        format!(
            "{width} x {height}: fewer than {} pixels",
            limits.min_pixels
        )
    })
}
