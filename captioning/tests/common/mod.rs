//! Helpers of the tests of the embedded model.

// Each test program uses only a part.
#![allow(dead_code)]

use burn::tensor::Device;
use captioning::{
    Caption, Captioner, GenerationConfig, LanguageCaptions, Memory, RgbImage, open_image,
};

/// Sample images of two things, their English captions, and a word for each thing.
pub(crate) const TWO_THINGS: [(&str, &str, [&str; 2]); 3] = [
    (
        "08-fluent-emoji-flat-1f435-and-1f384",
        "monkey face and Christmas tree on a white background",
        ["monkey", "Christmas"],
    ),
    (
        "10-twemoji-1f4c1-and-2696",
        "file folder and balance scale on a black background",
        ["folder", "scale"],
    ),
    (
        "13-emojione-1f98b-and-1f54c",
        "butterfly and mosque on a white background",
        ["butterfly", "mosque"],
    ),
];

pub(crate) fn captioner() -> Captioner {
    Captioner::embedded(&Device::flex()).unwrap()
}

/// The captions of each image, language by language. Panics if a language has none.
pub(crate) fn unwrapped(captions: Vec<Vec<LanguageCaptions>>) -> Vec<Vec<Caption>> {
    let of_image = |languages: Vec<LanguageCaptions>| {
        let captions = languages.into_iter().flat_map(|one| one.captions.unwrap());
        captions.collect()
    };
    captions.into_iter().map(of_image).collect()
}

pub(crate) fn image(name: &str) -> RgbImage {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    open_image(format!("{samples}/{name}.png")).unwrap()
}

pub(crate) fn encoded(captioner: &Captioner, names: &[&str]) -> Memory {
    let images: Vec<RgbImage> = names.iter().map(|name| image(name)).collect();
    captioner.encode(&images).unwrap()
}

pub(crate) fn config(captioner: &Captioner, num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_length: Some(40),
        ..captioner.generation_config().clone()
    }
}
