mod file;
mod values;

use serde::Serialize;

use self::values::refuse;
use super::Resample;
use crate::Error;

/// The largest side that a configuration may ask for, in pixels. No encoder reads larger images, and the limit keeps a
/// damaged file from asking for more memory than there is.
const MAX_SIDE: u32 = 65_535;

/// The options of `preprocessor_config.json`, with Hugging Face's names and `CLIPImageProcessor`'s defaults.
///
/// Old forms are read too: `"size": 224` (the shortest edge), `"crop_size": 224` (a square), `feature_extractor_type`,
/// no `do_rescale`. Absent and `null` options take the default; unknown options are ignored.
///
/// ```
/// use preprocess::image::{ImageProcessorConfig, ResizeTo};
///
/// let config = ImageProcessorConfig::from_json(r#"{"size": {"shortest_edge": 96}, "crop_size": 96}"#)?;
/// assert_eq!(config.size, ResizeTo::ShortestEdge { shortest_edge: 96 });
/// assert_eq!(config.rescale_factor, 1.0 / 255.0);
/// # Ok::<(), preprocess::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageProcessorConfig {
    /// Whether to resize to `size`.
    pub do_resize: bool,
    /// The size to resize to.
    pub size: ResizeTo,
    /// The filter of the resize; the file has its number.
    #[serde(serialize_with = "as_number")]
    pub resample: Resample,
    /// Whether to crop the centre after the resize.
    pub do_center_crop: bool,
    /// The size of the crop; a smaller image is padded with black.
    pub crop_size: CropSize,
    /// Whether to multiply grey levels 0 to 255 by `rescale_factor`.
    pub do_rescale: bool,
    /// The factor for grey levels, usually 1/255.
    pub rescale_factor: f64,
    /// Whether to subtract `image_mean` and divide by `image_std`, per channel.
    pub do_normalize: bool,
    /// Means of red, green and blue.
    pub image_mean: [f64; 3],
    /// Standard deviations of red, green and blue.
    pub image_std: [f64; 3],
    /// Kept for other programs that read the file; images are always RGB here.
    pub do_convert_rgb: bool,
    /// The Hugging Face class that the file names; kept, but without effect here.
    pub image_processor_type: String,
}

/// What an image is resized to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ResizeTo {
    /// The shorter edge gets this length and the longer one keeps the aspect ratio.
    ShortestEdge {
        /// Pixels.
        shortest_edge: u32,
    },
    /// Both edges get these lengths; the aspect ratio may change.
    Exact {
        /// Pixels from top to bottom.
        height: u32,
        /// Pixels from left to right.
        width: u32,
    },
}

/// The size of the centre crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CropSize {
    /// Pixels from top to bottom.
    pub height: u32,
    /// Pixels from left to right.
    pub width: u32,
}

impl Default for ImageProcessorConfig {
    /// CLIP's options for 224 x 224 pixels, with OpenAI's means and standard deviations.
    fn default() -> Self {
        Self {
            do_resize: true,
            size: ResizeTo::ShortestEdge { shortest_edge: 224 },
            resample: Resample::Bicubic,
            do_center_crop: true,
            crop_size: CropSize {
                height: 224,
                width: 224,
            },
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.48145466, 0.4578275, 0.40821073],
            image_std: [0.26862954, 0.26130258, 0.27577711],
            do_convert_rgb: true,
            image_processor_type: "CLIPImageProcessor".to_owned(),
        }
    }
}

impl ImageProcessorConfig {
    /// The default options for images of `side` x `side` pixels: the length of the shortest edge and of the square crop.
    pub fn square(side: u32) -> Self {
        Self {
            size: ResizeTo::ShortestEdge {
                shortest_edge: side,
            },
            crop_size: CropSize {
                height: side,
                width: side,
            },
            ..Self::default()
        }
    }

    /// Checks the options; [`ImageProcessor::new`](super::ImageProcessor::new) does so too.
    ///
    /// # Errors
    /// [`Error::Config`] if a side is zero or above 65,535 pixels, a number is not finite, or a standard deviation is
    /// zero.
    pub fn validate(&self) -> Result<(), Error> {
        let sides = match self.size {
            ResizeTo::ShortestEdge { shortest_edge } => [shortest_edge; 2],
            ResizeTo::Exact { height, width } => [height, width],
        };
        let crop = [self.crop_size.height, self.crop_size.width];
        for (key, sides) in [("size", sides), ("crop_size", crop)] {
            for side in sides {
                if side == 0 || side > MAX_SIDE {
                    return Err(refuse(key, "sides of 1 to 65535 pixels", side));
                }
            }
        }
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

fn as_number<S: serde::Serializer>(filter: &Resample, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(filter.number())
}
