use std::collections::BTreeSet;
use std::path::Path;

use ::report::message;
use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, decode};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use serde::Deserialize;

use crate::input::{Array, InputError, Tensors, content, read_bytes, read_json, unusable};
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

/// The start of every JPEG file.
const JPEG_SIGNATURE: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// The only preprocessing that is compared: Hugging Face's on its PIL backend.
const MODE: &str = "pillow";

#[derive(Deserialize)]
struct Settings {
    /// The length of the shortest edge after the resize, and of the sides of the crop.
    size: u32,
}

/// Compares the pixel values of image files with those of a public implementation.
pub(crate) fn verify(folder: &Path, report: &mut Report<'_>) -> Result<(), InputError> {
    let path = folder.join("pixels.json");
    let settings: Settings = read_json(&path)?;
    let processor = ImageProcessor::new(ImageProcessorConfig::square(settings.size))
        .map_err(|error| unusable(&path, error))?;
    let path = folder.join("pixels.safetensors");
    let tensors = Tensors::read(path.clone())?;
    let images = folder.join("images");
    let files = file_names(&images)?;
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
            let reason = format!("tensor {name} belongs to a file that {images:?} does not have");
            return Err(content(&path, reason));
        }
        seen.insert(file.to_owned());
        if mode != MODE {
            let reason = format!("unsupported: mode {mode}");
            report.add(Comparison::not_run(name, 1, reason))?;
            continue;
        }
        let expected = tensors.floats(&name)?;
        report.add(compare(&processor, &name, &images.join(file), &expected)?)?;
    }
    for file in files.difference(&seen) {
        let reason = "pixels.safetensors has no tensor for this file";
        report.add(Comparison::not_run(format!("images/{file}"), 1, reason))?;
    }
    Ok(())
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
            Ok(name.to_string_lossy().into_owned())
        })
        .collect()
}

/// Compares the pixels of a file in grey levels, the unit that decoders and resizes round to.
fn compare(
    processor: &ImageProcessor,
    name: &str,
    path: &Path,
    expected: &Array<f32>,
) -> Result<Comparison, InputError> {
    let what = format!("{name} in grey levels");
    let crop = processor.config().crop_size;
    let shape = [3, crop.height as usize, crop.width as usize];
    // Checked before anything is allocated, because pixels.json may ask for an enormous size.
    if expected.shape != shape {
        let reason = format!(
            "the reference has shape {:?}, expected {shape:?}",
            expected.shape
        );
        return Ok(Comparison::of_cases(what, 0, 1).with_reason(reason));
    }
    let bytes = read_bytes(path)?;
    let image = match decode(&bytes, &DecodeOptions::default()) {
        Ok(image) => image,
        Err(error @ Error::UnsupportedImage { .. }) => {
            return Ok(Comparison::not_run(what, 1, message(&error)));
        }
        Err(error) => return Err(unusable(path, error)),
    };
    let found = processor
        .process(&image)
        .map_err(|error| unusable(path, error))?;

    let tolerance = match bytes.starts_with(&JPEG_SIGNATURE) {
        true => JPEG_LEVELS,
        false => LOSSLESS_LEVELS,
    };
    let found = grey_levels(processor.config(), &found.values);
    let expected = grey_levels(processor.config(), &expected.values);
    // Values come from pixels of 8 bits, so a value between two levels was changed afterwards. It always
    // differs, although the tolerance for JPEG might allow it.
    let between = expected.iter().filter(|level| level.fract() != 0.0).count();
    let equal = found.iter().zip(&expected).filter(|(found, expected)| {
        expected.fract() == 0.0 && f64::from((*found - *expected).abs()) <= tolerance
    });
    let comparison = Comparison::of_cases(what, equal.count(), expected.len())
        .with_difference(largest_difference(&found, &expected), tolerance);
    Ok(match between {
        0 => comparison,
        _ => comparison.with_reason(format!(
            "{between} values of the reference are between two grey levels"
        )),
    })
}

/// Undoes the normalisation of values `[3, height, width]`. Values that differ from an integer, 0 to 255,
/// only by `f32` rounding become that integer.
fn grey_levels(config: &ImageProcessorConfig, values: &[f32]) -> Vec<f32> {
    let plane = (values.len() / 3).max(1);
    let channels = config.image_mean.iter().zip(&config.image_std);
    values
        .chunks(plane)
        .zip(channels)
        .flat_map(|(values, (mean, std))| {
            values.iter().map(move |value| {
                let level = (f64::from(*value) * std + mean) / config.rescale_factor;
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
