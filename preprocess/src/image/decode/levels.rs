use image::DynamicImage;

use super::Alpha;
use crate::Error;
use crate::image::RgbImage;

/// 8-bit RGB as Pillow's `convert("RGB")` gives it: grey is repeated in all channels, 16-bit colour keeps its high byte.
pub(super) fn to_rgb(image: DynamicImage, alpha: Alpha) -> Result<RgbImage, Error> {
    let (width, height) = (image.width(), image.height());
    let same = |level: u8| level;
    let pixels = match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageRgb16(image) => map(image.as_raw(), |pixel| pixel.map(high_byte)),
        DynamicImage::ImageLuma8(image) => map(image.as_raw(), |[grey]| [grey; 3]),
        DynamicImage::ImageLuma16(image) => map(image.as_raw(), |[grey]| [clipped(grey); 3]),
        DynamicImage::ImageRgba8(image) => map(image.as_raw(), |pixel| blend(pixel, same, alpha)),
        DynamicImage::ImageRgba16(image) => {
            map(image.as_raw(), |pixel| blend(pixel, high_byte, alpha))
        }
        DynamicImage::ImageLumaA8(image) => {
            map(image.as_raw(), |[g, a]| blend([g, g, g, a], same, alpha))
        }
        DynamicImage::ImageLumaA16(image) => map(image.as_raw(), |[g, a]| {
            blend([g, g, g, a], high_byte, alpha)
        }),
        // Pillow has no floating-point colour (TIFF) to compare with; 0 to 1 becomes 0 to 255.
        other => other.into_rgb8().into_raw(),
    };
    RgbImage::new(width, height, pixels)
}

/// Converts every pixel of `C` channels.
fn map<T: Copy, const C: usize>(pixels: &[T], convert: impl Fn([T; C]) -> [u8; 3]) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<C>();
    pixels.iter().flat_map(|pixel| convert(*pixel)).collect()
}

/// The colour without its alpha, or blended onto a ground in the fixed-point arithmetic of Pillow's `AlphaComposite.c`.
fn blend<T: Copy>(pixel: [T; 4], level: fn(T) -> u8, alpha: Alpha) -> [u8; 3] {
    let [red, green, blue, opacity] = pixel.map(level);
    let ground = match alpha {
        Alpha::Drop => return [red, green, blue],
        Alpha::OverWhite => 255,
        Alpha::OverBlack => 0,
    };
    let opacity = u32::from(opacity);
    [red, green, blue].map(|level| {
        let sum = (u32::from(level) * opacity + ground * (255 - opacity)) * 128 + (128 << 7);
        // Divides by 255, exactly for all sums that occur.
        ((((sum >> 8) + sum) >> 8) >> 7) as u8
    })
}

/// Pillow keeps 16-bit grey as integers (modes `I;16` and `I`) and clips them when it converts them to 8 bits.
pub(super) fn clipped(level: u16) -> u8 {
    level.min(255) as u8
}

/// 16 bits to 8 without rounding, as Pillow reads colour.
pub(super) fn high_byte(level: u16) -> u8 {
    (level >> 8) as u8
}
