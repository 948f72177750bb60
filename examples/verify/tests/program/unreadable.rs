//! For an input that can't be used, the program exits with code 2 and names the file.

use std::ffi::OsStr;
use std::fs;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use crate::folders::{Folder, set};
use crate::run::verify;

fn assert_unreadable(command: &str, folder: &Folder, named: &str) {
    let run = verify([OsStr::new(command), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(2), "{named}\n{}{}", run.output, run.errors);
    assert!(run.errors.contains(named), "{named}: {}", run.errors);
}

/// Checks that the program names a file that is damaged in several ways; restores the file.
fn assert_damage_is_found(command: &str, folder: &Folder, name: &str) {
    let original = folder.read(name);
    let half = &original[..original.len() / 2];
    let garbage: Vec<u8> = (0..997u32).map(|i| (i * i % 251) as u8).collect();
    for bytes in [
        half,
        &garbage,
        b"",
        b"{}",
        b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    ] {
        folder.write(name, bytes);
        assert_unreadable(command, folder, name);
    }
    fs::remove_file(folder.file(name)).unwrap();
    assert_unreadable(command, folder, name);
    folder.write(name, original);
}

#[test]
fn a_missing_folder_is_named() {
    for command in ["model", "images", "text"] {
        let run = verify([command, "no-such-folder"]);
        assert_eq!(run.code, Some(2));
        assert!(run.errors.contains("no-such-folder"), "{}", run.errors);
    }
}

#[test]
fn damaged_files_of_a_model_are_named() {
    let folder = Folder::copy_of("hf-wide");
    for name in [
        "config.json",
        "model.safetensors",
        "reference.safetensors",
        "reference.json",
    ] {
        assert_damage_is_found("model", &folder, name);
    }
}

#[test]
fn damaged_files_of_images_are_named() {
    let folder = Folder::copy_of("images");
    for name in ["pixels.json", "pixels.safetensors"] {
        assert_damage_is_found("images", &folder, name);
    }
    for name in ["tiny.png", "rotated-exif.jpg"] {
        let path = format!("images/{name}");
        let original = folder.read(&path);
        folder.write(&path, &original[..original.len() / 2]);
        assert_unreadable("images", &folder, name);
        fs::remove_file(folder.file(&path)).unwrap();
        assert_unreadable("images", &folder, name);
        folder.write(&path, original);
    }
    folder.write("pixels.json", r#"{"size": 0}"#);
    assert_unreadable("images", &folder, "pixels.json");
    fs::remove_dir_all(folder.file("images")).unwrap();
    folder.write("pixels.json", r#"{"size": 64}"#);
    assert_unreadable("images", &folder, "images");
}

#[test]
fn damaged_files_of_a_tokenizer_are_named() {
    let folder = Folder::of_text();
    for name in ["sentencepiece.bpe.model", "tokenizer.json.reference"] {
        assert_damage_is_found("text", &folder, name);
    }
}

#[test]
fn tokens_beyond_the_vocabulary_are_named() {
    let folder = Folder::copy_of("hf-wide");
    let original = folder.read("reference.safetensors");
    for token in [257, -1, i64::MAX] {
        let mut changed = original.clone();
        set(&mut changed, "decoder_input_ids", 4, token);
        folder.write("reference.safetensors", changed);
        assert_unreadable("model", &folder, "reference.safetensors");
    }
    let mut changed = original.clone();
    set(&mut changed, "decoder_attention_mask", 4, 2);
    folder.write("reference.safetensors", changed);
    assert_unreadable("model", &folder, "reference.safetensors");
    folder.write("reference.safetensors", original);

    let original = folder.read_json("reference.json");
    for (pointer, value) in [
        ("/decoder_start_token_id", json!(257)),
        ("/decoder_start_token_id", json!(-1)),
        ("/cases/1/options/forced_bos_token_id", json!(257)),
        (
            "/cases/2/options/forced_eos_token_id",
            json!(4_000_000_000u32),
        ),
        ("/cases/3/options/num_beams", json!(0)),
        ("/cases/3/options/num_beams", json!(1_000_000)),
        ("/cases/3/options/max_length", json!(1_000_000_000_000u64)),
        ("/cases/3/options/max_length", json!("many")),
        ("/cases/0/sequences/0/3", json!(-1)),
    ] {
        let mut changed = original.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        folder.write_json("reference.json", &changed);
        assert_unreadable("model", &folder, "reference.json");
    }
}

/// Writes the reference with a different shape for one of its tensors.
fn reshape(folder: &Folder, original: &[u8], name: &str, shape: &[usize]) {
    let file = SafeTensors::deserialize(original).unwrap();
    let zeros = vec![0; shape.iter().product::<usize>() * 8];
    let tensors = file.tensors().into_iter().map(|(tensor, view)| {
        if tensor != name {
            return (tensor, view);
        }
        let size = if view.dtype() == Dtype::I64 { 8 } else { 4 };
        let bytes = &zeros[..shape.iter().product::<usize>() * size];
        let view = TensorView::new(view.dtype(), shape.to_vec(), bytes).unwrap();
        (tensor, view)
    });
    folder.write(
        "reference.safetensors",
        safetensors::serialize(tensors, None).unwrap(),
    );
}

#[test]
fn inputs_of_the_wrong_shape_are_named() {
    let folder = Folder::copy_of("hf-wide");
    let original = folder.read("reference.safetensors");
    for (name, shape) in [
        ("pixel_values", &[3, 3, 28, 27][..]),
        ("pixel_values", &[3, 1, 28, 28]),
        ("pixel_values", &[0, 3, 28, 28]),
        ("pixel_values", &[3, 28, 28]),
        ("decoder_input_ids", &[2, 9]),
        ("decoder_input_ids", &[3, 0]),
        ("decoder_input_ids", &[3, 5000]),
        ("decoder_attention_mask", &[3, 8]),
    ] {
        reshape(&folder, &original, name, shape);
        assert_unreadable("model", &folder, "reference.safetensors");
    }
}

#[test]
fn values_of_the_wrong_type_are_named() {
    let folder = Folder::of_text();
    let original = folder.read_json("tokenizer.json.reference");
    for (pointer, value) in [
        ("/vocab_size", json!("many")),
        ("/mask", json!(-1)),
        ("/languages", json!([])),
        ("/encodings/0/ids/0", json!(1.5)),
        ("/encodings/0/text", Value::Null),
    ] {
        let mut changed = original.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        folder.write_json("tokenizer.json.reference", &changed);
        assert_unreadable("text", &folder, "tokenizer.json.reference");
    }
}
