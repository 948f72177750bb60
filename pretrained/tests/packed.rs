//! Models with packed weights compute what models with ordinary weights compute, and a packed file
//! restores them bit for bit.

use std::fs;
use std::path::Path;

use crate::common::{Sizes, load_as, write, write_flax};
use burn::tensor::{Device, Int, Tensor};
use checkpoint::{LoadError as WeightsError, PackedFile, SaveOptions, StagedFolder, WeightsForm};
use packed_linear::Format;
use pretrained::{LoadError, LoadOptions, Pretrained, Weights};
use tempfile::TempDir;

const FORMATS: [&str; 6] = ["f32", "bf16", "int8", "int8:8", "int4", "int4:8"];

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 2,
    vocabulary: 60,
};

fn packed_as(text: &str) -> Weights {
    Weights::Packed(text.parse().unwrap())
}

fn load(folder: &Path, weights: Weights) -> Pretrained {
    load_as(folder, weights).unwrap()
}

fn load_mapped(folder: &Path, weights: Weights) -> Pretrained {
    let options = LoadOptions {
        weights,
        memory_map: true,
    };
    Pretrained::from_folder(folder, &options, &Device::flex()).unwrap()
}

/// A checkpoint as transformers writes it.
fn checkpoint() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &SMALL.config_json(), &SMALL.tensors());
    folder
}

/// A folder with packed weights, which is `packed` in the returned one.
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
fn every_format_is_as_close_to_ordinary_weights_as_its_bits_allow() {
    let folder = checkpoint();
    let ordinary = logits(&load(folder.path(), Weights::Ordinary));
    let largest = largest_difference(&ordinary, &vec![0.0; ordinary.len()]);
    for (text, tolerance) in [
        ("f32", 1e-5),
        ("bf16", 0.05),
        ("int8", 0.1),
        ("int4:8", 0.6),
    ] {
        let found = logits(&load(folder.path(), packed_as(text)));
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
    let ordinary = load(folder.path(), Weights::Ordinary);
    ordinary.save(&saved, &SaveOptions::default()).unwrap();
    for text in FORMATS {
        let ours = logits(&load(folder.path(), packed_as(text)));
        assert!(ours == logits(&load(&saved, packed_as(text))), "{text}");
    }
}

#[test]
fn a_packed_file_gives_the_same_model_whether_it_is_read_or_mapped() {
    let folder = checkpoint();
    for text in FORMATS {
        let pretrained = load(folder.path(), packed_as(text));
        let place = packed(&pretrained);
        let path = place.path().join("packed");
        let format: Format = text.parse().unwrap();
        let file = PackedFile::open(path.join(WeightsForm::Packed.file())).unwrap();
        assert_eq!(file.format(), Some(format));
        for weights in [packed_as(text), Weights::Auto] {
            for again in [load(&path, weights), load_mapped(&path, weights)] {
                assert_eq!(again.format, Some(format));
                assert!(logits(&again) == logits(&pretrained), "{text}");
                assert_eq!(again.config, pretrained.config);
            }
        }
    }
}

#[test]
fn a_packed_file_can_be_loaded_in_any_format_and_saved_as_safetensors() {
    let folder = checkpoint();
    let place = packed(&load(folder.path(), packed_as("f32")));
    let path = place.path().join("packed");
    // Load it as ordinary weights and in another format, and save it in the usual form.
    assert_eq!(
        logits(&load(&path, Weights::Ordinary)),
        logits(&load(folder.path(), Weights::Ordinary))
    );
    let int8 = load(&path, packed_as("int8"));
    assert_eq!(
        logits(&int8),
        logits(&load(folder.path(), packed_as("int8")))
    );
    let saved = TempDir::new().unwrap();
    let saved = saved.path().join("saved");
    let unchanged = load(&path, packed_as("f32"));
    unchanged.save(&saved, &SaveOptions::default()).unwrap();
    let from_saved = logits(&load(&saved, Weights::Ordinary));
    assert_eq!(from_saved, logits(&load(folder.path(), Weights::Ordinary)));
}

#[test]
fn a_damaged_packed_file_does_not_matter_for_ordinary_weights() {
    let folder = checkpoint();
    let expected = logits(&load(folder.path(), Weights::Ordinary));
    fs::write(folder.path().join(WeightsForm::Packed.file()), "damaged").unwrap();
    assert!(logits(&load(folder.path(), Weights::Ordinary)) == expected);
    assert!(load_as(folder.path(), Weights::Auto).is_err());
}

#[test]
fn damaged_packed_files_are_errors() {
    let folder = checkpoint();
    let place = packed(&load(folder.path(), packed_as("int4:8")));
    let path = place.path().join("packed");
    let file = path.join("model.packed.safetensors");
    let whole = fs::read(&file).unwrap();
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let result = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        match load_as(&path, packed_as("int4:8")) {
            Err(LoadError::Checkpoint(error)) => Err(error),
            Err(other) => panic!("{other}"),
            Ok(pretrained) => Ok(pretrained),
        }
    };
    for length in [0, 7, 8, header, header + 8, header + 100, whole.len() - 1] {
        let error = result(&whole[..length]).unwrap_err();
        assert!(
            matches!(error, WeightsError::Format { .. }),
            "{length}: {error}"
        );
    }
    // Any byte of the header may be wrong: loading may fail, but not panic.
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
            matches!(
                error,
                WeightsError::Format { .. } | WeightsError::Shape { .. }
            ),
            "{from}: {error}"
        );
    }
    assert!(result(&whole).is_ok());
}
