use crate::cleaning::{PictureLimits, Sound};

/// How much longer one side of a picture is than the other, if that is too much.
pub(super) fn check(picture: &Sound, limits: &PictureLimits) -> Option<String> {
    let (width, height) = (picture.width, picture.height);
    let (long, short) = (width.max(height), width.min(height));
    let most = limits.max_aspect_ratio?;
    let is_extreme = f64::from(long) > most * f64::from(short);
    is_extreme.then(|| format!("{width} x {height}: more than {most} to 1"))
}
