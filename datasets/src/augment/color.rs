use preprocess::Error;
use preprocess::image::RgbImage;

use super::{ColorJitter, Random};

/// Changes brightness, contrast, saturation and hue in any order.
pub(super) fn jitter(
    options: &ColorJitter,
    image: RgbImage,
    random: &mut Random,
) -> Result<RgbImage, Error> {
    let mut order = [0, 1, 2, 3];
    for last in (1..order.len()).rev() {
        order.swap(last, random.below(last + 1));
    }
    let mut factor = |part: f64| random.between((1.0 - part).max(0.0), 1.0 + part) as f32;
    let brightness = factor(options.brightness);
    let contrast = factor(options.contrast);
    let saturation = factor(options.saturation);
    let hue = random.between(-options.hue, options.hue) as f32;
    change(image, |pixels| {
        for step in order {
            match step {
                0 if brightness != 1.0 => each(pixels, |[r, g, b]| {
                    [r, g, b].map(|value| value * brightness)
                }),
                1 if contrast != 1.0 => {
                    let sum: f64 = pixels.iter().map(|pixel| f64::from(luma(*pixel))).sum();
                    let mean = (sum / pixels.len() as f64) as f32;
                    each(pixels, |pixel| {
                        pixel.map(|value| blend(value, mean, contrast))
                    });
                }
                2 if saturation != 1.0 => each(pixels, |pixel| {
                    let gray = luma(pixel);
                    pixel.map(|value| blend(value, gray, saturation))
                }),
                3 if hue != 0.0 => each(pixels, |pixel| turned(pixel, hue)),
                _ => {}
            }
        }
    })
}

/// The image without colours.
pub(super) fn gray(image: RgbImage) -> Result<RgbImage, Error> {
    change(image, |pixels| {
        each(pixels, |pixel| [luma(pixel).round(); 3])
    })
}

fn change(image: RgbImage, change: impl FnOnce(&mut [[u8; 3]])) -> Result<RgbImage, Error> {
    let (width, height) = (image.width(), image.height());
    let mut bytes = image.into_pixels();
    change(bytes.as_chunks_mut().0);
    RgbImage::new(width, height, bytes)
}

fn each(pixels: &mut [[u8; 3]], change: impl Fn([f32; 3]) -> [f32; 3]) {
    for pixel in pixels {
        // A conversion to u8 keeps to its limits.
        *pixel = change(pixel.map(f32::from)).map(|value| value.round() as u8);
    }
}

fn blend(value: f32, other: f32, factor: f32) -> f32 {
    other + (value - other) * factor
}

/// Grey as ITU-R 601 weighs colours, which Pillow and torchvision do.
fn luma<T: Into<f32>>([red, green, blue]: [T; 3]) -> f32 {
    0.299 * red.into() + 0.587 * green.into() + 0.114 * blue.into()
}

/// A colour whose hue is turned by a part of the circle (hue, saturation and value; Smith 1978).
fn turned([red, green, blue]: [f32; 3], turn: f32) -> [f32; 3] {
    let value = red.max(green).max(blue);
    let spread = value - red.min(green).min(blue);
    if spread == 0.0 {
        return [red, green, blue];
    }
    let sixth = if value == red {
        (green - blue) / spread
    } else if value == green {
        2.0 + (blue - red) / spread
    } else {
        4.0 + (red - green) / spread
    };
    let sixth = (sixth + turn * 6.0).rem_euclid(6.0);
    [5.0, 3.0, 1.0].map(|offset| {
        let place = (offset + sixth).rem_euclid(6.0);
        value - spread * place.min(4.0 - place).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_circle_takes_red_to_green_and_back() {
        let green = turned([200.0, 10.0, 10.0], 1.0 / 3.0);
        for (value, expected) in green.iter().zip([10.0, 200.0, 10.0]) {
            assert!((value - expected).abs() < 0.01, "{green:?}");
        }
        let back = turned(green, -1.0 / 3.0);
        for (value, expected) in back.iter().zip([200.0, 10.0, 10.0]) {
            assert!((value - expected).abs() < 0.01, "{back:?}");
        }
    }

    #[test]
    fn grey_is_weighted() {
        let image = RgbImage::new(1, 1, vec![255, 0, 0]).unwrap();
        assert_eq!(gray(image).unwrap().pixels(), [76; 3]);
    }
}
