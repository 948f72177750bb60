//! Transparency, and pictures that ask for more memory than there is.

mod common;

use std::fs;
use std::path::Path;

use common::{MODEL, caption, picture, text};
use serde_json::Value;
use tempfile::TempDir;

const STICKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sticker.png");

/// The lines of captions.
fn captions(arguments: &[&str]) -> String {
    let output = caption(&[&["--lang", "en"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn transparency_is_laid_on_white_unless_the_user_says_otherwise() {
    let on = |ground: &str| format!("{STICKER}\n  en_XX  red apple on a {ground} background\n");
    assert_eq!(captions(&[STICKER]), on("white"));
    assert_eq!(captions(&["--alpha", "white", STICKER]), on("white"));
    assert_eq!(captions(&["--alpha", "black", STICKER]), on("black"));
    // The colour that it has where nothing is seen.
    assert_eq!(captions(&["--alpha", "drop", STICKER]), on("black"));
    let opaque = picture("camera-red.png");
    let expected = captions(&[&opaque]);
    for alpha in ["white", "black", "drop"] {
        assert_eq!(captions(&["--alpha", alpha, &opaque]), expected);
    }
    let output = caption(&["--alpha", "grey", &opaque]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("white"),
        "{}",
        text(&output.stderr)
    );
    assert!(captions(&["--help"]).contains("--alpha <GROUND>"));
}

/// The caption of a model whose vocabulary would change a terminal stays one line of text and of JSON.
#[test]
fn captions_of_a_hostile_vocabulary_are_escaped() {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(MODEL).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    // Pieces of the same length in bytes, so that nothing else in the file changes.
    let path = folder.path().join("sentencepiece.bpe.model");
    let mut bytes = fs::read(&path).unwrap();
    for (piece, hostile) in [
        ("▁came", "▁c\x1b[2"),
        ("▁red", "▁\u{202e}"),
        ("▁back", "▁\u{9b}\n\r"),
    ] {
        replace(&mut bytes, piece, hostile);
    }
    fs::write(path, bytes).unwrap();
    let model = folder.path().to_str().unwrap();
    let camera = picture("camera-red.png");
    let arguments = ["--model", model, camera.as_str()];
    let expected = r"  en_XX  c\x1b[2ra on a \u{202e} \u{9b}\n\rground";
    for stream in [&[][..], &["--stream"]] {
        let shown = captions(&[stream, &arguments].concat());
        assert_eq!(shown.lines().nth(1), Some(expected), "{shown:?}");
        assert_eq!(shown.lines().count(), 2);
    }
    for extra in [
        &["--json"][..],
        &["--json", "--stream"],
        &["--json", "--alternatives", "3"],
    ] {
        let shown = captions(&[extra, &arguments].concat());
        assert!(
            !shown.replace('\n', "").contains(report::is_escaped),
            "{shown:?}"
        );
        let record: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
        let found = record["captions"][0]["text"].as_str().unwrap();
        assert_eq!(found, "c\x1b[2ra on a \u{202e} \u{9b}\n\rground");
    }
    let out = folder.path().join("out");
    captions(&[&["--attention", out.to_str().unwrap()], &arguments[..]].concat());
    for entry in fs::read_dir(out).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains(report::is_escaped), "{name:?}");
    }
}

/// Replaces a piece of a vocabulary, which stands behind its length.
fn replace(bytes: &mut [u8], piece: &str, by: &str) {
    assert_eq!(piece.len(), by.len());
    let length = u8::try_from(piece.len()).unwrap();
    let entry = [&[0x0a, length], piece.as_bytes()].concat();
    let start = bytes
        .windows(entry.len())
        .position(|window| window == entry)
        .unwrap();
    bytes[start + 2..start + entry.len()].copy_from_slice(by.as_bytes());
}

#[cfg(unix)]
#[test]
fn a_picture_without_memory_for_it_does_not_end_the_others() {
    let folder = TempDir::new().unwrap();
    for extension in ["png", "jpg", "ppm"] {
        let path = folder.path().join(format!("big.{extension}"));
        write_large(&path);
        let script = "ulimit -v 500000 && exec \"$0\" \"$@\"";
        let pictures = [
            &picture("camera-red.png"),
            path.to_str().unwrap(),
            &picture("penguin-blue.png"),
        ];
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                script,
                env!("CARGO_BIN_EXE_caption"),
                "--threads",
                "1",
                "--lang",
                "en",
            ])
            .args(pictures)
            .output()
            .unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{extension}: {message}");
        assert!(
            message.contains(&format!("big.{extension}")) && message.lines().count() == 1,
            "{message}"
        );
        assert!(message.contains("memory"), "{message}");
        assert_eq!(text(&output.stdout).lines().count(), 4, "{extension}");
        fs::remove_file(path).unwrap();
    }
}

/// Writes a picture of 64 million pixels.
fn write_large(path: &Path) {
    image::GrayImage::new(8000, 8000).save(path).unwrap();
}
