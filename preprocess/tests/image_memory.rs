//! A header that announces more than its file can hold is refused before memory is asked for, and what is decoded takes
//! memory in proportion to its pixels.

use std::fs;

use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, decode};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const ATTACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/attack");

/// What tables of a decoder may take, whatever the picture.
const TABLES: u64 = 2 << 20;

/// The bytes that decoding takes at most, and its result.
fn measured(bytes: &[u8]) -> (u64, Result<u64, Error>) {
    let mut result = None;
    let used = allocation_counter::measure(|| {
        let image = decode(bytes, &DecodeOptions::default());
        result = Some(image.map(|image| u64::from(image.width()) * u64::from(image.height())));
    });
    (used.bytes_max, result.unwrap())
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(format!("{DATA}/images/{name}")).unwrap()
}

/// A copy with other bytes at a place.
fn patched(mut bytes: Vec<u8>, at: usize, new: &[u8]) -> Vec<u8> {
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

/// A PNG file that announces another size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let bytes = patched(
        sample("rgb.png"),
        16,
        &[width.to_be_bytes(), height.to_be_bytes()].concat(),
    );
    let checksum = crc32(&bytes[12..29]).to_be_bytes();
    patched(bytes, 29, &checksum)
}

/// A TIFF file of 8 tags with a value each, little-endian, and no pixels.
fn tiff(compression: u32, size: u32, strips: u32) -> Vec<u8> {
    let tags = [
        (256, size, 1),
        (257, size, 1),
        (258, 8, 1),
        (259, compression, 1),
        (262, 1, 1),
        (273, 8, strips),
        (278, size, 1),
        (279, 100, strips),
    ];
    let mut bytes = b"II*\0\x08\0\0\0\x08\0".to_vec();
    for (tag, value, count) in tags {
        bytes.extend((tag as u16).to_le_bytes());
        bytes.extend(4u16.to_le_bytes());
        bytes.extend([u32::to_le_bytes(count), u32::to_le_bytes(value)].concat());
    }
    bytes.extend([0; 104]);
    bytes
}

#[test]
fn a_header_that_announces_more_than_its_file_can_hold_takes_no_memory() {
    let jpeg = sample("jpeg-grey.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    let gif = sample("animated.gif");
    let icon = [
        &b"\0\0\x01\0\x01\0\x09\x09\0\0\x01\0\x20\0\0\x01\0\0\x16\0\0\0"[..],
        &png(13_000, 13_000),
    ]
    .concat();
    for (name, bytes) in [
        ("PNG", png(13_000, 13_000)),
        ("PNG, long", png(178_000_000, 1)),
        ("JPEG", patched(jpeg, frame + 5, &[0xFF, 0x00, 0x0A, 0x00])),
        ("GIF", patched(gif, 6, &[0x80, 0x30, 0x80, 0x30])),
        (
            "BMP",
            patched(sample("rgb.bmp"), 18, &[0, 0x30, 0, 0, 0, 0x30, 0, 0]),
        ),
        ("BMP, run lengths", {
            let bytes = patched(sample("rgb.bmp"), 18, &[0, 0x30, 0, 0, 0, 0x30, 0, 0]);
            patched(bytes, 30, &[1, 0, 0, 0])
        }),
        (
            "lossy WebP",
            patched(sample("lossy.webp"), 26, &[0xFF, 0x3F, 0, 0x20]),
        ),
        (
            "lossless WebP",
            patched(sample("lossless.webp"), 21, &[0xFF, 0xFF, 0xFF, 0x0B]),
        ),
        ("PPM", b"P6 13000 13000 255\n".to_vec()),
        ("PGM, text", b"P2 13000 13000 255\n1 2 3".to_vec()),
        ("PBM", b"P4 13000 13000\n".to_vec()),
        (
            "PAM",
            b"P7\nWIDTH 13000\nHEIGHT 13000\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
                .to_vec(),
        ),
        (
            "QOI",
            b"qoif\0\0\x32\xc8\0\0\x32\xc8\x03\0\0\0\0\0\0\0\0\x01".to_vec(),
        ),
        ("TIFF", tiff(1, 13_000, 1)),
        ("TIFF, LZW", tiff(5, 13_000, 1)),
        ("TIFF, Deflate", tiff(8, 13_000, 1)),
        ("TIFF, PackBits", tiff(32773, 13_000, 1)),
        ("TIFF, JPEG", tiff(7, 13_000, 1)),
        ("TIFF, many strips", tiff(1, 9, 1 << 30)),
        ("ICO", icon),
    ] {
        let (memory, result) = measured(&bytes);
        assert!(
            matches!(result, Err(Error::Damaged { .. })),
            "{name}: {result:?}"
        );
        let limit = 4 * bytes.len() as u64 + (64 << 10);
        assert!(
            memory <= limit,
            "{name}: {memory} bytes for {}",
            bytes.len()
        );
    }
}

#[test]
fn a_picture_takes_memory_in_proportion_to_its_pixels() {
    for entry in fs::read_dir(format!("{DATA}/images")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let (memory, result) = measured(&bytes);
        let limit = 24 * result.unwrap() + 4 * bytes.len() as u64 + TABLES;
        assert!(memory <= limit, "{}: {memory} bytes", path.display());
    }
}

/// A progressive file may go over its picture once for each of thousands of scans, which takes a few bytes each.
#[test]
fn a_jpeg_of_thousands_of_scans_is_refused_at_once() {
    let whole = sample("jpeg-444-progressive.jpg");
    let is_scan = |at: &usize| whole[*at..].starts_with(&[0xFF, 0xDA]);
    let last = (0..whole.len()).rfind(is_scan).unwrap();
    let scan = &whole[last..whole.len() - 2];
    let bytes = [&whole[..last], &scan.repeat(3000), &[0xFF, 0xD9]].concat();
    let (memory, result) = measured(&bytes);
    assert!(
        matches!(result, Err(Error::UnsupportedImage { .. })),
        "{result:?}"
    );
    assert!(memory < 64 << 10, "{memory}");
}

/// Only the first frame is decoded.
#[test]
fn an_animation_of_thousands_of_frames_takes_the_memory_of_one() {
    let gif = sample("animated.gif");
    let (one, _) = measured(&gif);
    let many = [&gif[..gif.len() - 1], &gif[gif.len() / 2..].repeat(3000)].concat();
    let (memory, result) = measured(&many);
    result.unwrap();
    assert!(memory <= one + TABLES, "{memory} instead of {one}");
}

/// A chunk beside the pixels may expand to anything.
#[test]
fn compressed_chunks_beside_the_pixels_of_a_png_are_not_expanded() {
    let bytes = sample("rgb.png");
    let (plain, _) = measured(&bytes);
    // A profile of a gigabyte of zeros would be this, repeated.
    let content = [
        &b"iCCPname\0\0x\x9c"[..],
        &[0xEC, 0xC1, 0x01, 0x01, 0, 0, 0, 0x80, 0x90, 0xFE].repeat(1000),
    ]
    .concat();
    let length = (content.len() as u32 - 4).to_be_bytes();
    let chunk = [&length[..], &content, &crc32(&content).to_be_bytes()].concat();
    let with_chunk = [&bytes[..33], &chunk, &bytes[33..]].concat();
    let (memory, result) = measured(&with_chunk);
    result.unwrap();
    assert!(
        memory <= plain + 2 * chunk.len() as u64,
        "{memory} instead of {plain}"
    );
}

#[test]
fn a_configuration_of_an_enormous_result_is_refused_before_an_image_is_there() {
    let path = format!("{ATTACK}/08-preprocessor-crop-13377/preprocessor_config.json");
    let own = r#"{"crop_size": 13377, "size": {"shortest_edge": 96}}"#.to_owned();
    let shared = fs::read_to_string(path).unwrap_or_else(|_| own.clone());
    let no_crop = r#"{"do_center_crop": false, "size": 13377}"#.to_owned();
    let square = r#"{"image_processor_type": "ViTImageProcessor", "size": 13377}"#.to_owned();
    let page =
        r#"{"image_processor_type": "DonutImageProcessor", "size": [13377, 9000]}"#.to_owned();
    for text in [own, shared, no_crop, square, page] {
        let mut result = None;
        let used = allocation_counter::measure(|| {
            result = Some(ImageProcessorConfig::from_json(&text).and_then(ImageProcessor::new));
        });
        let error = result.unwrap().err().unwrap();
        assert!(matches!(error, Error::Config { .. }), "{error}");
        assert!(used.bytes_max < 64 << 10, "{} bytes", used.bytes_max);
    }
}
