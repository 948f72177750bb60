//! Changed pictures and configurations are errors or give a result; they never cause a panic, nor take more memory than
//! their limit. Changes keep to the structure of a format, so that they reach what is behind its checksums and headers: parts of
//! a file (chunks, segments, tags) are dropped, repeated, moved and changed, and checksums are made right again.
//! `MUTATIONS=10000 cargo test -p preprocess --test image_mutations` makes more changes of each file.

use std::env;
use std::fs;
use std::panic;
use std::time::{Duration, Instant};

use preprocess::Error;
use preprocess::image::decode::{Alpha, DecodeOptions, decode};
use preprocess::image::{ImageProcessor, ImageProcessorConfig, ResizeTo, RgbImage};
use safetensors::SafeTensors;
use serde_json::{Map, Value, json};

mod parts;
mod random;
use parts::{join, split};
use random::Random;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// Changes of each file, unless the environment says otherwise.
const CHANGES: usize = 40;

/// The largest number of pixels here: changed headers announce any size, and a low limit keeps the test fast.
const MAX_PIXELS: u64 = 1 << 18;

/// What decoding may take: 16 bytes for each pixel, a working copy, and tables of decoders.
const MAX_MEMORY: u64 = 40 << 20;

const MAX_TIME: Duration = Duration::from_secs(5);

fn changes() -> usize {
    env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap())
}

/// Pictures of every format and kind, by name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut corpus = Vec::new();
    for folder in ["images", "unsupported-images"] {
        for entry in fs::read_dir(format!("{DATA}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            corpus.push((name, fs::read(path).unwrap()));
        }
    }
    let odd = fs::read(format!("{DATA}/odd-images.safetensors")).unwrap();
    for (name, file) in SafeTensors::deserialize(&odd).unwrap().tensors() {
        if let Some(name) = name.strip_prefix("file/") {
            corpus.push((name.to_owned(), file.data().to_vec()));
        }
    }
    corpus.sort();
    corpus
}

const EXTREMES: [u32; 12] = [
    0,
    1,
    2,
    3,
    0x7F,
    0xFF,
    0x100,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
];

/// Changes bytes in one of the ways that break parsers.
fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    // Headers are changed more often than what follows.
    let end = match random.below(3) {
        0 => bytes.len(),
        _ => bytes.len().min(40),
    };
    let place = random.below(end);
    let last = bytes.len().min(place + 1 + random.below(8));
    let number = EXTREMES[random.below(EXTREMES.len())];
    match random.below(7) {
        0 => bytes[place] ^= 1 << random.below(8),
        1 => bytes[place] = random.below(256) as u8,
        2 => {
            for (byte, new) in bytes[place..].iter_mut().zip(number.to_le_bytes()) {
                *byte = new;
            }
        }
        3 => {
            for (byte, new) in bytes[place..].iter_mut().zip((number as u16).to_be_bytes()) {
                *byte = new;
            }
        }
        4 => bytes.truncate(place),
        5 => drop(bytes.drain(place..last)),
        _ => {
            let part = bytes[place..last].to_vec();
            bytes.splice(place..place, part);
        }
    }
}

/// Changes one to three parts of a file.
fn changed(original: &[u8], random: &mut Random) -> Vec<u8> {
    if random.below(4) == 0 {
        let mut bytes = original.to_vec();
        for _ in 0..1 + random.below(3) {
            change_bytes(&mut bytes, random);
        }
        return bytes;
    }
    let mut parts = split(original);
    for _ in 0..1 + random.below(3) {
        if parts.is_empty() {
            break;
        }
        let index = random.below(parts.len());
        match random.below(6) {
            0 => drop(parts.remove(index)),
            1 => {
                let part = parts[index].clone();
                parts.insert(index, part);
            }
            2 => {
                let other = random.below(parts.len());
                parts.swap(index, other);
            }
            _ => change_bytes(&mut parts[index], random),
        }
    }
    join(original, &parts)
}

fn is_plain(error: &Error) -> bool {
    let message = error.to_string();
    !message.contains("::") && !message.contains('`') && !message.contains(char::is_control)
}

/// Decodes bytes and says what it took.
fn check(name: &str, bytes: &[u8], options: &DecodeOptions) -> bool {
    let start = Instant::now();
    let mut is_image = false;
    let used = allocation_counter::measure(|| match decode(bytes, options) {
        Ok(image) => {
            is_image = true;
            let pixels = u64::from(image.width()) * u64::from(image.height());
            assert!(pixels <= MAX_PIXELS, "{name}");
        }
        Err(error) => {
            assert!(is_plain(&error), "{name}: {error}");
            // What is reported if a decoder panicked, which nothing here should bring about.
            assert!(!error.to_string().contains("can't cope"), "{name}: {error}");
        }
    });
    assert!(
        used.bytes_max <= MAX_MEMORY,
        "{name}: {} bytes",
        used.bytes_max
    );
    assert!(start.elapsed() < MAX_TIME, "{name}: {:?}", start.elapsed());
    is_image
}

#[test]
fn changed_pictures_never_panic_nor_take_more_than_their_limit() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let options = DecodeOptions::default()
        .with_max_pixels(MAX_PIXELS)
        .with_apply_exif_orientation(true)
        .with_alpha(Alpha::OverWhite);
    let (mut images, mut errors) = (0u64, 0u64);
    for (name, original) in corpus() {
        for number in 0..changes() {
            let bytes = changed(&original, &mut random);
            let result = panic::catch_unwind(|| check(&name, &bytes, &options));
            match result {
                Ok(true) => images += 1,
                Ok(false) => errors += 1,
                Err(_) => {
                    let path = env::temp_dir().join("changed-picture");
                    fs::write(&path, &bytes).unwrap();
                    panic!("change {number} of {name}, now in {}", path.display());
                }
            }
        }
    }
    println!("{images} changed pictures decoded, {errors} were refused");
    assert!(images > 0 && errors > 0);
}

/// Values that the options of a configuration are changed to.
fn value(random: &mut Random) -> Value {
    let number = || json!([0, 1, 3, 5, 7, 8, 9, 224, 13_377, 65_535, 70_000, -1]);
    match random.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!(0.5),
        4 => json!(1e300),
        5 => json!("bicubic"),
        6 => json!([]),
        7 => {
            json!({"shortest_edge": number()[random.below(12)], "longest_edge": number()[random.below(12)]})
        }
        8 => json!({"height": number()[random.below(12)], "width": number()[random.below(12)]}),
        9 => json!([number()[random.below(12)], number()[random.below(12)]]),
        10 => json!([0.5, 0.25, u64::MAX]),
        _ => number()[random.below(12)].clone(),
    }
}

const KEYS: [&str; 18] = [
    "size",
    "crop_size",
    "resample",
    "do_resize",
    "do_center_crop",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "do_convert_rgb",
    "do_thumbnail",
    "do_align_long_axis",
    "do_pad",
    "image_processor_type",
    "feature_extractor_type",
    "resize_backend",
    "another",
];

const NAMES: [&str; 8] = [
    "CLIPImageProcessor",
    "ViTFeatureExtractor",
    "DeiTImageProcessorFast",
    "BeitImageProcessorPil",
    "DonutImageProcessor",
    "DonutImageProcessor",
    "NougatImageProcessor",
    "",
];

#[test]
fn changed_configurations_never_panic_nor_ask_for_enormous_results() {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let images = [(1, 1), (7, 5), (5, 7), (40, 1), (1, 40)];
    let images = images.map(|(width, height)| {
        RgbImage::new(width, height, vec![90; (width * height * 3) as usize]).unwrap()
    });
    let (mut usable, mut refused) = (0u64, 0u64);
    for _ in 0..changes() * 20 {
        let mut options = Map::new();
        for _ in 0..random.below(8) {
            let key = KEYS[random.below(KEYS.len())];
            options.insert(key.to_owned(), value(&mut random));
        }
        if random.below(3) > 0 {
            let name = NAMES[random.below(NAMES.len())];
            options.insert("image_processor_type".to_owned(), json!(name));
        }
        if random.below(4) == 0 {
            let backends = ["pil", "torchvision", "torchvision-without-antialias"];
            options.insert(
                "resize_backend".to_owned(),
                json!(backends[random.below(3)]),
            );
        }
        let mut text = Value::Object(options).to_string().into_bytes();
        if random.below(4) == 0 {
            change_bytes(&mut text, &mut random);
        }
        let text = String::from_utf8_lossy(&text);
        let config = match ImageProcessorConfig::from_json(&text) {
            Ok(config) => config,
            Err(error) => {
                let message = error.to_string();
                assert!(!message.contains(char::is_control), "{text}: {message}");
                refused += 1;
                continue;
            }
        };
        let again = ImageProcessorConfig::from_json(&config.to_json()).unwrap();
        assert_eq!(again, config, "{text}");
        usable += 1;
        let is_page = |height: u32, width: u32| u64::from(height) * u64::from(width) > 1 << 18;
        let is_large = match config.size {
            ResizeTo::Exact { height, width } => is_page(height, width),
            _ => false,
        };
        if is_large || text.contains("13377") || text.contains("65535") {
            continue; // Allowed, and slow.
        }
        let processor = ImageProcessor::new(config).unwrap();
        for image in &images {
            if let Ok(pixels) = processor.process(image) {
                let count = pixels.shape[2] as u64 * pixels.shape[3] as u64;
                assert!(count <= ImageProcessorConfig::MAX_RESULT_PIXELS, "{text}");
            }
            let _ = processor.shown(image);
        }
    }
    println!("{usable} changed configurations were usable, {refused} were refused");
    assert!(usable > 0 && refused > 0);
}
