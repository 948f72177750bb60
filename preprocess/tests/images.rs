//! Pixels compared with Pillow's and Hugging Face's: those in `tests/data` always, the shared reference results where the
//! checkout has them.

use std::fs;
use std::path::{Path, PathBuf};

use preprocess::image::decode::{Alpha, DecodeOptions, open};
use preprocess::image::{
    CropSize, ImageProcessor, ImageProcessorConfig, Resample, ResizeTo, RgbImage, resize,
};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracle");

/// The largest difference between two JPEG decoders in grey levels: their inverse transforms round differently, and they
/// interpolate halved chroma differently.
const JPEG_LEVELS: u8 = 4;

fn images() -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("{DATA}/images")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 30);
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn image_of(tensor: &TensorView) -> RgbImage {
    let [height, width, 3] = *tensor.shape() else {
        panic!("{:?}", tensor.shape());
    };
    RgbImage::new(width as u32, height as u32, tensor.data().to_vec()).unwrap()
}

fn floats(tensor: &TensorView) -> Vec<f32> {
    let (values, _) = tensor.data().as_chunks::<4>();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// The largest difference in levels; the sizes must agree.
fn distance(ours: &RgbImage, theirs: &RgbImage) -> u8 {
    assert_eq!(
        [ours.width(), ours.height()],
        [theirs.width(), theirs.height()]
    );
    let pairs = ours.pixels().iter().zip(theirs.pixels());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn saved_options_read_back_and_unusable_ones_are_not_written() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("preprocessor_config.json");
    let mut config = ImageProcessorConfig::square(96);
    config.image_std = [0.0; 3];
    config.save(folder.path()).unwrap_err();
    assert!(!path.exists());
    config.image_std = [0.1, 1.0 / 3.0, 0.26862954];
    config.rescale_factor = 1.0 / 127.5;
    config.save(folder.path()).unwrap();
    assert_eq!(ImageProcessorConfig::from_file(path).unwrap(), config);
}

#[test]
fn every_mode_and_format_decodes_to_the_pixels_of_pillow() {
    let bytes = fs::read(format!("{DATA}/pixels.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    for path in images() {
        let name = name(&path);
        let ours = open(&path, &DecodeOptions::default()).unwrap();
        let theirs = image_of(&reference.tensor(&format!("rgb/{name}")).unwrap());
        let allowed = if name.ends_with("jpg") {
            JPEG_LEVELS
        } else {
            0
        };
        let found = distance(&ours, &theirs);
        assert!(found <= allowed, "{name}: {found} levels");
    }
}

#[test]
fn transparency_blends_onto_white_on_request_as_in_transformers() {
    let bytes = fs::read(format!("{DATA}/pixels.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let options = DecodeOptions::default().with_alpha(Alpha::OverWhite);
    let mut cases = 0;
    for path in images() {
        let ours = open(&path, &options).unwrap();
        if let Ok(theirs) = reference.tensor(&format!("over-white/{}", name(&path))) {
            assert_eq!(distance(&ours, &image_of(&theirs)), 0, "{}", name(&path));
            cases += 1;
        }
    }
    assert_eq!(cases, 6);
}

#[test]
fn all_eight_orientations_turn_upright_on_request_only() {
    let bytes = fs::read(format!("{DATA}/pixels.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    for orientation in 1..=8 {
        let name = format!("orientation-{orientation}.png");
        let path = format!("{DATA}/images/{name}");
        let turned = DecodeOptions::default().with_apply_exif_orientation(true);
        for (options, key) in [(DecodeOptions::default(), "rgb"), (turned, "upright")] {
            let theirs = image_of(&reference.tensor(&format!("{key}/{name}")).unwrap());
            assert_eq!(
                distance(&open(&path, &options).unwrap(), &theirs),
                0,
                "{key}/{name}"
            );
        }
    }
}

#[test]
fn every_filter_resizes_to_the_pixels_of_pillow() {
    let bytes = fs::read(format!("{DATA}/resize.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let mut cases = 0;
    for (name, theirs) in reference.tensors() {
        let parts: Vec<&str> = name.split('/').collect();
        let [input, height, width, filter] = parts[..] else {
            continue;
        };
        let image = image_of(&reference.tensor(input).unwrap());
        let filter = Resample::from_number(filter.parse().unwrap()).unwrap();
        let ours = resize(
            &image,
            width.parse().unwrap(),
            height.parse().unwrap(),
            filter,
        )
        .unwrap();
        assert_eq!(distance(&ours, &image_of(&theirs)), 0, "{name}");
        cases += 1;
    }
    assert!(cases > 150, "{cases}");
}

#[test]
fn pixel_values_equal_those_of_transformers_to_the_last_bit() {
    let bytes = fs::read(format!("{DATA}/pixels.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    // One side is cropped and the other padded, both by an odd number of pixels.
    let processor = ImageProcessor::new(ImageProcessorConfig {
        size: ResizeTo::ShortestEdge { shortest_edge: 12 },
        crop_size: CropSize {
            height: 13,
            width: 10,
        },
        ..ImageProcessorConfig::default()
    })
    .unwrap();
    for (name, theirs) in reference.tensors() {
        let Some(file) = name.strip_prefix("processed/") else {
            continue;
        };
        // Python's pixels, so that JPEG decoders have no influence.
        let image = image_of(&reference.tensor(&format!("rgb/{file}")).unwrap());
        let ours = processor.process(&image).unwrap();
        assert_eq!(ours.shape, [1, 3, 13, 10]);
        assert!(ours.values == floats(&theirs), "{file}");
    }
}

#[test]
fn pixel_values_of_image_files_agree_with_transformers() {
    let Ok(bytes) = fs::read(format!("{ORACLE}/images/pixels.safetensors")) else {
        return;
    };
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let config = ImageProcessorConfig::square(64);
    let processor = ImageProcessor::new(config.clone()).unwrap();
    let mut cases = 0;
    for (name, theirs) in reference.tensors() {
        let Some(file) = name.strip_prefix("pillow/") else {
            continue;
        };
        let image = open(
            format!("{ORACLE}/images/images/{file}"),
            &DecodeOptions::default(),
        );
        let ours = processor.process(&image.unwrap()).unwrap();
        let theirs = floats(&theirs);
        let levels = (0..theirs.len()).map(|index| {
            let std = config.image_std[index / (64 * 64)] as f32;
            (ours.values[index] - theirs[index]).abs() * std * 255.0
        });
        let worst = levels.fold(0.0, f32::max);
        let allowed = if file.ends_with("png") { 0.0 } else { 2.01 };
        assert!(worst <= allowed, "{file}: {worst} levels");
        cases += 1;
    }
    assert_eq!(cases, 14);
}

#[test]
fn the_configurations_of_checkpoints_are_read() {
    for (model, side) in [("hf-projected", 32), ("hf-same-width", 24), ("hf-wide", 28)] {
        let path = format!("{ORACLE}/{model}/preprocessor_config.json");
        if Path::new(&path).exists() {
            let config = ImageProcessorConfig::from_file(path).unwrap();
            assert_eq!(config, ImageProcessorConfig::square(side));
        }
    }
}

#[test]
fn an_extreme_aspect_ratio_costs_no_more_than_its_crop() {
    let processor = ImageProcessor::new(ImageProcessorConfig::square(64)).unwrap();
    let long = |width, height| RgbImage::new(width, height, vec![90; 3_000_000]).unwrap();
    // Without the crop, these would become 64 x 64,000,000 pixels.
    let images = [long(1_000_000, 1), long(1, 1_000_000)];
    let pixels = processor.process_batch(&images).unwrap();
    assert_eq!(pixels.shape, [2, 3, 64, 64]);
    assert!(
        pixels.values[..64 * 64]
            .iter()
            .all(|value| *value == pixels.values[0])
    );
}
