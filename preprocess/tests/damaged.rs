//! Files from outside: cut short, with flipped bits, with lies in their headers. They end in an error or in a result,
//! never in a panic, and never take more memory than their limits.

use std::fs;

use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, decode, open};
use preprocess::image::{ImageProcessor, ImageProcessorConfig, RgbImage};
use preprocess::text::Tokenizer;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// A small generator of numbers (xorshift), so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn images_cut_short_anywhere_never_panic_and_are_refused_when_half_is_missing() {
    for entry in fs::read_dir(format!("{DATA}/images")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for step in 0..60 {
            let length = bytes.len() * step / 60;
            let result = decode(&bytes[..length], &DecodeOptions::default());
            // An animation is whole when its first frame is.
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
    // Width and height of a PNG stand at bytes 16 to 23, their checksum at 29 to 32.
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
fn files_that_are_no_images_are_named() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let error = open(readme, &DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(error.cause(), Error::UnknownFormat { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("README.md"), "{error}");
    let error = open("absent.png", &DecodeOptions::default()).unwrap_err();
    assert!(matches!(error.cause(), Error::Read(_)), "{error}");
    assert!(error.to_string().contains("absent.png"), "{error}");
    let error = decode(&[], &DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(error, Error::UnknownFormat { bytes: 0 }),
        "{error}"
    );
}

#[test]
fn results_of_different_sizes_are_no_batch() {
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

/// Reads damaged bytes and, where they still make a tokenizer, uses it: an unsound table would show only then.
fn try_tokenizer(bytes: &[u8], read: fn(&[u8]) -> Result<Tokenizer, Error>) {
    if let Ok(tokenizer) = read(bytes) {
        let texts = [
            "a dog",
            "ﬁne ＡＢＣ ½ e\u{301} \u{1}\u{200b} 😀",
            "</s>en_XX<mask>",
        ];
        for text in texts {
            if let Ok(ids) = tokenizer.encode(text, "en_XX", None) {
                let _ = tokenizer.decode(&ids, false);
            }
        }
        let _ = tokenizer.shortlist_of_texts(texts, 1);
    }
}

#[test]
fn damaged_sentencepiece_files_never_panic() {
    let bytes = fs::read(format!("{DATA}/text/sentencepiece.bpe.model")).unwrap();
    let mut random = Random(5);
    for step in 0..100 {
        let length = bytes.len() * step / 100;
        assert!(Tokenizer::from_sentencepiece_bytes(&bytes[..length]).is_err() || length > 200_000);
        try_tokenizer(&bytes[..length], Tokenizer::from_sentencepiece_bytes);
    }
    for _ in 0..150 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(20) {
            let bit = random.below(damaged.len() * 8);
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        try_tokenizer(&damaged, Tokenizer::from_sentencepiece_bytes);
    }
}

#[test]
fn damaged_tokenizer_json_files_never_panic() {
    let bytes = fs::read(format!("{DATA}/text/tokenizer.json.template")).unwrap();
    let error = Tokenizer::from_tokenizer_json_bytes(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("precompiled_charsmap"),
        "{error}"
    );
    // An identity table: a trie of one block without any key.
    let mut table = "AAQAAA".to_owned();
    table.push_str(&"A".repeat((1028usize * 8).div_ceil(6) - 6));
    while !table.len().is_multiple_of(4) {
        table.push('=');
    }
    let text = String::from_utf8(bytes).unwrap().replace("TABLE", &table);
    Tokenizer::from_tokenizer_json_bytes(text.as_bytes()).unwrap();
    let mut random = Random(7);
    for _ in 0..150 {
        let mut damaged = text.clone().into_bytes();
        for _ in 0..1 + random.below(3) {
            let position = random.below(damaged.len());
            damaged[position] = b' ' + random.below(94) as u8;
        }
        try_tokenizer(&damaged, Tokenizer::from_tokenizer_json_bytes);
    }
}

#[test]
fn tokenizers_of_another_kind_say_what_they_are() {
    // trainer_spec (field 2) with model_type (field 3) = 2.
    let error = Tokenizer::from_sentencepiece_bytes(&[0x12, 2, 0x18, 2]).unwrap_err();
    assert!(error.to_string().contains("BPE"), "{error}");
    let error = Tokenizer::from_sentencepiece_bytes(&[]).unwrap_err();
    assert!(error.to_string().contains("empty vocabulary"), "{error}");
    let json = br#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#;
    let error = Tokenizer::from_tokenizer_json_bytes(json).unwrap_err();
    assert!(error.to_string().contains("BPE"), "{error}");
    let json = br#"{"model": {"type": "Unigram", "unk_id": 0, "vocab": []}}"#;
    let error = Tokenizer::from_tokenizer_json_bytes(json).unwrap_err();
    assert!(error.to_string().contains("empty vocabulary"), "{error}");
}
