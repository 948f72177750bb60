//! Random changes of images, so that a model sees no picture twice.

mod affine;
mod blur;
mod color;
mod crop;
mod pixels;
mod random;

use preprocess::image::RgbImage;
use serde::{Deserialize, Serialize};

pub(crate) use self::random::Random;
use crate::Error;

/// Random changes of images before the image processor: all off by default, as the original was trained.
///
/// Each acts on 8-bit RGB, in the order of the fields, with the names and meaning of torchvision's transforms. What
/// happens to an image depends on the seed, the epoch and its position in the data set, and on nothing else. An image is
/// changed at its own size, unless it is cropped first: for large photographs that takes longer than decoding them.
///
/// ```
/// use datasets::Augmentations;
///
/// let light: Augmentations = serde_json::from_str(
///     r#"{"horizontal_flip": 0.5, "color_jitter": {"brightness": 0.2, "hue": 0.05}}"#,
/// )?;
/// assert!(light.random_resized_crop.is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentations {
    /// Cuts out a part and stretches it to the size that the image processor crops to.
    pub random_resized_crop: Option<RandomResizedCrop>,
    /// The probability that left and right are exchanged. Captions that say left or right are wrong then.
    pub horizontal_flip: f64,
    /// Turns, moves, scales, shears and stretches.
    pub random_affine: Option<RandomAffine>,
    /// Changes brightness, contrast, saturation and hue.
    pub color_jitter: Option<ColorJitter>,
    /// The probability that colours are taken away.
    pub grayscale: f64,
    /// Blurs.
    pub gaussian_blur: Option<GaussianBlur>,
}

/// A part of an image, as torchvision's `RandomResizedCrop` chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// The smallest and largest part of the area: 0.08 and 1.
    pub scale: [f64; 2],
    /// The smallest and largest ratio of width to height: 3/4 and 4/3.
    pub ratio: [f64; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self {
            scale: [0.08, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

/// An affine map about the centre, read by linear interpolation. Nothing by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomAffine {
    /// The largest turn to either side, in degrees.
    pub degrees: f64,
    /// The largest move along each axis, as a part of the width and of the height.
    pub translate: [f64; 2],
    /// The smallest and largest factor of both sides.
    pub scale: [f64; 2],
    /// The largest shear to either side, in degrees.
    pub shear: f64,
    /// The largest factor by which one side is stretched while the other is compressed; 1 is none.
    pub stretch: f64,
    /// The colour of what comes from outside the image; `None`: that of the nearest edge.
    pub fill: Option<[u8; 3]>,
}

impl Default for RandomAffine {
    fn default() -> Self {
        Self {
            degrees: 0.0,
            translate: [0.0; 2],
            scale: [1.0; 2],
            shear: 0.0,
            stretch: 1.0,
            fill: None,
        }
    }
}

/// Changes of colours, as torchvision's `ColorJitter` makes them, one after the other in any order. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitter {
    /// The factor of brightness is at most this far from 1.
    pub brightness: f64,
    /// The factor of contrast is at most this far from 1.
    pub contrast: f64,
    /// The factor of saturation is at most this far from 1.
    pub saturation: f64,
    /// The hue is turned by at most this part of the circle to either side, 0.5 at most.
    pub hue: f64,
}

/// A blur with a Gaussian, at an image's own size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianBlur {
    /// How probable it is: 0.5.
    pub probability: f64,
    /// The smallest and largest standard deviation in pixels, 10 at most: 0.1 and 2.
    pub sigma: [f64; 2],
}

impl Default for GaussianBlur {
    fn default() -> Self {
        Self {
            probability: 0.5,
            sigma: [0.1, 2.0],
        }
    }
}

impl Augmentations {
    /// Whether nothing is changed.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// [`Error::Option`] with the name of the option.
    pub fn validate(&self) -> Result<(), Error> {
        let probability = |option, value: f64| {
            check(
                option,
                "a probability from 0 to 1",
                (0.0..=1.0).contains(&value),
                &value,
            )
        };
        probability("horizontal_flip", self.horizontal_flip)?;
        probability("grayscale", self.grayscale)?;
        let range = |[low, high]: [f64; 2], least: f64, most: f64| {
            least <= low && low <= high && high <= most
        };
        if let Some(crop) = &self.random_resized_crop {
            let fits = range(crop.scale, 1e-4, 1.0);
            check(
                "scale",
                "two ascending parts of the area, from 0.0001 to 1",
                fits,
                &crop.scale,
            )?;
            let fits = range(crop.ratio, 0.01, 100.0);
            check(
                "ratio",
                "two ascending ratios from 0.01 to 100",
                fits,
                &crop.ratio,
            )?;
        }
        if let Some(affine) = &self.random_affine {
            let fits = (0.0..=180.0).contains(&affine.degrees);
            check("degrees", "0 to 180 degrees", fits, &affine.degrees)?;
            let fits = affine
                .translate
                .iter()
                .all(|part| (0.0..=1.0).contains(part));
            check(
                "translate",
                "parts of width and height, from 0 to 1",
                fits,
                &affine.translate,
            )?;
            let fits = range(affine.scale, 0.01, 100.0);
            check(
                "scale",
                "two ascending factors from 0.01 to 100",
                fits,
                &affine.scale,
            )?;
            check(
                "shear",
                "0 to 80 degrees",
                (0.0..=80.0).contains(&affine.shear),
                &affine.shear,
            )?;
            let fits = (1.0..=100.0).contains(&affine.stretch);
            check("stretch", "a factor from 1 to 100", fits, &affine.stretch)?;
        }
        if let Some(color) = &self.color_jitter {
            let parts = [color.brightness, color.contrast, color.saturation];
            let fits = parts.iter().all(|part| (0.0..=10.0).contains(part));
            check("color_jitter", "differences from 0 to 10", fits, &parts)?;
            check(
                "hue",
                "0 to 0.5",
                (0.0..=0.5).contains(&color.hue),
                &color.hue,
            )?;
        }
        if let Some(blur) = &self.gaussian_blur {
            probability("probability", blur.probability)?;
            let fits = range(blur.sigma, 0.0, 10.0);
            check(
                "sigma",
                "two ascending numbers of pixels, from 0 to 10",
                fits,
                &blur.sigma,
            )?;
        }
        Ok(())
    }

    /// Changes an image. `target` is the height and width that a crop is stretched to; without it a crop keeps its size.
    pub(crate) fn apply(
        &self,
        image: RgbImage,
        target: Option<[u32; 2]>,
        random: &mut Random,
    ) -> Result<RgbImage, preprocess::Error> {
        let mut image = image;
        if let Some(options) = &self.random_resized_crop {
            image = crop::apply(options, &image, target, random)?;
        }
        if random.unit() < self.horizontal_flip {
            image = pixels::flipped(image)?;
        }
        if let Some(options) = &self.random_affine {
            image = affine::apply(options, &image, random)?;
        }
        if let Some(options) = &self.color_jitter {
            image = color::jitter(options, image, random)?;
        }
        if random.unit() < self.grayscale {
            image = color::gray(image)?;
        }
        if let Some(options) = &self.gaussian_blur {
            image = blur::apply(options, image, random)?;
        }
        Ok(image)
    }
}

fn check(
    option: &'static str,
    expected: &'static str,
    fits: bool,
    found: &dyn std::fmt::Debug,
) -> Result<(), Error> {
    match fits {
        true => Ok(()),
        false => Err(Error::Option {
            option,
            expected,
            found: format!("{found:?}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        let mut random = Random::new(3, 1, 4, 1);
        let bytes = (0..width * height * 3).map(|_| random.below(256) as u8);
        RgbImage::new(width, height, bytes.collect()).unwrap()
    }

    fn everything() -> Augmentations {
        Augmentations {
            random_resized_crop: Some(RandomResizedCrop::default()),
            horizontal_flip: 0.5,
            random_affine: Some(RandomAffine {
                degrees: 10.0,
                translate: [0.1, 0.1],
                scale: [0.8, 1.2],
                shear: 5.0,
                stretch: 1.2,
                fill: None,
            }),
            color_jitter: Some(ColorJitter {
                brightness: 0.4,
                contrast: 0.4,
                saturation: 0.4,
                hue: 0.1,
            }),
            grayscale: 0.2,
            gaussian_blur: Some(GaussianBlur::default()),
        }
    }

    #[test]
    fn nothing_is_changed_by_default() {
        let off = Augmentations::default();
        assert!(off.is_off());
        let image = picture(7, 5);
        let same = off
            .apply(image.clone(), Some([4, 4]), &mut Random::new(0, 0, 0, 0))
            .unwrap();
        assert_eq!(image, same);
    }

    #[test]
    fn changes_depend_on_seed_epoch_and_example_only() {
        let options = everything();
        options.validate().unwrap();
        let of = |seed, epoch, example| {
            let mut random = Random::new(seed, epoch, example, 0);
            options
                .apply(picture(20, 30), Some([16, 16]), &mut random)
                .unwrap()
        };
        assert_eq!(of(1, 2, 3), of(1, 2, 3));
        for other in [of(2, 2, 3), of(1, 3, 3), of(1, 2, 4)] {
            assert_ne!(of(1, 2, 3), other);
            assert_eq!([other.height(), other.width()], [16, 16]);
        }
    }

    #[test]
    fn the_smallest_and_longest_images_are_changed_without_a_panic() {
        let options = everything();
        for (width, height) in [(1, 1), (1, 200), (200, 1), (2, 3)] {
            for example in 0..50 {
                for target in [None, Some([8, 8])] {
                    let mut random = Random::new(0, 0, example, 0);
                    options
                        .apply(picture(width, height), target, &mut random)
                        .unwrap();
                }
            }
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused_by_name() {
        let mut options = everything();
        options.grayscale = 1.5;
        assert!(
            options
                .validate()
                .unwrap_err()
                .to_string()
                .contains("grayscale")
        );
        let mut options = everything();
        options.random_resized_crop = Some(RandomResizedCrop {
            scale: [f64::NAN, 1.0],
            ratio: [1.0, 1.0],
        });
        assert!(
            options
                .validate()
                .unwrap_err()
                .to_string()
                .contains("scale")
        );
        assert!(serde_json::from_str::<Augmentations>(r#"{"flip": 1}"#).is_err());
    }

    #[test]
    fn configurations_read_back() {
        let text = serde_json::to_string(&everything()).unwrap();
        assert_eq!(
            serde_json::from_str::<Augmentations>(&text).unwrap(),
            everything()
        );
    }
}
