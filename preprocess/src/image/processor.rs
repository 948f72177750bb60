use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::geometry::{CropAxis, center_crop, resized};
use super::resample::resize_window;
use super::{ImageProcessorConfig, RgbImage};
use crate::{Error, MAX_PIXELS};

/// Turns images into the input of a CLIP encoder, as Hugging Face's `CLIPImageProcessor` does on its PIL backend.
///
/// The values are equal, not only close: the resize is Pillow's (see [`resize`](super::resize)), and the arithmetic
/// after it has numpy's order and precision (the rescale in `f64`, rounded to `f32`, then mean and standard deviation in
/// `f32`).
#[derive(Clone, Debug)]
pub struct ImageProcessor {
    config: ImageProcessorConfig,
    /// The pixel value of each of the 256 grey levels, per channel.
    levels: Box<[[f32; 256]; 3]>,
}

/// Normalised pixels of a batch, ready to become a tensor of any framework.
///
/// `values` are contiguous in the order of `shape`, the last axis fastest:
///
/// ```text
/// Burn     Tensor::<4>::from_data(TensorData::new(pixels.values, pixels.shape), &device)
/// candle   Tensor::from_vec(pixels.values, pixels.shape.to_vec(), &device)?
/// ndarray  Array4::from_shape_vec(pixels.shape, pixels.values)?
/// ort      Tensor::from_array((pixels.shape, pixels.values))?
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PixelValues {
    /// All values: image by image, in an image channel by channel (red, green, blue), in a channel row by row.
    pub values: Vec<f32>,
    /// `[images, 3, height, width]`.
    pub shape: [usize; 4],
}

impl ImageProcessor {
    /// A processor with these options.
    ///
    /// # Errors
    /// [`Error::Config`] if [`ImageProcessorConfig::validate`] finds an option that can't be used.
    pub fn new(config: ImageProcessorConfig) -> Result<Self, Error> {
        config.validate()?;
        let levels = [0, 1, 2]
            .map(|channel| std::array::from_fn(|level| normalized(&config, channel, level as f64)));
        Ok(Self {
            config,
            levels: Box::new(levels),
        })
    }

    /// A processor with the options of a `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`Error::Read`] if the file can't be read; [`Error::File`] around [`Error::Json`] if it is not a JSON object, or
    /// around [`Error::Config`] if the value of an option can't be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::new(ImageProcessorConfig::from_file(path)?)
    }

    /// The options.
    pub fn config(&self) -> &ImageProcessorConfig {
        &self.config
    }

    /// Pixel values `[1, 3, height, width]` of one image.
    ///
    /// # Errors
    /// [`Error::ResultTooLarge`] if the result would have more than [`MAX_PIXELS`] pixels, which only happens to a very
    /// long image without a crop, or with an enormous `crop_size`.
    pub fn process(&self, image: &RgbImage) -> Result<PixelValues, Error> {
        self.process_batch(std::slice::from_ref(image))
    }

    /// Pixel values `[images, 3, height, width]` of a batch, computed in parallel on rayon's current threads.
    ///
    /// # Errors
    /// [`Error::ResultTooLarge`] if a result would have more than [`MAX_PIXELS`] pixels; [`Error::MixedSizes`] if the
    /// results differ in size, which a centre crop or an exact `size` prevents.
    pub fn process_batch(&self, images: &[RgbImage]) -> Result<PixelValues, Error> {
        let layouts: Vec<Layout> = images.iter().map(|image| self.layout(image)).collect();
        let [height, width] = layouts.first().map_or([0, 0], |layout| layout.kept);
        for (index, layout) in layouts.iter().enumerate() {
            if layout.kept != [height, width] {
                return Err(Error::MixedSizes {
                    first: [height, width],
                    index,
                    found: layout.kept,
                });
            }
        }
        if height.saturating_mul(width) > MAX_PIXELS {
            return Err(Error::ResultTooLarge { height, width });
        }
        // Both fit, since their product is at most `MAX_PIXELS`.
        let shape = [images.len(), 3, height as usize, width as usize];
        let image_values = shape[1] * shape[2] * shape[3];
        let mut values = vec![0.0; shape[0] * image_values];
        values
            .par_chunks_exact_mut(image_values.max(1))
            .zip(images)
            .zip(layouts)
            .try_for_each(|((values, image), layout)| self.fill(values, image, layout))?;
        Ok(PixelValues { values, shape })
    }

    /// The part of an image that its pixel values show, in fractions of its height and of its width. A centre crop cuts
    /// off the ends of the longer side; what lies below 0 or above 1 is padding.
    pub fn shown(&self, image: &RgbImage) -> [Range<f64>; 2] {
        let Layout {
            resized,
            kept,
            axes,
        } = self.layout(image);
        [0, 1].map(|axis| {
            let CropAxis { source, before } = &axes[axis];
            let fraction = |position: f64| position / resized[axis] as f64;
            let start = source.start as f64 - *before as f64;
            fraction(start)..fraction(start + kept[axis] as f64)
        })
    }

    /// The size of the resized image and the part of it that is kept.
    fn layout(&self, image: &RgbImage) -> Layout {
        let original = [image.height(), image.width()];
        let resized = if self.config.do_resize {
            resized(original, self.config.size)
        } else {
            original.map(u64::from)
        };
        let kept = if self.config.do_center_crop {
            let crop = self.config.crop_size;
            [crop.height.into(), crop.width.into()]
        } else {
            resized
        };
        Layout {
            resized,
            kept,
            axes: [0, 1].map(|axis| center_crop(resized[axis], kept[axis])),
        }
    }

    /// Writes the `[3, height, width]` values of one image.
    fn fill(&self, values: &mut [f32], image: &RgbImage, layout: Layout) -> Result<(), Error> {
        let width = layout.kept[1] as usize;
        let [rows, columns] = layout.axes;
        let (top, left) = (rows.before as usize, columns.before as usize);
        let shown = (columns.source.end - columns.source.start) as usize;
        let window = [rows.source, columns.source];
        let pixels = resize_window(image, layout.resized, window, self.config.resample)?;
        let plane = values.len() / 3;
        for (channel, (plane, levels)) in values
            .chunks_exact_mut(plane)
            .zip(&*self.levels)
            .enumerate()
        {
            // Black, not zero: padding is rescaled and normalised like any pixel.
            plane.fill(levels[0]);
            let lines = plane[top * width..].chunks_exact_mut(width);
            for (line, row) in lines.zip(pixels.chunks_exact(shown * 3)) {
                for (value, pixel) in line[left..].iter_mut().zip(row.chunks_exact(3)) {
                    *value = levels[usize::from(pixel[channel])];
                }
            }
        }
        Ok(())
    }
}

/// How one image is resized and cropped; all pairs are `[height, width]`.
struct Layout {
    resized: [u64; 2],
    kept: [u64; 2],
    axes: [CropAxis; 2],
}

/// The rescaled and normalised value of a grey level, rounded where numpy rounds.
fn normalized(config: &ImageProcessorConfig, channel: usize, level: f64) -> f32 {
    let factor = if config.do_rescale {
        config.rescale_factor
    } else {
        1.0
    };
    let value = (level * factor) as f32;
    if config.do_normalize {
        (value - config.image_mean[channel] as f32) / config.image_std[channel] as f32
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::CropSize;

    #[test]
    fn a_processor_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<ImageProcessor>();
    }

    #[test]
    fn the_shown_part_is_the_middle_or_has_padding_around_it() {
        let shown = |config, width, height| {
            let processor = ImageProcessor::new(config).unwrap();
            processor.shown(
                &RgbImage::new(width, height, vec![0; (width * height * 3) as usize]).unwrap(),
            )
        };
        let square = ImageProcessorConfig::square(8);
        assert_eq!(shown(square.clone(), 32, 16), [0.0..1.0, 0.25..0.75]);
        assert_eq!(shown(square.clone(), 5, 10), [0.25..0.75, 0.0..1.0]);
        let padded = ImageProcessorConfig {
            do_resize: false,
            ..square.clone()
        };
        assert_eq!(shown(padded, 4, 8), [0.0..1.0, -0.5..1.5]);
        let whole = ImageProcessorConfig {
            do_center_crop: false,
            ..square
        };
        assert_eq!(shown(whole, 4, 8), [0.0..1.0, 0.0..1.0]);
    }

    #[test]
    fn a_batch_is_its_images_one_after_the_other() {
        let processor = ImageProcessor::new(ImageProcessorConfig::square(5)).unwrap();
        let image = |level| RgbImage::new(9, 6, vec![level; 9 * 6 * 3]).unwrap();
        let images = [image(0), image(100), image(255)];
        let batch = processor.process_batch(&images).unwrap();
        assert_eq!(batch.shape, [3, 3, 5, 5]);
        for (image, values) in images.iter().zip(batch.values.chunks(75)) {
            assert_eq!(processor.process(image).unwrap().values, values);
        }
    }

    #[test]
    fn every_step_can_be_switched_off() {
        let config = ImageProcessorConfig {
            do_resize: false,
            do_center_crop: false,
            do_rescale: false,
            do_normalize: false,
            ..ImageProcessorConfig::default()
        };
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let pixels = ImageProcessor::new(config)
            .unwrap()
            .process(&image)
            .unwrap();
        assert_eq!(pixels.shape, [1, 3, 1, 2]);
        assert_eq!(pixels.values, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn padding_is_black() {
        let config = ImageProcessorConfig {
            do_resize: false,
            crop_size: CropSize {
                height: 2,
                width: 3,
            },
            ..ImageProcessorConfig::default()
        };
        let image = RgbImage::new(1, 1, vec![255; 3]).unwrap();
        let pixels = ImageProcessor::new(config)
            .unwrap()
            .process(&image)
            .unwrap();
        let black = (0.0 - 0.48145466f32) / 0.26862954f32;
        let white = (1.0 - 0.48145466f32) / 0.26862954f32;
        assert_eq!(
            pixels.values[..6],
            [black, black, black, black, white, black]
        );
    }
}
