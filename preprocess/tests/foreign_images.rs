//! What is no picture, or one of a kind that is not decoded here, is named for what it is, with what to do. No message is
//! written for programmers.

use std::fs;

use preprocess::Error;
use preprocess::image::decode::{DecodeOptions, decode, open};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases");

/// The messages of an error and its sources, joined.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn message(bytes: &[u8]) -> String {
    chain(&decode(bytes, &DecodeOptions::default()).unwrap_err())
}

/// Whether a message is for users: it names no Rust item and no number of an enumeration.
fn is_plain(message: &str) -> bool {
    let message = message.replace("`git lfs pull`", "");
    !message.contains("::") && !message.contains('`') && !message.contains("Unknown(")
}

#[test]
fn foreign_files_are_named() {
    let brand = |brand: &str| [b"\0\0\0\x14ftyp", brand.as_bytes(), b"\0\0\0\0mif1"].concat();
    for (bytes, named) in [
        (brand("heic"), "HEIC"),
        (brand("heix"), "HEIC"),
        (brand("avif"), "AVIF"),
        (brand("avis"), "AVIF"),
        (brand("jxl "), "JPEG XL"),
        (brand("crx "), "camera"),
        (brand("qt  "), "video"),
        (b"\xff\x0a\xfa\x1f".to_vec(), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0".to_vec(), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0".to_vec(), "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0".to_vec(), "JPEG 2000"),
        (b"<svg xmlns='x'></svg>".to_vec(), "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>".to_vec(), "SVG"),
        (b"%PDF-1.7\n".to_vec(), "PDF"),
        (b"<!DOCTYPE html><html>".to_vec(), "web page"),
        (b"<?xml version='1.0'?><Error>".to_vec(), "XML"),
        (b"8BPS\0\x01".to_vec(), "Photoshop"),
        (b"PK\x03\x04".to_vec(), "ZIP"),
        (b"\0\0\x02\0\x01\0".to_vec(), "cursor"),
    ] {
        let message = message(&bytes);
        assert!(message.contains(named), "{message}");
        assert!(
            !message.contains("damaged") && is_plain(&message),
            "{message}"
        );
    }
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    assert!(message(pointer).contains("git lfs pull"));
}

#[test]
fn kinds_that_are_not_decoded_here_are_not_called_damaged() {
    for (file, named) in [
        ("arithmetic.jpg", "arithmetic"),
        ("group3.tif", "CCITT Group 3"),
        ("zstd.tif", "Zstandard"),
        ("lab.tif", "Lab"),
        ("grey-alpha.tif", "transparency"),
        ("float.tif", "floating-point"),
        ("4-bit.tif", "4 bits"),
        ("jpeg.bmp", "JPEG"),
    ] {
        let error = open(
            format!("{DATA}/unsupported-images/{file}"),
            &DecodeOptions::default(),
        );
        let error = error.unwrap_err();
        assert!(
            matches!(error.cause(), Error::UnsupportedImage { .. }),
            "{file}: {error}"
        );
        let message = chain(&error);
        assert!(
            message.contains(named) && message.contains("convert it"),
            "{message}"
        );
        assert!(
            !message.contains("damaged") && is_plain(&message),
            "{message}"
        );
    }
}

#[test]
fn pictures_of_users_are_named_or_read() {
    let options = DecodeOptions::default();
    for (file, expected) in [
        ("unknown-format-message/heic.heic", Some("HEIC")),
        ("unknown-format-message/html.jpg", Some("web page")),
        (
            "misleading-damaged-message/jpg-arith.jpg",
            Some("arithmetic"),
        ),
        ("misleading-damaged-message/tif-big.tif", None),
        ("misleading-damaged-message/tif-g4-fill2.tif", None),
        ("lfs-pointer/model.safetensors", Some("git lfs pull")),
        ("ico-rgb-png/ico.ico", None),
        ("apple-double-files/._a.png", Some("AppleDouble")),
    ] {
        let path = format!("{CASES}/{file}");
        if fs::metadata(&path).is_err() {
            continue;
        }
        match (open(&path, &options), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(named)) => {
                let message = chain(&error);
                assert!(message.contains(named) && is_plain(&message), "{message}");
            }
            (result, _) => panic!("{file}: {result:?}"),
        }
    }
}

#[test]
fn a_jpeg_that_is_cut_and_followed_by_another_is_cut() {
    for file in ["jpeg-420.jpg", "jpeg-444-progressive.jpg", "jpeg-grey.jpg"] {
        let whole = fs::read(format!("{DATA}/images/{file}")).unwrap();
        let options = DecodeOptions::default();
        let scan = whole
            .windows(2)
            .position(|pair| pair == [0xFF, 0xDA])
            .unwrap();
        for end in 2..whole.len() {
            let cut = [&whole[..end], &whole].concat();
            match decode(&cut, &options) {
                Err(error) => {
                    assert!(
                        matches!(error, Error::Damaged { .. }),
                        "{file} {end}: {error}"
                    );
                }
                // Before the pixels begin, the rest of a header may end in the other image, which is whole.
                Ok(image) => {
                    assert!(end < scan, "{file} {end}");
                    assert_eq!(image, decode(&whole, &options).unwrap(), "{file} {end}");
                }
            }
        }
        // A picture is its first image, as in files of several.
        let twice = [&whole[..], &whole].concat();
        assert_eq!(
            decode(&twice, &options).unwrap(),
            decode(&whole, &options).unwrap()
        );
    }
}
