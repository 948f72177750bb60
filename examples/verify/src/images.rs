use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::report::message;
use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, open};
use preprocess::image::{Backend, ImageProcessor, ImageProcessorConfig, ResizeTo};
use serde::Deserialize;

use crate::input::{Array, InputError, Tensors, content, read_json, unusable};
use crate::report::{Comparison, Report, largest_difference};

/// How many grey levels the pixels of a lossless file may differ by. Its format defines every pixel, so
/// only the resize can round differently. In our measurements its results equal Pillow's.
const LOSSLESS_LEVELS: f64 = 1.0;

/// How many grey levels the pixels of a JPEG may differ by. The standard leaves the rounding of the
/// inverse transform and the interpolation of subsampled chroma to the decoder. In our measurements two
/// decoders differed by up to 4 levels before a resize (see [`preprocess::image::decode`]) and by up to 2
/// after it.
const JPEG_LEVELS: f64 = 4.0;

/// A generous bound for what `f32` rounding moves a value by, in grey levels.
const ROUNDING: f64 = 1e-3;

/// The side of images, in pixels, for a processor_config.json that says nothing about images.
const DEFAULT_SIDE: u32 = 224;

/// The start of every JPEG file.
const JPEG_SIGNATURE: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// The preprocessing that a mode stands for.
fn backend(mode: &str) -> Option<Backend> {
    match mode {
        // Hugging Face's on its PIL backend.
        "pillow" => Some(Backend::Pil),
        // Hugging Face's on tensors, with antialias.
        "torchvision" => Some(Backend::Torchvision),
        // The transform that the published model was trained with.
        "seed-training" => Some(Backend::TorchvisionWithoutAntialias),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Settings {
    /// The length of the shortest edge after the resize, and of the sides of the crop.
    size: u32,
}

/// What is compared, and how images are read.
pub(crate) struct Check {
    /// The folder of the reference.
    pub(crate) folder: PathBuf,
    /// The folder of the images.
    pub(crate) images: PathBuf,
    pub(crate) decoding: DecodeOptions,
}

/// Compares the pixel values of image files with those of a public implementation.
pub(crate) fn verify(check: &Check, report: &mut Report<'_>) -> Result<(), InputError> {
    let config = read_config(&check.folder)?;
    let path = check.folder.join("pixels.safetensors");
    let tensors = Tensors::read(path.clone())?;
    let files = file_names(&check.images)?;
    let mut seen = BTreeSet::new();
    for name in tensors.names()? {
        let Some((mode, file)) = name.split_once('/') else {
            report.add(Comparison::not_run(
                name,
                1,
                "the tensor's name is not MODE/FILE",
            ))?;
            continue;
        };
        if !files.contains(file) {
            let images = &check.images;
            let reason = format!("tensor {name} belongs to a file that {images:?} does not have");
            return Err(content(&path, reason));
        }
        seen.insert(file.to_owned());
        let Some(resize_backend) = backend(mode) else {
            let reason = format!("unsupported: mode {mode}");
            report.add(Comparison::not_run(name, 1, reason))?;
            continue;
        };
        let config = ImageProcessorConfig {
            resize_backend,
            ..config.clone()
        };
        let expected = tensors.floats(&name)?;
        report.add(check.compare(config, &name, file, &expected)?)?;
    }
    for file in files.difference(&seen) {
        let reason = "pixels.safetensors has no tensor for this file";
        report.add(Comparison::not_run(format!("images/{file}"), 1, reason))?;
    }
    Ok(())
}

/// The options of the folder's `processor_config.json` or `preprocessor_config.json`, or else CLIP's of the size in its
/// `pixels.json`.
fn read_config(folder: &Path) -> Result<ImageProcessorConfig, InputError> {
    let path = folder.join("pixels.json");
    let files = ["processor_config.json", "preprocessor_config.json"];
    if files.iter().any(|name| folder.join(name).exists()) {
        // The side is that of a checkpoint without options.
        return Ok(ImageProcessorConfig::of_checkpoint(
            folder,
            [DEFAULT_SIDE; 2],
        )?);
    }
    let settings: Settings = read_json(&path)?;
    if settings.size == 0 {
        return Err(content(
            &path,
            "expected a size of at least 1, found 0".to_owned(),
        ));
    }
    Ok(ImageProcessorConfig::square(settings.size))
}

fn file_names(folder: &Path) -> Result<BTreeSet<String>, InputError> {
    let unreadable = |source| InputError::Io {
        path: folder.into(),
        source,
    };
    std::fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| {
            let name = entry.map_err(unreadable)?.file_name();
            // No tensor has a name that is not UTF-8, so it is only shown.
            Ok(name
                .into_string()
                .unwrap_or_else(|name| ::report::name(Path::new(&name))))
        })
        .collect()
}

impl Check {
    /// Compares the pixels of a file in grey levels, the unit that decoders and resizes round to.
    fn compare(
        &self,
        config: ImageProcessorConfig,
        name: &str,
        file: &str,
        expected: &Array<f32>,
    ) -> Result<Comparison, InputError> {
        let what = format!("{name} in grey levels");
        let of_shape = |shape: &[usize]| {
            let reason = format!(
                "the reference has shape {:?}, expected {shape:?}",
                expected.shape
            );
            Comparison::of_cases(&what, 0, 1).with_reason(reason)
        };
        // Checked before anything is allocated, because pixels.json may ask for an enormous size.
        if let Some(shape) = shape_of_all(&config)
            && expected.shape != shape
        {
            return Ok(of_shape(&shape));
        }
        let processor = match ImageProcessor::new(config) {
            Ok(processor) => processor,
            // Not every class and filter has every mode.
            Err(Error::Config { key, expected, .. })
                if key == "resize_backend" || key == "resample" =>
            {
                let reason = format!("unsupported: this mode with another {key} than {expected}");
                return Ok(Comparison::not_run(what, 1, reason));
            }
            Err(error) => return Err(unusable(&self.folder, error)),
        };
        let path = self.images.join(file);
        let image = match open(&path, &self.decoding) {
            Ok(image) => image,
            Err(error) if matches!(error.cause(), Error::UnsupportedImage { .. }) => {
                return Ok(Comparison::not_run(what, 1, message(error.cause())));
            }
            Err(error) => return Err(error.into()),
        };
        let found = processor
            .process(&image)
            .map_err(|error| unusable(&path, error))?;
        if expected.shape != found.shape[1..] {
            return Ok(of_shape(&found.shape[1..]));
        }
        let is_jpeg = is_jpeg(&path)?;
        Ok(compared(
            processor.config(),
            what,
            is_jpeg,
            &found.values,
            &expected.values,
        ))
    }
}

/// The shape of the pixel values of every image, if it does not depend on the image.
fn shape_of_all(config: &ImageProcessorConfig) -> Option<[usize; 3]> {
    let crop = config.crop_size;
    let (height, width) = match config.size {
        _ if config.do_center_crop => (crop.height, crop.width),
        ResizeTo::Exact { height, width } if config.do_pad => (height, width),
        ResizeTo::Exact { height, width } if config.do_resize && !config.do_thumbnail => {
            (height, width)
        }
        _ => return None,
    };
    Some([3, height as usize, width as usize])
}

fn is_jpeg(path: &Path) -> Result<bool, InputError> {
    let unreadable = |source| InputError::Io {
        path: path.into(),
        source,
    };
    let mut start = [0; JPEG_SIGNATURE.len()];
    // It was decoded, so it is no shorter.
    let mut file = File::open(path).map_err(unreadable)?;
    file.read_exact(&mut start).map_err(unreadable)?;
    Ok(start == JPEG_SIGNATURE)
}

fn compared(
    config: &ImageProcessorConfig,
    what: String,
    is_jpeg: bool,
    found: &[f32],
    expected: &[f32],
) -> Comparison {
    let tolerance = match is_jpeg {
        true => JPEG_LEVELS,
        false => LOSSLESS_LEVELS,
    };
    let found = grey_levels(config, found);
    let expected = grey_levels(config, expected);
    // Values come from pixels of 8 bits, so a value between two levels was changed afterwards. It always
    // differs, although the tolerance for JPEG might allow it.
    let between = expected.iter().filter(|level| level.fract() != 0.0).count();
    let equal = found.iter().zip(&expected).filter(|(found, expected)| {
        expected.fract() == 0.0 && f64::from((*found - *expected).abs()) <= tolerance
    });
    let comparison = Comparison::of_cases(what, equal.count(), expected.len())
        .with_difference(largest_difference(&found, &expected), tolerance);
    match between {
        0 => comparison,
        _ => comparison.with_reason(format!(
            "{between} values of the reference are between two grey levels"
        )),
    }
}

/// Undoes the normalisation of values `[3, height, width]`. Values that differ from an integer, 0 to 255,
/// only by `f32` rounding become that integer.
fn grey_levels(config: &ImageProcessorConfig, values: &[f32]) -> Vec<f32> {
    let plane = (values.len() / 3).max(1);
    let (mean, std) = match config.do_normalize {
        true => (config.image_mean, config.image_std),
        false => ([0.0; 3], [1.0; 3]),
    };
    let factor = match config.do_rescale {
        true => config.rescale_factor,
        false => 1.0,
    };
    let channels = mean.iter().zip(&std);
    values
        .chunks(plane)
        .zip(channels)
        .flat_map(|(values, (mean, std))| {
            values.iter().map(move |value| {
                let level = (f64::from(*value) * std + mean) / factor;
                let nearest = level.round();
                let is_integer = (level - nearest).abs() <= ROUNDING;
                (if is_integer { nearest } else { level }) as f32
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use preprocess::image::RgbImage;

    use super::*;

    #[test]
    fn every_grey_level_survives_normalisation_and_back() {
        let config = ImageProcessorConfig::square(16);
        let processor = ImageProcessor::new(config.clone()).unwrap();
        let pixels = (0..=u8::MAX).flat_map(|level| [level; 3]).collect();
        let image = RgbImage::new(16, 16, pixels).unwrap();
        let values = processor.process(&image).unwrap().values;
        let levels: Vec<f32> = (0..=u8::MAX).map(f32::from).collect();
        assert_eq!(
            grey_levels(&config, &values),
            [&levels[..], &levels, &levels].concat()
        );
    }

    #[test]
    fn a_value_between_two_levels_is_not_rounded() {
        let config = ImageProcessorConfig::square(1);
        let between = grey_levels(&config, &[0.01, 0.01, 0.01]);
        assert!(
            between.iter().all(|level| level.fract() != 0.0),
            "{between:?}"
        );
    }
}
