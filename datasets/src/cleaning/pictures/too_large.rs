use super::pixels;
use crate::cleaning::{PictureLimits, Sound};

/// What is too large about a picture. One that announces more pixels than allowed is not decoded and has this reason too.
pub(super) fn check(picture: &Sound, limits: &PictureLimits) -> Option<String> {
    let (width, height) = (picture.width, picture.height);
    if let Some(most) = limits.max_side.filter(|most| width.max(height) > *most) {
        return Some(format!("{width} x {height}: a side above {most}"));
    }
    let many = pixels(picture) > limits.max_pixels;
    many.then(|| format!("{width} x {height}: more than {} pixels", limits.max_pixels))
}
