use std::ops::Range;

use preprocess::image::{ImageProcessor, Resample, RgbImage, Shown, resize};

use crate::{AttentionMap, Error};

/// The largest side of an overlay, in pixels.
const LARGEST_SIDE: u32 = 512;

/// The brightness of what the preprocessing crops away, relative to the image's.
const DIMMED: f32 = 0.35;

/// The opacity of the colour of full heat.
const OPACITY: f32 = 0.75;

/// The position of a line of pixels between the centres of two lines of patches.
#[derive(Clone, Copy)]
struct Between {
    lower: usize,
    upper: usize,
    /// The weight of the upper line, 0 to 1.
    weight: f32,
}

/// Draws [`AttentionMap`]s on an image.
///
/// Weights are shown as heat, from transparent over red to amber. The patch with the largest weight has
/// full heat, however small its weight is. Between the centres of patches, weights are interpolated. What
/// the preprocessing crops away is darkened.
#[derive(Clone, Debug)]
pub struct Overlay {
    small: RgbImage,
    /// The part that the model sees.
    shown: Shown,
}

impl Overlay {
    /// Prepares to draw on `image`, the original. `processor` is that of the captioner,
    /// [`Captioner::image_processor`](crate::Captioner::image_processor). The result keeps the aspect ratio
    /// and has at most 512 pixels on its longer side.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if the image can't be resized.
    pub fn new(image: &RgbImage, processor: &ImageProcessor) -> Result<Self, Error> {
        Ok(Self {
            small: shrunk(image)?,
            shown: processor.shown(image),
        })
    }

    /// Returns the image with a map drawn on it.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if the result is not a valid image. An image that [`new`](Self::new) accepted
    /// always gives a valid one.
    ///
    /// # Panics
    /// If the length of the map's `patches` is not `rows * columns`.
    pub fn of(&self, map: &AttentionMap) -> Result<RgbImage, Error> {
        let patches = map.rows * map.columns;
        assert_eq!(
            map.patches.len(),
            patches,
            "expected rows * columns patches"
        );
        let (width, height) = (self.small.width(), self.small.height());
        // The model may see the image turned by a quarter; then a line of the map lies upright in the image.
        let [seen_height, seen_width] = match self.shown.turned {
            true => [width, height],
            false => [height, width],
        };
        let lines = between(seen_height, &self.shown.rows, map.rows);
        let columns = between(seen_width, &self.shown.columns, map.columns);
        let largest = map.patches.iter().copied().fold(0.0, f32::max);

        let mut pixels = self.small.pixels().to_vec();
        for (index, pixel) in pixels.chunks_exact_mut(3).enumerate() {
            let (row, column) = (index / width as usize, index % width as usize);
            let position = match self.shown.turned {
                true => (lines[column], columns[height as usize - 1 - row]),
                false => (lines[row], columns[column]),
            };
            match position {
                (Some(line), Some(column)) if largest > 0.0 => {
                    heat(pixel, interpolated(map, line, column) / largest);
                }
                (Some(_), Some(_)) => {}
                _ => blend(pixel, [0.0; 3], 1.0 - DIMMED),
            }
        }
        Ok(RgbImage::new(width, height, pixels)?)
    }
}

/// The weight at a position between four patches.
fn interpolated(map: &AttentionMap, line: Between, column: Between) -> f32 {
    let along = |row: usize| {
        let patch = |column: usize| map.patches[row * map.columns + column];
        mix(patch(column.lower), patch(column.upper), column.weight)
    };
    mix(along(line.lower), along(line.upper), line.weight)
}

/// The image with at most [`LARGEST_SIDE`] pixels on its longer side.
fn shrunk(image: &RgbImage) -> Result<RgbImage, Error> {
    let longest = image.width().max(image.height());
    if longest <= LARGEST_SIDE {
        return Ok(image.clone());
    }
    let side = |side: u32| {
        let scaled = f64::from(side) * f64::from(LARGEST_SIDE) / f64::from(longest);
        (scaled.round() as u32).max(1)
    };
    let (width, height) = (side(image.width()), side(image.height()));
    Ok(resize(image, width, height, Resample::Bicubic)?)
}

/// Returns, for each of `length` lines of pixels, its position between lines of patches. The `patches` lines
/// cover the fraction `shown` of the image; outside of it there is `None`. Beyond the centres of the outermost
/// patches, nothing is interpolated.
fn between(length: u32, shown: &Range<f64>, patches: usize) -> Vec<Option<Between>> {
    (0..length)
        .map(|line| {
            let centre = (f64::from(line) + 0.5) / f64::from(length);
            let last = patches.checked_sub(1)?;
            shown.contains(&centre).then(|| {
                let fraction = (centre - shown.start) / (shown.end - shown.start);
                let position = (fraction * patches as f64 - 0.5).clamp(0.0, last as f64);
                let lower = position as usize;
                Between {
                    lower,
                    upper: (lower + 1).min(last),
                    weight: (position - lower as f64) as f32,
                }
            })
        })
        .collect()
}

fn mix(from: f32, to: f32, weight: f32) -> f32 {
    from * (1.0 - weight) + to * weight
}

/// Colours a pixel by heat, 0 to 1. More heat is more yellow and more opaque.
fn heat(pixel: &mut [u8], heat: f32) {
    blend(pixel, [255.0, 210.0 * heat, 0.0], OPACITY * heat);
}

fn blend(pixel: &mut [u8], colour: [f32; 3], weight: f32) {
    for (level, colour) in pixel.iter_mut().zip(colour) {
        *level = mix(f32::from(*level), colour, weight).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use preprocess::image::{ImageProcessorClass, ImageProcessorConfig, ResizeTo};

    use super::*;

    const SIDE: usize = 6;
    const GREY: u8 = 128;

    /// Patches of 16 pixels, as the embedded model has them.
    fn processor() -> ImageProcessor {
        ImageProcessor::new(ImageProcessorConfig::square(16 * SIDE as u32)).unwrap()
    }

    fn one_patch(row: usize, column: usize) -> AttentionMap {
        let mut patches = vec![0.0; SIDE * SIDE];
        patches[row * SIDE + column] = 0.3;
        AttentionMap {
            word: "dog".into(),
            tokens: 2..3,
            rows: SIDE,
            columns: SIDE,
            patches,
            class_token: 0.7,
        }
    }

    fn overlay(map: &AttentionMap, image: &RgbImage, processor: &ImageProcessor) -> RgbImage {
        Overlay::new(image, processor).unwrap().of(map).unwrap()
    }

    fn grey(width: u32, height: u32) -> RgbImage {
        let bytes = width as usize * height as usize * 3;
        RgbImage::new(width, height, vec![GREY; bytes]).unwrap()
    }

    /// How much redder than blue a pixel is, `[height, width]`.
    fn warmth(image: &RgbImage) -> Vec<i32> {
        let pixels = image.pixels().chunks_exact(3);
        pixels
            .map(|pixel| i32::from(pixel[0]) - i32::from(pixel[2]))
            .collect()
    }

    #[test]
    fn the_warmest_pixel_lies_in_the_patch_with_the_largest_weight() {
        // Width and height of the image; left, top and side of the central square in the overlay.
        for (width, height, left, top, side) in [
            (300, 200, 50.0, 0.0, 200.0),
            (200, 300, 0.0, 50.0, 200.0),
            (240, 240, 0.0, 0.0, 240.0),
            (96, 96, 0.0, 0.0, 96.0),
            (2048, 1024, 128.0, 0.0, 256.0), // drawn at a quarter of the size
        ] {
            let image = grey(width, height);
            for row in 0..SIDE {
                for column in 0..SIDE {
                    let drawn = overlay(&one_patch(row, column), &image, &processor());
                    let warmth = warmth(&drawn);
                    let warmest = warmth.iter().max().unwrap();
                    assert!(*warmest > 150, "{warmest}");
                    let pixel = warmth.iter().position(|warm| warm == warmest).unwrap();
                    let drawn_width = drawn.width() as usize;
                    let (x, y) = (pixel % drawn_width, pixel / drawn_width);
                    let patch = |line: usize, start: f64| {
                        ((line as f64 + 0.5 - start) / side * SIDE as f64) as usize
                    };
                    assert_eq!((patch(y, top), patch(x, left)), (row, column));
                }
            }
        }
    }

    #[test]
    fn heat_is_drawn_where_the_pixels_of_a_patch_come_from() {
        let processor = processor();
        for (width, height) in [(301, 200), (97, 220), (96, 96), (640, 479), (20, 17)] {
            // A white pixel on black, in the central square but not at its centre.
            let (x, y) = (
                width / 2 + height.min(width) / 4,
                height / 2 - height.min(width) / 4,
            );
            let mut pixels = vec![0; (width * height * 3) as usize];
            let start = ((y * width + x) * 3) as usize;
            pixels[start..start + 3].fill(255);
            let image = RgbImage::new(width, height, pixels).unwrap();

            let seen = processor.process(&image).unwrap();
            let plane = &seen.values[..seen.values.len() / 3];
            let brightest = plane.iter().copied().fold(f32::MIN, f32::max);
            let pixel = plane.iter().position(|value| *value == brightest).unwrap();
            let (row, column) = (pixel / (16 * SIDE) / 16, pixel % (16 * SIDE) / 16);

            let drawn = overlay(&one_patch(row, column), &image, &processor);
            let warmth = warmth(&drawn);
            let (x, y) = (x * drawn.width() / width, y * drawn.height() / height);
            let here = warmth[(y * drawn.width() + x) as usize];
            // At worst it lies in a corner of its patch, where four patches have the same weight.
            assert!(
                here >= warmth.iter().max().unwrap() / 6,
                "{width} x {height}"
            );
        }
    }

    #[test]
    fn what_is_cropped_away_is_dark_and_what_has_no_weight_is_unchanged() {
        let drawn = overlay(&one_patch(0, 0), &grey(300, 200), &processor());
        let at = |x: usize, y: usize| &drawn.pixels()[(y * 300 + x) * 3..][..3];
        let dark = (f32::from(GREY) * DIMMED).round() as u8;
        for x in [0, 49, 250, 299] {
            assert_eq!(at(x, 100), [dark; 3]);
        }
        for x in [150, 249] {
            assert_eq!(at(x, 150), [GREY; 3]);
        }
    }

    #[test]
    fn an_overlay_keeps_the_aspect_ratio_and_has_at_most_512_pixels_on_a_side() {
        for (size, expected) in [
            ((512, 3), (512, 3)),
            ((513, 513), (512, 512)),
            ((1500, 1000), (512, 341)),
            ((10, 9000), (1, 512)),
        ] {
            let drawn = overlay(&one_patch(2, 3), &grey(size.0, size.1), &processor());
            assert_eq!((drawn.width(), drawn.height()), expected);
        }
    }

    #[test]
    fn one_pixel_is_enough_and_a_map_without_weights_changes_nothing() {
        let mut map = one_patch(5, 5);
        overlay(&map, &grey(1, 1), &processor());
        map.patches.fill(0.0);
        let drawn = overlay(&map, &grey(1, 1), &processor());
        assert_eq!(drawn, grey(1, 1));
    }

    #[test]
    fn patches_of_padding_are_not_drawn() {
        let config = ImageProcessorConfig {
            do_resize: false,
            ..ImageProcessorConfig::square(96)
        };
        // The image is 32 of 96 pixels wide: two patches in the middle of six.
        let processor = ImageProcessor::new(config).unwrap();
        let hottest = |column| {
            let drawn = overlay(&one_patch(2, column), &grey(32, 32), &processor);
            warmth(&drawn).into_iter().max().unwrap()
        };
        assert!(hottest(2) > 150);
        assert_eq!(hottest(0), 0);
    }

    #[test]
    fn heat_of_a_turned_image_is_drawn_where_its_pixels_come_from() {
        let mut config = ImageProcessorClass::Donut.defaults();
        config.size = ResizeTo::Exact {
            height: 96,
            width: 48,
        };
        config.do_align_long_axis = true;
        let processor = ImageProcessor::new(config).unwrap();
        let image = grey(192, 96);
        // Turned clockwise, its top left corner is at the top right, and its bottom left corner at the top left.
        for (row, column, (x, y)) in [(0, 2, (0, 0)), (0, 0, (0, 95)), (5, 2, (191, 0))] {
            let mut map = one_patch(0, 0);
            map.columns = 3;
            map.patches = vec![0.0; SIDE * 3];
            map.patches[row * 3 + column] = 0.3;
            let warmth = warmth(&overlay(&map, &image, &processor));
            assert!(warmth[y * 192 + x] > 150, "patch {row}, {column}");
        }
    }
}
