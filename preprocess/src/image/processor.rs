use std::path::Path;

use rayon::prelude::*;

use super::geometry::CropAxis;
use super::layout::Layout;
use super::resample::resize_window;
use super::{Backend, ImageProcessorConfig, Resample, RgbImage, Shown};
use crate::Error;

/// Turns images into the input of an encoder, as the Hugging Face class of its configuration does.
///
/// With [`Backend::Pil`] the values are equal, not only close: the resize is Pillow's (see [`resize`](super::resize)), and
/// the arithmetic after it has numpy's order and precision (the rescale in `f64`, rounded to `f32`, then mean and standard
/// deviation in `f32`). With the other backends, the pixels are equal, and the values but for the last bit.
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
    /// [`Error::Read`] if the file can't be read; [`Error::File`] around [`Error::Json`] if it is not a JSON object,
    /// around [`Error::UnknownImageProcessor`] if it names a class that is not known, or around [`Error::Config`] if the
    /// value of an option can't be used.
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
    /// - [`Error::ResultTooLarge`] if the result would have more pixels than the image and than
    ///   [`ImageProcessorConfig::MAX_RESULT_PIXELS`], which only happens to a very long image without a crop, or if an
    ///   image between Donut's two resizes, or between the two passes of torchvision's, would be too large; nothing of that
    ///   size is allocated.
    /// - [`Error::Config`] if the options make nothing of this image: a side would vanish, or padding would have to be
    ///   negative.
    pub fn process(&self, image: &RgbImage) -> Result<PixelValues, Error> {
        self.process_batch(std::slice::from_ref(image))
    }

    /// Pixel values `[images, 3, height, width]` of a batch, computed in parallel on rayon's current threads.
    ///
    /// # Errors
    /// - [`Error::MixedSizes`] if the results differ in size, which a centre crop, padding or an exact `size` prevents.
    /// - [`Error::ResultTooLarge`] if a result would have more pixels than its image and than
    ///   [`ImageProcessorConfig::MAX_RESULT_PIXELS`], or if an image between Donut's two resizes, or between the two passes
    ///   of torchvision's, would be too large.
    /// - [`Error::Config`] if the options make nothing of an image: a side would vanish, or padding would have to be
    ///   negative.
    pub fn process_batch(&self, images: &[RgbImage]) -> Result<PixelValues, Error> {
        let layout = |image| Layout::new(&self.config, image);
        let layouts: Vec<Layout> = images.iter().map(layout).collect::<Result<_, _>>()?;
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
        // Both fit, since a layout bounds their product.
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

    /// The part of an image that its pixel values show. A centre crop cuts off the ends of the longer side, padding adds
    /// to them. An image that [`process`](Self::process) refuses is shown as a whole.
    pub fn shown(&self, image: &RgbImage) -> Shown {
        let Ok(layout) = Layout::new(&self.config, image) else {
            return Shown::WHOLE;
        };
        let [rows, columns] = [0, 1].map(|axis| {
            let CropAxis { source, before } = &layout.axes[axis];
            let fraction = |position: f64| position / layout.resized[axis] as f64;
            let start = source.start as f64 - *before as f64;
            fraction(start)..fraction(start + layout.kept[axis] as f64)
        });
        Shown {
            rows,
            columns,
            turned: layout.turned,
        }
    }

    /// Writes the `[3, height, width]` values of one image.
    fn fill(&self, values: &mut [f32], image: &RgbImage, layout: Layout) -> Result<(), Error> {
        let width = layout.kept[1] as usize;
        let pixels = self.kept_pixels(image, &layout)?;
        let [rows, columns] = layout.axes;
        let (top, left) = (rows.before as usize, columns.before as usize);
        let shown = (columns.source.end - columns.source.start) as usize;
        let plane = values.len() / 3;
        for (channel, (plane, levels)) in values
            .chunks_exact_mut(plane)
            .zip(&*self.levels)
            .enumerate()
        {
            // Black, not zero: padding is rescaled and normalised like any pixel.
            plane.fill(levels[0]);
            if pixels.is_empty() {
                continue; // A crop of nothing but padding.
            }
            let lines = plane[top * width..].chunks_exact_mut(width);
            for (line, row) in lines.zip(pixels.chunks_exact(shown * 3)) {
                for (value, pixel) in line[left..].iter_mut().zip(row.chunks_exact(3)) {
                    *value = levels[usize::from(pixel[channel])];
                }
            }
        }
        Ok(())
    }

    /// The pixels of the image that its result shows, row after row, without padding.
    fn kept_pixels(&self, image: &RgbImage, layout: &Layout) -> Result<Vec<u8>, Error> {
        let (filter, backend) = (self.config.resample, self.config.resize_backend);
        let window = |axes: &[CropAxis; 2]| axes.each_ref().map(|axis| axis.source.clone());
        let mut changed = layout.turned.then(|| image.turned_clockwise());
        if let Some(size) = layout.between {
            let image = changed.as_ref().unwrap_or(image);
            let pixels = resize_window(image, size, size.map(|side| 0..side), filter, backend)?;
            // Both fit, since a layout bounds their product.
            changed = Some(RgbImage::new(size[1] as u32, size[0] as u32, pixels)?);
        }
        let image = changed.as_ref().unwrap_or(image);
        let filter = match filter {
            // Hugging Face's Donut takes the number of this filter, 0, for none.
            Resample::Nearest if layout.is_thumbnail => Resample::Bicubic,
            filter => filter,
        };
        resize_window(image, layout.resized, window(&layout.axes), filter, backend)
    }
}

/// The rescaled and normalised value of a grey level, rounded where the backend rounds.
fn normalized(config: &ImageProcessorConfig, channel: usize, level: f64) -> f32 {
    let factor = if config.do_rescale {
        config.rescale_factor
    } else {
        1.0
    };
    let (mean, std) = (
        config.image_mean[channel] as f32,
        config.image_std[channel] as f32,
    );
    match config.resize_backend {
        // numpy multiplies in `f64`.
        Backend::Pil => {
            let value = (level * factor) as f32;
            match config.do_normalize {
                true => (value - mean) / std,
                false => value,
            }
        }
        // Hugging Face scales mean and standard deviation instead of the pixels.
        Backend::Torchvision => {
            let scale = (1.0 / factor) as f32;
            match config.do_normalize {
                true => (level as f32 - mean * scale) / (std * scale),
                false => level as f32 * factor as f32,
            }
        }
        // `ConvertImageDtype` divides.
        Backend::TorchvisionWithoutAntialias => {
            let value = level as f32 / (1.0 / factor) as f32;
            match config.do_normalize {
                true => (value - mean) / std,
                false => value,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{CropSize, ImageProcessorClass, ResizeTo};

    #[test]
    fn a_processor_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<ImageProcessor>();
    }

    #[test]
    fn the_shown_part_is_the_middle_or_has_padding_around_it() {
        let shown = |config, width, height| {
            let processor = ImageProcessor::new(config).unwrap();
            let black = vec![0; (width * height * 3) as usize];
            processor.shown(&RgbImage::new(width, height, black).unwrap())
        };
        let part = |rows, columns| Shown {
            rows,
            columns,
            turned: false,
        };
        let square = ImageProcessorConfig::square(8);
        let middle = part(0.0..1.0, 0.25..0.75);
        assert_eq!(shown(square.clone(), 32, 16), middle);
        let middle = part(0.25..0.75, 0.0..1.0);
        assert_eq!(shown(square.clone(), 5, 10), middle);
        let padded = ImageProcessorConfig {
            do_resize: false,
            ..square.clone()
        };
        assert_eq!(shown(padded, 4, 8), part(0.0..1.0, -0.5..1.5));
        let whole = ImageProcessorConfig {
            do_center_crop: false,
            ..square
        };
        assert_eq!(shown(whole, 4, 8), Shown::WHOLE);
    }

    #[test]
    fn the_shown_part_of_a_page_has_its_padding_and_may_be_turned() {
        let mut config = ImageProcessorClass::Donut.defaults();
        config.size = ResizeTo::Exact {
            height: 40,
            width: 20,
        };
        config.do_align_long_axis = true;
        let processor = ImageProcessor::new(config).unwrap();
        let shown = |width, height| {
            let black = vec![0; width as usize * height as usize * 3];
            processor.shown(&RgbImage::new(width, height, black).unwrap())
        };
        // 20 x 20 pixels of a page of 40 x 20.
        let padded = Shown {
            rows: -0.5..1.5,
            columns: 0.0..1.0,
            turned: false,
        };
        assert_eq!(shown(10, 10), padded);
        // Turned, it is 40 high and 20 wide, as the page is.
        let turned = Shown {
            turned: true,
            ..Shown::WHOLE
        };
        assert_eq!(shown(80, 40), turned);
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
    fn a_thumbnail_of_the_nearest_pixels_is_bicubic() {
        let mut config = ImageProcessorClass::Donut.defaults();
        config.size = ResizeTo::Exact {
            height: 4,
            width: 8,
        };
        let image = RgbImage::new(32, 8, (0..32 * 8 * 3).map(|byte| byte as u8).collect()).unwrap();
        let values = |config: &ImageProcessorConfig| {
            let processor = ImageProcessor::new(config.clone()).unwrap();
            processor.process(&image).unwrap().values
        };
        config.do_resize = false;
        config.resample = Resample::Nearest;
        let nearest = values(&config);
        config.resample = Resample::Bicubic;
        assert_eq!(nearest, values(&config));
        // The resize to the shortest edge takes the nearest pixels nevertheless.
        config.do_resize = true;
        let bicubic = values(&config);
        config.resample = Resample::Nearest;
        assert_ne!(bicubic, values(&config));
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
