//! Models whose weights are packed compute what ordinary ones do, and come back from a packed file bit
//! by bit.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor};
use common::{Sizes, write, write_flax};
use packed_linear::Format;
use tempfile::TempDir;
use vision_encoder_decoder::checkpoint::{SaveOptions, StagedFolder};
use vision_encoder_decoder::{LoadError, Pretrained};

const FORMATS: [&str; 6] = ["f32", "bf16", "int8", "int8:8", "int4", "int4:8"];

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 2,
    vocabulary: 60,
};

fn format(text: &str) -> Option<Format> {
    Some(text.parse().unwrap())
}

fn load(folder: &Path, format: Option<Format>) -> Pretrained {
    Pretrained::from_folder_as(folder, format, &Device::flex()).unwrap()
}

/// A checkpoint as transformers writes it.
fn checkpoint() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &SMALL.config_json(), &SMALL.tensors());
    folder
}

fn packed(pretrained: &Pretrained) -> TempDir {
    let place = TempDir::new().unwrap();
    let staged = StagedFolder::new(place.path().join("packed")).unwrap();
    pretrained.write_packed(&staged).unwrap();
    staged.commit().unwrap();
    place
}

fn logits(pretrained: &Pretrained) -> Vec<f32> {
    let device = Device::flex();
    let pixels = Tensor::<1, Int>::arange(0..2 * 3 * 16 * 16, &device).float();
    let pixels = (pixels * 0.37).sin().reshape([2, 3, 16, 16]);
    let tokens = Tensor::<2, Int>::from_data([[2, 5, 7, 9], [2, 58, 59, 4]], &device);
    let logits = pretrained.model.forward(pixels, tokens, None);
    logits.into_data().try_into_vec_as::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn every_format_is_as_near_to_the_ordinary_model_as_its_bits_allow() {
    let folder = checkpoint();
    let ordinary = logits(&load(folder.path(), None));
    let largest = largest_difference(&ordinary, &vec![0.0; ordinary.len()]);
    for (text, tolerance) in [
        ("f32", 1e-5),
        ("bf16", 0.05),
        ("int8", 0.1),
        ("int4:8", 0.6),
    ] {
        let found = logits(&load(folder.path(), format(text)));
        let apart = largest_difference(&ordinary, &found) / largest;
        assert!(apart < tolerance, "{text}: {apart}");
    }
}

#[test]
fn flax_kernels_are_packed_as_pytorch_weights_are() {
    let folder = TempDir::new().unwrap();
    write_flax(folder.path(), &SMALL.config_json(), &SMALL.tensors());
    // The same weights, as transformers writes them.
    let place = TempDir::new().unwrap();
    let saved = place.path().join("saved");
    let ordinary = load(folder.path(), None);
    ordinary.save(&saved, &SaveOptions::default()).unwrap();
    for text in FORMATS {
        let ours = logits(&load(folder.path(), format(text)));
        assert!(ours == logits(&load(&saved, format(text))), "{text}");
    }
}

#[test]
fn a_packed_file_is_mapped_and_gives_the_same_model() {
    let folder = checkpoint();
    for text in FORMATS {
        let pretrained = load(folder.path(), format(text));
        let place = packed(&pretrained);
        let path = place.path().join("packed");
        assert_eq!(Pretrained::packed_format(&path).unwrap(), format(text));
        let again = load(&path, format(text));
        assert!(logits(&again) == logits(&pretrained), "{text}");
        assert_eq!(again.config, pretrained.config);
    }
}

#[test]
fn a_packed_file_is_a_checkpoint_like_any_other() {
    let folder = checkpoint();
    let place = packed(&load(folder.path(), format("f32")));
    let path = place.path().join("packed");
    // Ordinary weights of it, another format of it, and what is saved of those.
    assert_eq!(
        logits(&load(&path, None)),
        logits(&load(folder.path(), None))
    );
    let int8 = load(&path, format("int8"));
    assert_eq!(logits(&int8), logits(&load(folder.path(), format("int8"))));
    let saved = TempDir::new().unwrap();
    let saved = saved.path().join("saved");
    let f32 = load(&path, format("f32"));
    f32.save(&saved, &SaveOptions::default()).unwrap();
    let from_saved = logits(&load(&saved, None));
    assert_eq!(from_saved, logits(&load(folder.path(), None)));
}

#[test]
fn damaged_packed_files_are_errors() {
    let folder = checkpoint();
    let place = packed(&load(folder.path(), format("int4:8")));
    let path = place.path().join("packed");
    let file = path.join("model.packed.safetensors");
    let whole = fs::read(&file).unwrap();
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let result = |bytes: &[u8]| {
        // A new file: one that is mapped must not be cut off.
        fs::remove_file(&file).unwrap();
        fs::write(&file, bytes).unwrap();
        Pretrained::from_folder_as(&path, format("int4:8"), &Device::flex())
    };
    for length in [0, 7, 8, header, header + 8, header + 100, whole.len() - 1] {
        let error = result(&whole[..length]).unwrap_err();
        assert!(
            matches!(error, LoadError::Format { .. }),
            "{length}: {error}"
        );
    }
    // Any byte of the header may be wrong; loading may then fail but not panic.
    for place in (8..header).step_by(7) {
        for change in [1, 16, 128] {
            let mut bytes = whole.clone();
            bytes[place] ^= change;
            let _ = result(&bytes);
        }
    }
    for (from, to) in [
        ("int4:8:24x32", "int4:8:24x31"),
        ("int4:8:24x32", "int8:8:24x32"),
        (r#""packed-linear":"1""#, r#""packed-linear":"2""#),
    ] {
        let text = String::from_utf8(whole[8..8 + header].to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        let mut bytes = whole.clone();
        bytes[8..8 + header].copy_from_slice(text.replace(from, to).as_bytes());
        let error = result(&bytes).unwrap_err();
        assert!(
            matches!(error, LoadError::Format { .. } | LoadError::Shape { .. }),
            "{from}: {error}"
        );
    }
    assert!(result(&whole).is_ok());
}
