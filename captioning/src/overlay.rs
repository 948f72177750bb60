use std::ops::Range;

use preprocess::image::{
    ImageProcessor, ImageProcessorConfig, Resample, ResizeTo, RgbImage, resize,
};

use crate::{AttentionMap, Error};

/// The longer side of an overlay at most, in pixels.
const LONGEST: u32 = 512;

/// How much light is left where the model saw nothing.
const DIMMED: f32 = 0.35;

/// How much of the full heat's colour covers the image.
const OPACITY: f32 = 0.75;

/// Where a line of pixels lies between two lines of patches.
#[derive(Clone, Copy)]
struct Between {
    lower: usize,
    upper: usize,
    /// The upper one's weight, 0 to 1.
    weight: f32,
}

impl AttentionMap {
    /// The image with the patches' shares as heat over it, from nothing over red to amber; the
    /// patch with the largest share is the hottest, however small the share. What the preprocessing
    /// cuts off is dark. Between the centres of patches, shares are interpolated.
    ///
    /// `image` is the original and `processor` the captioner's
    /// ([`Captioner::image_processor`](crate::Captioner::image_processor)). The overlay has the
    /// image's shape, and at most 512 pixels on its longer side.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if the image can't be resized.
    ///
    /// # Panics
    /// If `patches` is not `[rows, columns]`.
    pub fn overlay(&self, image: &RgbImage, processor: &ImageProcessor) -> Result<RgbImage, Error> {
        let patches = self.rows * self.columns;
        assert_eq!(self.patches.len(), patches, "patches and shares differ");
        let small = shrunk(image)?;
        let (width, height) = (small.width(), small.height());
        let [kept_rows, kept_columns] = kept([image.height(), image.width()], processor.config());
        let lines = between(height, &kept_rows, self.rows);
        let columns = between(width, &kept_columns, self.columns);
        let largest = self.patches.iter().copied().fold(0.0, f32::max);

        let mut pixels = small.into_pixels();
        let places = lines
            .iter()
            .flat_map(|line| columns.iter().map(move |column| (*line, *column)));
        for (pixel, place) in pixels.chunks_exact_mut(3).zip(places) {
            match place {
                (Some(line), Some(column)) if largest > 0.0 => {
                    warm(pixel, self.interpolated(line, column) / largest);
                }
                (Some(_), Some(_)) => {}
                _ => blend(pixel, [0.0; 3], 1.0 - DIMMED),
            }
        }
        Ok(RgbImage::new(width, height, pixels)?)
    }

    /// The share at a place between four patches.
    fn interpolated(&self, line: Between, column: Between) -> f32 {
        let along = |row: usize| {
            let patch = |column: usize| self.patches[row * self.columns + column];
            mix(patch(column.lower), patch(column.upper), column.weight)
        };
        mix(along(line.lower), along(line.upper), line.weight)
    }
}

/// The image with at most [`LONGEST`] pixels on its longer side.
fn shrunk(image: &RgbImage) -> Result<RgbImage, Error> {
    let longest = image.width().max(image.height());
    if longest <= LONGEST {
        return Ok(image.clone());
    }
    let side = |side: u32| {
        let scaled = f64::from(side) * f64::from(LONGEST) / f64::from(longest);
        (scaled.round() as u32).max(1)
    };
    let (width, height) = (side(image.width()), side(image.height()));
    Ok(resize(image, width, height, Resample::Bicubic)?)
}

/// The part of rows and columns that the model sees of an image of `[height, width]`, as fractions
/// of its sides. It reaches beyond them where the preprocessing pads.
fn kept(image: [u32; 2], config: &ImageProcessorConfig) -> [Range<f64>; 2] {
    let resized = if config.do_resize {
        resized(image, config.size)
    } else {
        image.map(i64::from)
    };
    let crop = if config.do_center_crop {
        let crop = config.crop_size;
        [crop.height, crop.width].map(i64::from)
    } else {
        resized
    };
    [0, 1].map(|axis| {
        let (length, crop) = (resized[axis], crop[axis]);
        // Rounded down, also below zero: see Hugging Face's `center_crop`.
        let start = (length - crop).div_euclid(2);
        let fraction = |position: i64| position as f64 / length as f64;
        fraction(start)..fraction(start + crop)
    })
}

/// The `[height, width]` that the preprocessing resizes to; the long edge is truncated, as in
/// Hugging Face's `get_resize_output_image_size`.
fn resized(image: [u32; 2], to: ResizeTo) -> [i64; 2] {
    match to {
        ResizeTo::Exact { height, width } => [height.into(), width.into()],
        ResizeTo::ShortestEdge { shortest_edge } => {
            let short = image[0].min(image[1]);
            image.map(|side| i64::from(shortest_edge) * i64::from(side) / i64::from(short))
        }
    }
}

/// Where each of `length` lines of pixels lies between the `patches` lines of patches that cover
/// `kept`; `None` outside of it. Beyond the outermost centres, the outermost patch counts alone.
fn between(length: u32, kept: &Range<f64>, patches: usize) -> Vec<Option<Between>> {
    (0..length)
        .map(|line| {
            let centre = (f64::from(line) + 0.5) / f64::from(length);
            let last = patches.checked_sub(1)?;
            kept.contains(&centre).then(|| {
                let fraction = (centre - kept.start) / (kept.end - kept.start);
                let place = (fraction * patches as f64 - 0.5).clamp(0.0, last as f64);
                let lower = place as usize;
                Between {
                    lower,
                    upper: (lower + 1).min(last),
                    weight: (place - lower as f64) as f32,
                }
            })
        })
        .collect()
}

fn mix(from: f32, to: f32, weight: f32) -> f32 {
    from * (1.0 - weight) + to * weight
}

/// Colours a pixel by heat, 0 to 1. The hotter, the more yellow and the less of the image.
fn warm(pixel: &mut [u8], heat: f32) {
    blend(pixel, [255.0, 210.0 * heat, 0.0], OPACITY * heat);
}

fn blend(pixel: &mut [u8], colour: [f32; 3], weight: f32) {
    for (level, colour) in pixel.iter_mut().zip(colour) {
        *level = mix(f32::from(*level), colour, weight).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 6;
    const GREY: u8 = 128;

    /// Patches of 16 pixels, as the embedded model's.
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
    fn the_warmest_pixel_lies_in_the_patch_with_the_largest_share() {
        // Width, height, and left, top and side of the middle square, in pixels of the overlay.
        for (width, height, left, top, side) in [
            (300, 200, 50.0, 0.0, 200.0),
            (200, 300, 0.0, 50.0, 200.0),
            (240, 240, 0.0, 0.0, 240.0),
            (96, 96, 0.0, 0.0, 96.0),
            (2048, 1024, 128.0, 0.0, 256.0), // a quarter of it
        ] {
            let image = grey(width, height);
            for row in 0..SIDE {
                for column in 0..SIDE {
                    let overlay = one_patch(row, column)
                        .overlay(&image, &processor())
                        .unwrap();
                    let warmth = warmth(&overlay);
                    let warmest = warmth.iter().max().unwrap();
                    assert!(*warmest > 150, "{warmest}");
                    let place = warmth.iter().position(|warm| warm == warmest).unwrap();
                    let overlay_width = overlay.width() as usize;
                    let (x, y) = (place % overlay_width, place / overlay_width);
                    let patch = |pixel: usize, start: f64| {
                        ((pixel as f64 + 0.5 - start) / side * SIDE as f64) as usize
                    };
                    assert_eq!((patch(y, top), patch(x, left)), (row, column));
                }
            }
        }
    }

    #[test]
    fn heat_lies_where_the_preprocessing_puts_the_pixels_of_a_patch() {
        let processor = processor();
        for (width, height) in [(301, 200), (97, 220), (96, 96), (640, 479), (20, 17)] {
            // A white dot on black, in the middle square but off its centre.
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
            let place = plane.iter().position(|value| *value == brightest).unwrap();
            let (row, column) = (place / (16 * SIDE) / 16, place % (16 * SIDE) / 16);

            let overlay = one_patch(row, column).overlay(&image, &processor).unwrap();
            let warmth = warmth(&overlay);
            let (x, y) = (x * overlay.width() / width, y * overlay.height() / height);
            let here = warmth[(y * overlay.width() + x) as usize];
            // At worst in a corner of its patch, where four patches count alike.
            assert!(
                here >= warmth.iter().max().unwrap() / 6,
                "{width} x {height}"
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_dark_and_what_is_cold_is_as_it_was() {
        let overlay = one_patch(0, 0).overlay(&grey(300, 200), &processor());
        let overlay = overlay.unwrap();
        let at = |x: usize, y: usize| &overlay.pixels()[(y * 300 + x) * 3..][..3];
        let dark = (f32::from(GREY) * DIMMED).round() as u8;
        for x in [0, 49, 250, 299] {
            assert_eq!(at(x, 100), [dark; 3]);
        }
        for x in [150, 249] {
            assert_eq!(at(x, 150), [GREY; 3]);
        }
    }

    #[test]
    fn an_overlay_keeps_the_shape_and_has_at_most_512_pixels_on_a_side() {
        for (size, expected) in [
            ((512, 3), (512, 3)),
            ((513, 513), (512, 512)),
            ((1500, 1000), (512, 341)),
            ((10, 9000), (1, 512)),
        ] {
            let overlay = one_patch(2, 3).overlay(&grey(size.0, size.1), &processor());
            let overlay = overlay.unwrap();
            assert_eq!((overlay.width(), overlay.height()), expected);
        }
    }

    #[test]
    fn one_pixel_is_enough_and_no_share_is_no_heat() {
        let mut map = one_patch(5, 5);
        map.overlay(&grey(1, 1), &processor()).unwrap();
        map.patches.fill(0.0);
        let overlay = map.overlay(&grey(1, 1), &processor()).unwrap();
        assert_eq!(overlay, grey(1, 1));
    }

    #[test]
    fn padding_takes_its_part_of_the_patches() {
        let config = ImageProcessorConfig {
            do_resize: false,
            ..ImageProcessorConfig::square(96)
        };
        // 32 of 96 pixels: two patches in the middle of six.
        let processor = ImageProcessor::new(config).unwrap();
        let hottest = |column| {
            let overlay = one_patch(2, column).overlay(&grey(32, 32), &processor);
            warmth(&overlay.unwrap()).into_iter().max().unwrap()
        };
        assert!(hottest(2) > 150);
        assert_eq!(hottest(0), 0);
    }
}
