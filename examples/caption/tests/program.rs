//! The program as its users run it.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{MODEL, PICTURES, caption, fails_with, picture, text};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn a_picture_is_captioned_in_four_languages() {
    let output = caption(&[&picture("cat-and-pizza-blue.png")]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    let lines: Vec<&str> = stdout.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "  en_XX  cat and pizza on a blue background",
            "  fr_XX  chat et pizza sur fond bleu",
            "  de_DE  Katze und Pizza auf blauem Hintergrund",
            "  es_XX  gato y pizza sobre fondo azul",
        ]
    );
    assert_eq!(
        text(&output.stderr),
        "",
        "nothing is printed if stderr is not a terminal"
    );
}

#[test]
fn json_has_an_object_per_picture_with_the_documented_fields() {
    let output = caption(&["--json", "--lang", "spanish,de,fr_XX", PICTURES]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    let records: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let images: Vec<&str> = records
        .iter()
        .map(|r| r["image"].as_str().unwrap())
        .collect();
    assert_eq!(images.len(), 4);
    assert!(images.is_sorted());
    for record in &records {
        let captions = record["captions"].as_array().unwrap();
        let languages: Vec<&str> = captions
            .iter()
            .map(|c| c["lang"].as_str().unwrap())
            .collect();
        assert_eq!(languages, ["es_XX", "de_DE", "fr_XX"]);
        for caption in captions {
            assert!(caption["text"].as_str().unwrap().contains(' '));
            assert_eq!(caption["ids"][0], 2);
            assert!(caption["score"].as_f64().unwrap() < 0.0);
        }
        assert!(record["encode_ms"].as_f64().unwrap() > 0.0);
        assert!(record["generate_ms"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn several_captions_per_language_have_scores() {
    let camera = picture("camera-red.png");
    let options = [
        "--num-beams",
        "3",
        "--num-return-sequences",
        "2",
        "--lang",
        "en",
    ];
    let output = caption(&[&options[..], &[&camera]].concat());
    let stdout = text(&output.stdout);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    let score = |line: &str| {
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let scores: Vec<f64> = stdout.lines().skip(1).map(score).collect();
    assert!(scores[0] >= scores[1]);
}

#[test]
fn one_thread_a_folder_and_memory_mapping_give_the_same_captions() {
    let arguments = ["--num-beams", "2", PICTURES];
    let expected = caption(&arguments).stdout;
    let one_thread = caption(&[&["--threads", "1"], &arguments[..]].concat()).stdout;
    assert_eq!(text(&one_thread), text(&expected));
    let model = caption(&[&["--model", MODEL], &arguments[..]].concat()).stdout;
    assert_eq!(text(&model), text(&expected));
    // This model has no packed weights to map, which changes nothing.
    let mapped = caption(&[&["--model", MODEL, "--mmap"], &arguments[..]].concat()).stdout;
    assert_eq!(text(&mapped), text(&expected));
}

#[test]
fn weights_of_every_precision_caption() {
    let camera = picture("camera-red.png");
    let captions = |precision: &str| {
        let output = caption(&["--precision", precision, &camera]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let expected = captions("auto");
    assert_eq!(expected.lines().count(), 5);
    for precision in ["ordinary", "f32", "bf16", "int8", "int8:64"] {
        assert_eq!(captions(precision), expected, "{precision}");
    }
}

#[test]
fn broken_pictures_are_reported_and_the_others_captioned() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(picture("camera-red.png"), path("b.png")).unwrap();
    fs::write(path("a.png"), "not a picture").unwrap();
    fs::write(path("c.png"), enormous_png()).unwrap();
    let whole = fs::read(picture("penguin-blue.png")).unwrap();
    fs::write(path("d.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path("e.txt"), "ignored").unwrap();
    fs::write(path("f.png"), "").unwrap();
    fs::copy(picture("penguin-blue.png"), path("g.PNG")).unwrap();

    let missing = path("missing.png");
    let output = caption(&[
        "--lang",
        "en",
        &folder.path().display().to_string(),
        &missing.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert!(stdout.contains("camera on a red background"));
    assert!(stdout.contains("penguin on a blue background"));
    assert_eq!(stdout.lines().count(), 4);
    let stderr = text(&output.stderr);
    for name in ["a.png", "c.png", "d.png", "f.png", "missing.png"] {
        let line = stderr.lines().find(|line| line.contains(name));
        assert!(line.is_some(), "{name}: {stderr}");
    }
    assert!(stderr.contains("60000 x 60000"), "{stderr}");
    assert_eq!(stderr.lines().count(), 5, "{stderr}");
}

#[test]
fn an_empty_folder_is_reported() {
    let folder = TempDir::new().unwrap();
    let name = folder.path().display().to_string();
    let stderr = fails_with(1, &[&name]);
    assert!(stderr.contains("has no pictures"), "{stderr}");
    let camera = picture("camera-red.png");
    let output = caption(&[&name, &camera]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("camera on a red background"));
}

#[test]
fn as_published_captions_are_padded_and_come_from_truncated_pixels() {
    let camera = picture("camera-red.png");
    let ids = |published: &[&str]| -> Vec<u64> {
        let options = ["--json", "--lang", "en", "--max-length", "30", &camera];
        let output = caption(&[&options, published].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let record: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ids = record["captions"][0]["ids"].as_array().unwrap();
        ids.iter().map(|id| id.as_u64().unwrap()).collect()
    };
    let published = ids(&["--as-published"]);
    assert_eq!(published.len(), 30);
    let ours = ids(&[]);
    assert_ne!(published[..ours.len()], ours);
}

#[test]
fn invalid_options_are_refused_with_what_was_expected() {
    let camera = picture("camera-red.png");
    for (arguments, expected) in [
        (&["--num-beams", "0"][..], "num_beams is 0"),
        (
            &["--num-return-sequences", "5"],
            "expected 1 to num_beams, which is 4",
        ),
        (
            &["--as-published", "--num-return-sequences", "2"],
            "does not know num_return_sequences",
        ),
        (&["--lang", "klingon"], "en_XX (English)"),
        (&["--lang", "it"], "es_XX (Spanish)"),
        (&["--lang", ""], "unknown language"),
        (&["--max-length", "1"], "leaves none to generate"),
        (&["--length-penalty", "nan"], "length_penalty is NaN"),
        (&["--device", "abacus"], "compiled in: flex"),
        (
            &["--model", "/nowhere"],
            "/nowhere: there is no such folder",
        ),
        (&["--tokenizer", "/nowhere"], "--model <MODEL>"),
        (&["--mmap"], "--model <MODEL>"),
        (&["--precision", "f8"], "f32, bf16, int8 or int4"),
        (&["--nonsense"], "unexpected argument"),
    ] {
        let stderr = fails_with(2, &[arguments, &[&camera]].concat());
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert!(fails_with(2, &[]).contains("required"));
}

#[test]
fn a_caption_longer_than_the_model_can_write_is_refused() {
    let camera = picture("camera-red.png");
    let stderr = fails_with(2, &["--max-length", "66", &camera]);
    assert!(stderr.contains("the model can write 65"), "{stderr}");
}

#[test]
fn an_error_names_the_damaged_file_of_a_model_and_all_reasons() {
    let camera = picture("camera-red.png");
    let weights = fs::read(format!("{MODEL}/model.safetensors")).unwrap();
    for (file, content, expected) in [
        (
            "config.json",
            &b"{"[..],
            "/config.json: not a model configuration: EOF while parsing",
        ),
        (
            "generation_config.json",
            b"[]",
            "/generation_config.json: not a generation configuration: invalid type",
        ),
        (
            "preprocessor_config.json",
            b"{\"size\": 0}",
            "preprocessor_config.json",
        ),
        (
            "preprocessor_config.json",
            b"{\"crop_size\": 64}",
            "of different models",
        ),
        (
            "sentencepiece.bpe.model",
            b"not a tokenizer",
            "sentencepiece.bpe.model",
        ),
        (
            "model.safetensors",
            &weights[..weights.len() / 2],
            "model.safetensors",
        ),
    ] {
        let folder = model_with(file, content);
        let name = folder.path().display().to_string();
        let stderr = fails_with(2, &["--model", &name, &camera]);
        assert!(stderr.contains(expected), "{file}: {stderr}");
    }
}

/// A copy of the embedded model with one file replaced.
fn model_with(file: &str, content: &[u8]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(Path::new(MODEL)).unwrap() {
        let from: PathBuf = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join(file), content).unwrap();
    folder
}

/// The beginning of a PNG that claims 60,000 × 60,000 pixels.
fn enormous_png() -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(60_000_u32.to_be_bytes());
    header.extend(60_000_u32.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(checksum(&header).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    png
}

/// The CRC-32 of PNG.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[test]
fn captions_in_one_language_are_translated() {
    // Random weights, so only where the translation stands says something.
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../translation/tests/data/tiny"
    );
    let penguin = picture("penguin-blue.png");
    let ask = |arguments: &[&str]| {
        let asked = ["--lang", "en", "--translate", model, &penguin];
        let output = caption(&[&asked, arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let record: Value = serde_json::from_str(&ask(&["--json"])).unwrap();
    let found = &record["captions"][0];
    assert_eq!(found["text"], "penguin on a blue background");
    let translation = found["translation"].as_str().unwrap();
    let printed = ask(&[]);
    let line = printed.lines().nth(1).unwrap();
    assert_eq!(line.trim(), translation.trim());

    let error = fails_with(2, &["--translate", model, &penguin]);
    assert!(error.contains("4 were asked for"), "{error}");
}
