use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::values::shortened;
use super::{CropSize, ImageProcessorConfig, ResizeTo};
use crate::Error;
use crate::image::{Backend, Resample};

const CLIP_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];
/// What Hugging Face calls `IMAGENET_STANDARD_MEAN` and `IMAGENET_STANDARD_STD`: levels become -1 to 1.
const HALVES: [f64; 3] = [0.5; 3];

/// The image processors of Hugging Face that are known here.
///
/// A class decides what an absent option means, whether an integer `size` is the shortest edge or a square, and, for
/// Donut, which steps there are. It is parsed from all names that it had: `ViTImageProcessor`, `ViTImageProcessorFast`,
/// `ViTImageProcessorPil` and `ViTFeatureExtractor` are the same class.
///
/// ```
/// use preprocess::image::ImageProcessorClass;
///
/// let class: ImageProcessorClass = "ViTFeatureExtractor".parse()?;
/// assert_eq!(class, ImageProcessorClass::ViT);
/// assert_eq!(class.to_string(), "ViTImageProcessor");
/// # Ok::<(), preprocess::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ImageProcessorClass {
    /// `CLIPImageProcessor`: the shortest edge, then a centre crop.
    #[default]
    Clip,
    /// `ChineseCLIPImageProcessor`: as CLIP.
    ChineseClip,
    /// `ViTImageProcessor`, also of Swin and TrOCR: a square, whatever the aspect ratio.
    ViT,
    /// `DeiTImageProcessor`: a square, then a centre crop.
    DeiT,
    /// `BeitImageProcessor`: a square; an optional centre crop.
    Beit,
    /// `BitImageProcessor`, also of DINOv2 and FocalNet: the shortest edge, then a centre crop.
    Bit,
    /// `BlipImageProcessor`: a square.
    Blip,
    /// `SiglipImageProcessor`: a square.
    Siglip,
    /// `DonutImageProcessor`: made to fit into a page of fixed size and padded around.
    Donut,
}

impl ImageProcessorClass {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Clip,
        Self::ChineseClip,
        Self::ViT,
        Self::DeiT,
        Self::Beit,
        Self::Bit,
        Self::Blip,
        Self::Siglip,
        Self::Donut,
    ];

    /// The name that transformers 5 writes and opens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clip => "CLIPImageProcessor",
            Self::ChineseClip => "ChineseCLIPImageProcessor",
            Self::ViT => "ViTImageProcessor",
            Self::DeiT => "DeiTImageProcessor",
            Self::Beit => "BeitImageProcessor",
            Self::Bit => "BitImageProcessor",
            Self::Blip => "BlipImageProcessor",
            Self::Siglip => "SiglipImageProcessor",
            Self::Donut => "DonutImageProcessor",
        }
    }

    /// The class of an encoder whose `model_type` in `config.json` is this, or `None` if it is not known.
    pub fn of_encoder(model_type: &str) -> Option<Self> {
        Some(match model_type {
            "clip" | "clip_vision_model" | "altclip" => Self::Clip,
            "chinese_clip" | "chinese_clip_vision_model" => Self::ChineseClip,
            "vit" | "vit_mae" | "vit_msn" | "swin" | "swinv2" | "trocr" => Self::ViT,
            "deit" => Self::DeiT,
            "beit" | "data2vec-vision" => Self::Beit,
            "bit" | "dinov2" | "focalnet" => Self::Bit,
            "blip" | "blip_vision_model" => Self::Blip,
            "siglip" | "siglip_vision_model" => Self::Siglip,
            "donut-swin" => Self::Donut,
            _ => return None,
        })
    }

    /// The options that this class has where a file does not say otherwise.
    pub fn defaults(self) -> ImageProcessorConfig {
        let square = |side| CropSize {
            height: side,
            width: side,
        };
        let exact = |height, width| ResizeTo::Exact { height, width };
        let shortest = |shortest_edge| ResizeTo::ShortestEdge { shortest_edge };
        let (size, resample, crop, [mean, std]) = match self {
            Self::Clip | Self::ChineseClip | Self::Bit => {
                let clip = [CLIP_MEAN, CLIP_STD];
                (shortest(224), Resample::Bicubic, Some(224), clip)
            }
            Self::ViT => (exact(224, 224), Resample::Bilinear, None, [HALVES; 2]),
            Self::DeiT => (exact(256, 256), Resample::Bicubic, Some(224), [HALVES; 2]),
            Self::Beit | Self::Siglip => (exact(224, 224), Resample::Bicubic, None, [HALVES; 2]),
            Self::Blip => {
                let clip = [CLIP_MEAN, CLIP_STD];
                (exact(384, 384), Resample::Bicubic, None, clip)
            }
            Self::Donut => (exact(2560, 1920), Resample::Bilinear, None, [HALVES; 2]),
        };
        let is_donut = self == Self::Donut;
        ImageProcessorConfig {
            do_resize: true,
            size,
            resample,
            do_center_crop: crop.is_some(),
            crop_size: square(crop.unwrap_or(224)),
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: mean,
            image_std: std,
            // Only what other programs do with transparency depends on it.
            do_convert_rgb: !matches!(self, Self::ViT | Self::DeiT | Self::Beit | Self::Donut),
            do_thumbnail: is_donut,
            do_align_long_axis: false,
            do_pad: is_donut,
            image_processor_type: self,
            resize_backend: Backend::Pil,
        }
    }

    /// What an integer `size` means: a square, or else the shortest edge.
    pub(super) fn integer_is_square(self) -> bool {
        !matches!(
            self,
            Self::Clip | Self::ChineseClip | Self::Bit | Self::Siglip
        )
    }
}

impl fmt::Display for ImageProcessorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for ImageProcessorClass {
    type Err = Error;

    /// # Errors
    /// [`Error::UnknownImageProcessor`] if the class is not known.
    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text
            .strip_suffix("Fast")
            .or_else(|| text.strip_suffix("Pil"))
            .unwrap_or(text);
        let family = name
            .strip_suffix("ImageProcessor")
            .or_else(|| name.strip_suffix("FeatureExtractor"));
        let is_of_family = |class: &Self| class.name().strip_suffix("ImageProcessor") == family;
        Self::ALL
            .into_iter()
            .find(is_of_family)
            .ok_or_else(|| Error::UnknownImageProcessor {
                found: shortened(text),
                known: Self::ALL.map(Self::name).to_vec(),
            })
    }
}

impl Serialize for ImageProcessorClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_class_had_is_the_class() {
        for class in ImageProcessorClass::ALL {
            let family = class.name().strip_suffix("ImageProcessor").unwrap();
            for ending in [
                "ImageProcessor",
                "ImageProcessorFast",
                "ImageProcessorPil",
                "FeatureExtractor",
            ] {
                assert_eq!(
                    format!("{family}{ending}")
                        .parse::<ImageProcessorClass>()
                        .unwrap(),
                    class
                );
            }
            class.defaults().validate().unwrap();
            assert_eq!(class.defaults().image_processor_type, class);
        }
    }

    #[test]
    fn an_unknown_class_is_named_with_the_known_ones() {
        for name in [
            "NougatImageProcessor",
            "",
            "CLIP",
            "ImageProcessor",
            "clipimageprocessor",
            "Fast",
        ] {
            let error = name.parse::<ImageProcessorClass>().unwrap_err();
            let message = error.to_string();
            assert!(message.contains(&format!("{name:?}")), "{message}");
            assert!(message.contains("DonutImageProcessor"), "{message}");
        }
        let error = "\u{7f}x".repeat(1 << 20).parse::<ImageProcessorClass>();
        let message = error.unwrap_err().to_string();
        assert!(
            message.len() < 2000 && !message.contains('\u{7f}'),
            "{message}"
        );
    }
}
