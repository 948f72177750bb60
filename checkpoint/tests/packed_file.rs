//! A file of packed weights can be read, or mapped if it doesn't change.

use std::fs::{self, OpenOptions};
use std::path::Path;

use checkpoint::{LoadError, PackedFile, TensorSource};
use packed_linear::{Format, PackedShape};
use tempfile::TempDir;

const OUTPUTS: usize = 40;
const INPUTS: usize = 64;

/// A file with one packed tensor and one ordinary tensor.
fn write(path: &Path, shift: f32) {
    let shape = PackedShape::new(Format::INT8, OUTPUTS, INPUTS);
    let values: Vec<f32> = (0..OUTPUTS * INPUTS)
        .map(|i| (i as f32 * 0.37).sin() + shift)
        .collect();
    let words = shape.pack_all(&values);
    let bias: Vec<f32> = (0..OUTPUTS).map(|i| i as f32 + shift).collect();
    let (middle, end) = (4 * words.len(), 4 * (words.len() + bias.len()));
    let mut header = serde_json::json!({
        "__metadata__": {"packed-linear": "1", "weight": shape.to_string()},
        "weight": {
            "dtype": "U32",
            "shape": [shape.panels(), shape.panel_words()],
            "data_offsets": [0, middle],
        },
        "bias": {"dtype": "F32", "shape": [OUTPUTS], "data_offsets": [middle, end]},
    })
    .to_string();
    while !(8 + header.len()).is_multiple_of(64) {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(bias.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn words(file: &PackedFile) -> Result<Vec<u32>, LoadError> {
    let (shape, words) = file.packed("weight")?.unwrap();
    assert_eq!(shape, PackedShape::new(Format::INT8, OUTPUTS, INPUTS));
    Ok(words.try_into_vec::<u32>().unwrap())
}

#[test]
fn a_file_that_is_read_has_what_the_same_file_has_when_it_is_mapped() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.packed.safetensors");
    write(&path, 0.0);
    let read = PackedFile::open(&path).unwrap();
    let mapped = PackedFile::map_unchanging(&path).unwrap();
    for file in [&read, &mapped] {
        assert_eq!(file.format(), Some(Format::INT8));
        assert_eq!(file.info("weight").unwrap().shape, [OUTPUTS, INPUTS]);
        assert!(file.packed("bias").unwrap().is_none());
    }
    assert_eq!(words(&read).unwrap(), words(&mapped).unwrap());
    for name in ["weight", "bias"] {
        assert_eq!(read.read_all(name).unwrap(), mapped.read_all(name).unwrap());
    }
}

#[test]
fn a_file_that_is_truncated_after_it_was_opened_is_a_typed_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.packed.safetensors");
    write(&path, 0.0);
    let whole = fs::metadata(&path).unwrap().len();
    for length in [0, 8, whole / 2, whole - 1] {
        write(&path, 0.0);
        let file = PackedFile::open(&path).unwrap();
        let truncated = OpenOptions::new().write(true).open(&path).unwrap();
        truncated.set_len(length).unwrap();
        let mut errors = vec![file.read_all("bias").unwrap_err()];
        if length <= whole / 2 {
            errors.push(file.read_all("weight").unwrap_err());
            errors.push(words(&file).unwrap_err());
        }
        for error in errors {
            match error {
                LoadError::Format { origin, .. } => assert!(Path::new(&origin) == path),
                other => panic!("{length} bytes: {other}"),
            }
        }
    }
}

#[test]
fn a_mapped_file_can_be_replaced_by_renaming() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.packed.safetensors");
    write(&path, 0.0);
    let mapped = PackedFile::map_unchanging(&path).unwrap();
    let before = mapped.read_all("weight").unwrap();
    let other = folder.path().join("other");
    write(&other, 1.0);
    fs::rename(&other, &path).unwrap();
    assert_eq!(mapped.read_all("weight").unwrap(), before);
    let after = PackedFile::map_unchanging(&path).unwrap();
    assert_ne!(after.read_all("weight").unwrap(), before);
}
