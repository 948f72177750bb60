use image::DynamicImage;

use crate::Error;
use crate::image::RgbImage;

/// 8-bit RGB as Pillow's `convert("RGB")`: alpha is dropped, not blended, and grey is repeated.
pub(super) fn to_rgb(image: DynamicImage) -> Result<RgbImage, Error> {
    let (width, height) = (image.width(), image.height());
    let pixels = match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageRgba8(image) => pick(image.as_raw(), 4, [0, 1, 2], |level| level),
        DynamicImage::ImageLuma8(image) => pick(image.as_raw(), 1, [0, 0, 0], |level| level),
        DynamicImage::ImageLumaA8(image) => pick(image.as_raw(), 2, [0, 0, 0], |level| level),
        DynamicImage::ImageRgb16(image) => pick(image.as_raw(), 3, [0, 1, 2], high_byte),
        DynamicImage::ImageRgba16(image) => pick(image.as_raw(), 4, [0, 1, 2], high_byte),
        DynamicImage::ImageLuma16(image) => pick(image.as_raw(), 1, [0, 0, 0], high_byte),
        DynamicImage::ImageLumaA16(image) => pick(image.as_raw(), 2, [0, 0, 0], high_byte),
        // Floating point pictures (TIFF) have no fixed meaning in Pillow; 0 to 1 is the range of 0 to 255 here.
        other => other.into_rgb8().into_raw(),
    };
    RgbImage::new(width, height, pixels)
}

/// The channels `order` of every pixel of `channels`, each converted to 8 bits.
fn pick<T: Copy>(pixels: &[T], channels: usize, order: [usize; 3], level: fn(T) -> u8) -> Vec<u8> {
    pixels
        .chunks_exact(channels)
        .flat_map(|pixel| order.map(|channel| level(pixel[channel])))
        .collect()
}

/// Sixteen bits to eight without rounding, as Pillow reads them.
fn high_byte(level: u16) -> u8 {
    (level >> 8) as u8
}
