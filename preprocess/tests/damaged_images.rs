//! Damaged image files: cut short, with flipped bits, with wrong sizes in their headers. They end in an error or in a
//! result, never in a panic, and never take more memory than their limits.

use std::fs;

use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, decode, open};
use preprocess::image::{ImageProcessor, ImageProcessorConfig, RgbImage};

mod random;
use random::Random;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

#[test]
fn images_cut_short_anywhere_never_panic_and_are_refused_when_half_is_missing() {
    for entry in fs::read_dir(format!("{DATA}/images")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for step in 0..60 {
            let length = bytes.len() * step / 60;
            let result = decode(&bytes[..length], &DecodeOptions::default());
            // An animation needs only its first frame.
            let refuses = length < bytes.len() / 2 && !path.ends_with("animated.gif");
            assert!(
                result.is_err() || !refuses,
                "{} at {length}",
                path.display()
            );
        }
    }
}

#[test]
fn images_with_flipped_bits_never_panic() {
    let mut random = Random(3);
    // A flip in a header may announce any size; a low limit keeps the test fast.
    let options = DecodeOptions::default().with_max_pixels(1 << 20);
    for entry in fs::read_dir(format!("{DATA}/images")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random.below(4) {
                let bit = random.below(damaged.len() * 8);
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
            let _ = decode(&damaged, &options);
        }
    }
}

#[test]
fn a_header_that_announces_an_enormous_image_is_refused_before_it_is_allocated() {
    let mut bytes = fs::read(format!("{DATA}/images/rgb.png")).unwrap();
    // A PNG has width and height at bytes 16 to 23 and their checksum at 29 to 32.
    bytes[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    let error = decode(&bytes, &DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::ImageTooLarge {
                width: 60_000,
                height: 60_000,
                ..
            }
        ),
        "{error}"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

#[test]
fn files_that_are_not_images_are_named() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let error = open(readme, &DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(error.cause(), Error::UnknownFormat { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("README.md"), "{error}");
    let error = open("absent.png", &DecodeOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Read(_)), "{error}");
    assert!(error.to_string().contains("absent.png"), "{error}");
    let error = decode(&[], &DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(error, Error::UnknownFormat { bytes: 0 }),
        "{error}"
    );
}

#[test]
fn results_of_different_sizes_are_not_a_batch() {
    let config = ImageProcessorConfig {
        do_center_crop: false,
        ..ImageProcessorConfig::square(8)
    };
    let processor = ImageProcessor::new(config).unwrap();
    let image = |width, height| RgbImage::new(width, height, vec![0; 30]).unwrap();
    let error = processor
        .process_batch(&[image(5, 2), image(2, 5)])
        .unwrap_err();
    assert!(
        matches!(error, Error::MixedSizes { index: 1, .. }),
        "{error}"
    );
    assert_eq!(processor.process_batch(&[]).unwrap().shape[0], 0);
}

#[test]
fn an_enormous_result_is_refused() {
    let config = ImageProcessorConfig {
        do_center_crop: false,
        ..ImageProcessorConfig::square(224)
    };
    let thin = RgbImage::new(1, 1_000_000, vec![0; 3_000_000]).unwrap();
    let error = ImageProcessor::new(config)
        .unwrap()
        .process(&thin)
        .unwrap_err();
    assert!(matches!(error, Error::ResultTooLarge { .. }), "{error}");
}
