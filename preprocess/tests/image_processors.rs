//! Pixel values of each image processor and backend, compared with those of transformers and torchvision: small pictures
//! always, the shared reference results where the checkout has them.

use std::fs;
use std::path::Path;

use preprocess::image::decode::{DecodeOptions, open};
use preprocess::image::{Backend, ImageProcessor, ImageProcessorConfig, RgbImage};
use safetensors::SafeTensors;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracle");

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<4>();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// The largest difference of pixel values in levels of 0 to 255.
fn distance(config: &ImageProcessorConfig, ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let plane = ours.len() / 3;
    let levels = ours.iter().zip(theirs).enumerate().map(|(index, (a, b))| {
        let std = config.image_std[index / plane] as f32;
        (a - b).abs() * std * 255.0
    });
    levels.fold(0.0, f32::max)
}

#[test]
fn every_class_gives_the_pixel_values_of_transformers() {
    let bytes = fs::read(format!("{DATA}/processors.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let configs = fs::read_to_string(format!("{DATA}/processors.json")).unwrap();
    let configs: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&configs).unwrap();
    let mut cases = 0;
    for (name, theirs) in reference.tensors() {
        let Some((config, input)) = name.split_once('/') else {
            continue;
        };
        let image = reference.tensor(input).unwrap();
        let [height, width, 3] = *image.shape() else {
            panic!("{:?}", image.shape());
        };
        let image = RgbImage::new(width as u32, height as u32, image.data().to_vec()).unwrap();
        let config = ImageProcessorConfig::from_json(&configs[config].to_string()).unwrap();
        let ours = ImageProcessor::new(config)
            .unwrap()
            .process(&image)
            .unwrap();
        assert_eq!(ours.shape[1..], *theirs.shape(), "{name}");
        assert!(ours.values == floats(theirs.data()), "{name}");
        cases += 1;
    }
    assert!(cases > 100, "{cases}");
}

#[test]
fn the_published_processors_agree_on_image_files() {
    for folder in [
        "blip",
        "deit",
        "donut",
        "donut-align",
        "vit",
        "vit-old-file",
    ] {
        let folder = format!("{ORACLE}/auto-images/{folder}");
        if !Path::new(&folder).exists() {
            return;
        }
        let processor =
            ImageProcessor::from_file(format!("{folder}/preprocessor_config.json")).unwrap();
        let bytes = fs::read(format!("{folder}/pixels.safetensors")).unwrap();
        let reference = SafeTensors::deserialize(&bytes).unwrap();
        for (name, theirs) in reference.tensors() {
            let file = name.strip_prefix("pillow/").unwrap();
            let image = open(
                format!("{ORACLE}/images/images/{file}"),
                &DecodeOptions::default(),
            );
            let ours = processor.process(&image.unwrap()).unwrap();
            assert_eq!(ours.shape[1..], *theirs.shape(), "{folder} {file}");
            let found = distance(processor.config(), &ours.values, &floats(theirs.data()));
            let allowed = if file.ends_with("png") { 0.0 } else { 2.01 };
            assert!(found <= allowed, "{folder} {file}: {found} levels");
        }
    }
}

#[test]
fn every_backend_agrees_on_image_files() {
    let Ok(bytes) = fs::read(format!("{ORACLE}/images/pixels.safetensors")) else {
        return;
    };
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let mut cases = 0;
    for (name, theirs) in reference.tensors() {
        let (mode, file) = name.split_once('/').unwrap();
        let config = ImageProcessorConfig {
            resize_backend: match mode {
                "pillow" => Backend::Pil,
                "torchvision" => Backend::Torchvision,
                "seed-training" => Backend::TorchvisionWithoutAntialias,
                other => panic!("{other}"),
            },
            ..ImageProcessorConfig::square(64)
        };
        let processor = ImageProcessor::new(config).unwrap();
        let image = open(
            format!("{ORACLE}/images/images/{file}"),
            &DecodeOptions::default(),
        );
        let ours = processor.process(&image.unwrap()).unwrap();
        let found = distance(processor.config(), &ours.values, &floats(theirs.data()));
        // Pixels are equal; values after them differ by how `f32` was rounded.
        let allowed = match (file.ends_with("png"), mode) {
            (true, "pillow") => 0.0,
            (true, _) => 0.001,
            // Without antialias, a pixel of the file weighs more.
            (false, "seed-training") => 4.01,
            (false, _) => 2.01,
        };
        assert!(found <= allowed, "{name}: {found} levels");
        cases += 1;
    }
    assert_eq!(cases, 42);
}

#[test]
fn the_published_model_was_trained_without_antialias() {
    let config = ImageProcessorConfig::as_published(224);
    assert_eq!(config.resize_backend, Backend::TorchvisionWithoutAntialias);
    let config = ImageProcessorConfig {
        resize_backend: Backend::Pil,
        ..config
    };
    assert_eq!(config, ImageProcessorConfig::square(224));
}
