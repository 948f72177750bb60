//! Pictures and captions for people to look at.

use preprocess::image::{ImageProcessorConfig, PixelValues, RgbImage};
use preprocess::text::Language;
use report::data_url;
use serde::{Deserialize, Serialize};

/// The longest side of a picture.
const SIDE: u32 = 384;

/// A picture with what the model says about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The picture as the model sees it: the address of an `<img>`, or nothing.
    pub(crate) picture: String,
    pub(crate) captions: Vec<Written>,
}

/// A caption, and what people have written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    /// The code of the language.
    pub(crate) language: String,
    pub(crate) prediction: String,
    pub(crate) references: Vec<String>,
}

impl Written {
    pub(crate) fn new(language: Language, prediction: &str, references: &[&str]) -> Self {
        Self {
            language: language.code.to_owned(),
            prediction: prediction.to_owned(),
            references: references.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    /// Labels that a classifier names, which are in no language.
    pub(crate) fn labels(prediction: &[&str], reference: &[&str]) -> Self {
        Self {
            language: String::new(),
            prediction: prediction.join(", "),
            references: vec![reference.join(", ")],
        }
    }
}

/// Turns the pixel values of images back into pictures.
pub(crate) fn pictures(
    values: &PixelValues,
    config: &ImageProcessorConfig,
) -> impl Iterator<Item = String> {
    let [_, channels, height, width] = values.shape;
    let images = values.values.chunks(channels * height * width);
    images.map(move |values| picture(values, [height, width], config))
}

/// The same for `[3, height, width]`.
fn picture(values: &[f32], [height, width]: [usize; 2], config: &ImageProcessorConfig) -> String {
    let (mean, deviation) = match config.do_normalize {
        true => (config.image_mean, config.image_std),
        false => ([0.0; 3], [1.0; 3]),
    };
    let area = height * width;
    let mut pixels = Vec::with_capacity(3 * area);
    for pixel in 0..area {
        for channel in 0..3 {
            let value = values
                .get(channel * area + pixel)
                .copied()
                .unwrap_or_default();
            let value = f64::from(value) * deviation[channel] + mean[channel];
            pixels.push((value * 255.0).round().clamp(0.0, 255.0) as u8);
        }
    }
    let picture = RgbImage::new(width as u32, height as u32, pixels).ok();
    picture
        .and_then(|picture| data_url(&picture, SIDE))
        .unwrap_or_default()
}
