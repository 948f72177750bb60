mod class;
mod encoder;
mod file;
mod validate;
mod values;

use serde::Serialize;

pub use self::class::ImageProcessorClass;
use super::{Backend, Resample};

/// The options of `preprocessor_config.json`, with Hugging Face's names.
///
/// The [class](Self::image_processor_type) that a file names decides what absent and `null` options mean; a file that
/// names none is read as `CLIPImageProcessor`'s. Old forms are read too: an integer `size` (the shortest edge or a square,
/// as the class has it) or `[height, width]`, an integer `crop_size`, `feature_extractor_type`, no `do_rescale`. Unknown
/// options are ignored, an unknown class is refused.
///
/// With Donut's class, an image is turned if `do_align_long_axis` says so, its shortest edge resized to that of `size`,
/// made smaller to fit into `size`, and padded around to `size`. With any other, it is resized to `size` and cropped.
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
    /// Whether to make an image smaller that does not fit into `size`. Only of Donut.
    pub do_thumbnail: bool,
    /// Whether to turn an image by a quarter, clockwise, if its long axis is not that of `size`. Only of Donut.
    pub do_align_long_axis: bool,
    /// Whether to pad with black around an image, up to `size`. Only of Donut.
    pub do_pad: bool,
    /// The Hugging Face class; in a file, any of the names that it had.
    pub image_processor_type: ImageProcessorClass,
    /// Whose resize and crop. Hugging Face's files lack it, and its classes ignore it there: it is written only if it
    /// is not [`Backend::Pil`].
    pub resize_backend: Backend,
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
    /// The shorter edge gets a length and the longer one keeps the aspect ratio, unless it would exceed its limit: then
    /// both are reduced.
    Edges {
        /// Pixels.
        shortest_edge: u32,
        /// The limit of the longer edge in pixels.
        longest_edge: u32,
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
        ImageProcessorClass::Clip.defaults()
    }
}

impl ImageProcessorConfig {
    /// CLIP's options for images of `side` x `side` pixels: the length of the shortest edge and of the square crop.
    pub fn square(side: u32) -> Self {
        Self::of_class(ImageProcessorClass::Clip, [side, side])
    }

    /// The options of a class for images of this height and width, without its margin for a crop.
    pub fn of_class(class: ImageProcessorClass, [height, width]: [u32; 2]) -> Self {
        let default = class.defaults();
        Self {
            size: match default.size {
                ResizeTo::Exact { .. } => ResizeTo::Exact { height, width },
                _ => ResizeTo::ShortestEdge {
                    shortest_edge: height.max(width),
                },
            },
            crop_size: CropSize { height, width },
            ..default
        }
    }

    /// The options that the published model of 2021 was trained with, for images of `side` x `side` pixels: CLIP's means,
    /// standard deviations, resize and crop, computed on tensors [without antialias](Backend::TorchvisionWithoutAntialias).
    pub fn as_published(side: u32) -> Self {
        Self {
            resize_backend: Backend::TorchvisionWithoutAntialias,
            ..Self::square(side)
        }
    }
}

fn as_number<S: serde::Serializer>(filter: &Resample, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(filter.number())
}
