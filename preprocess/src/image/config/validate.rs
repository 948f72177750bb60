use super::values::refuse;
use super::{ImageProcessorClass, ImageProcessorConfig, ResizeTo};
use crate::Error;
use crate::image::{Backend, Resample};

/// The largest side that a configuration may ask for, in pixels.
const MAX_SIDE: u32 = 65_535;

impl ImageProcessorConfig {
    /// The largest number of pixels of one image that the options may ask for: 8,388,608. No encoder is known that reads
    /// more (Donut's page has 4,915,200), and it takes 96 MiB as pixel values.
    pub const MAX_RESULT_PIXELS: u64 = 1 << 23;

    /// Checks the options; [`ImageProcessor::new`](crate::image::ImageProcessor::new) does so too. Options of steps that
    /// are switched off are not checked.
    ///
    /// # Errors
    /// [`Error::Config`] if a side is zero or above 65,535 pixels, a result would have more than
    /// [`MAX_RESULT_PIXELS`](Self::MAX_RESULT_PIXELS), a number is not finite, a standard deviation is zero, the class
    /// lacks the form of `size`, or the backend lacks the filter or the class.
    pub fn validate(&self) -> Result<(), Error> {
        if self.do_center_crop {
            check_area("crop_size", self.crop_size.height, self.crop_size.width)?;
        }
        // Donut pads to the size even if it does not resize.
        if self.do_resize || self.do_thumbnail || self.do_pad || self.do_align_long_axis {
            self.check_size()?;
        }
        self.check_backend()?;
        self.check_numbers()
    }

    fn check_size(&self) -> Result<(), Error> {
        let is_donut = self.image_processor_type == ImageProcessorClass::Donut;
        match self.size {
            ResizeTo::Exact { height, width } => check_area("size", height, width),
            _ if is_donut => Err(refuse(
                "size",
                r#"{"height": n, "width": n} with DonutImageProcessor"#,
                "an edge",
            )),
            // The crop keeps a part, so that the longest edge is not bounded here.
            ResizeTo::ShortestEdge { shortest_edge } => {
                check_area("size", shortest_edge, self.least_side(shortest_edge))
            }
            ResizeTo::Edges {
                shortest_edge,
                longest_edge,
            } => {
                check_area("size", shortest_edge.min(longest_edge), 1)?;
                check_area("size", longest_edge, 1)
            }
        }
    }

    /// The other side that a result has at least, if its shortest edge has this length.
    fn least_side(&self, shortest_edge: u32) -> u32 {
        if self.do_center_crop {
            1
        } else {
            shortest_edge
        }
    }

    fn check_backend(&self) -> Result<(), Error> {
        let filters: &[Resample] = match self.resize_backend {
            Backend::Pil => return Ok(()),
            Backend::Torchvision => &[Resample::Bilinear, Resample::Bicubic],
            Backend::TorchvisionWithoutAntialias => &[Resample::Bicubic],
        };
        if self.image_processor_type == ImageProcessorClass::Donut {
            return Err(refuse(
                "resize_backend",
                "pil with DonutImageProcessor",
                self.resize_backend,
            ));
        }
        if self.do_resize && !filters.contains(&self.resample) {
            let numbers: Vec<_> = filters
                .iter()
                .map(|filter| filter.number().to_string())
                .collect();
            let expected = format!("{} with {}", numbers.join(" or "), self.resize_backend);
            return Err(refuse("resample", &expected, self.resample.number()));
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let is_finite = |number: f64| (number as f32).is_finite();
        if !is_finite(self.rescale_factor) {
            return Err(refuse(
                "rescale_factor",
                "a finite number",
                self.rescale_factor,
            ));
        }
        for mean in self.image_mean {
            if !is_finite(mean) {
                return Err(refuse("image_mean", "finite numbers", mean));
            }
        }
        for std in self.image_std {
            // The division is in `f32`, so a number that rounds to zero there divides by zero.
            if !is_finite(std) || std as f32 == 0.0 {
                return Err(refuse("image_std", "finite numbers other than zero", std));
            }
        }
        Ok(())
    }
}

fn check_area(key: &str, height: u32, width: u32) -> Result<(), Error> {
    for side in [height, width] {
        if side == 0 || side > MAX_SIDE {
            return Err(refuse(key, "sides of 1 to 65535 pixels", side));
        }
    }
    let limit = ImageProcessorConfig::MAX_RESULT_PIXELS;
    if u64::from(height) * u64::from(width) > limit {
        let expected = format!("at most {limit} pixels");
        return Err(refuse(key, &expected, format!("{height} x {width}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::CropSize;

    fn key_of(config: &ImageProcessorConfig) -> String {
        match config.validate().unwrap_err() {
            Error::Config { key, .. } => key,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_result_of_too_many_pixels_is_refused_before_any_image() {
        let clip = ImageProcessorConfig::default();
        let mut config = clip.clone();
        config.crop_size = CropSize {
            height: 13_377,
            width: 13_377,
        };
        assert_eq!(key_of(&config), "crop_size");
        config.do_center_crop = false;
        config.validate().unwrap();
        config.size = ResizeTo::ShortestEdge {
            shortest_edge: 13_377,
        };
        assert_eq!(key_of(&config), "size");
        config.do_resize = false;
        config.validate().unwrap();
        let mut config = ImageProcessorClass::ViT.defaults();
        config.size = ResizeTo::Exact {
            height: 65_535,
            width: 129,
        };
        assert_eq!(key_of(&config), "size");
    }

    #[test]
    fn a_backend_has_only_some_filters_and_classes() {
        for (backend, filter) in [
            (Backend::Torchvision, Resample::Lanczos),
            (Backend::TorchvisionWithoutAntialias, Resample::Bilinear),
        ] {
            let mut config = ImageProcessorConfig {
                resize_backend: backend,
                ..ImageProcessorConfig::default()
            };
            config.validate().unwrap();
            config.resample = filter;
            assert_eq!(key_of(&config), "resample");
            config.do_resize = false;
            config.validate().unwrap();
        }
        let mut config = ImageProcessorClass::Donut.defaults();
        config.resize_backend = Backend::Torchvision;
        assert_eq!(key_of(&config), "resize_backend");
    }
}
