//! What is fuzzed: the readers of files from outside. Each is given any bytes, and then has to read
//! everything that it says it has. Used by the targets of `cargo fuzz` and by `tests/mutations.rs`.
#![allow(dead_code)] // each target uses one of them

use std::fs;
use std::path::Path;

use burn::tensor::Device;
#[cfg(feature = "pytorch")]
use checkpoint::PyTorchFile;
use checkpoint::{FlaxFile, PackedFile, SafetensorsFile, ShardedWeights, TensorSource};
use generation::GenerationConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights, as_published};
use tempfile::TempDir;

/// Values of the largest tensor that is read: more than any of these files can hold.
const MOST_VALUES: usize = 1 << 22;

/// A safetensors file.
pub(crate) fn safetensors(bytes: &[u8]) {
    if let Ok(file) = SafetensorsFile::from_memory("fuzz", bytes.to_vec()) {
        read(&file, bytes.len());
    }
}

/// A file of packed weights, read and mapped.
pub(crate) fn packed(bytes: &[u8]) {
    in_folder(|folder| {
        let path = folder.join("model.packed.safetensors");
        fs::write(&path, bytes).expect("a file can be written to a temporary folder");
        for open in [PackedFile::open, PackedFile::map_unchanging] {
            let Ok(file) = open(&path) else {
                continue;
            };
            let _ = file.format();
            read(&file, usize::MAX);
            for name in file.names() {
                if let Ok(Some((shape, words))) = file.packed(name) {
                    assert_eq!(words.num_elements(), shape.panels() * shape.panel_words());
                }
            }
        }
    });
}

/// A Flax file.
pub(crate) fn flax(bytes: &[u8]) {
    if let Ok(file) = FlaxFile::from_memory("fuzz", bytes.to_vec()) {
        read(&file, bytes.len());
    }
}

/// A PyTorch file.
#[cfg(feature = "pytorch")]
pub(crate) fn pytorch(bytes: &[u8]) {
    in_folder(|folder| {
        let path = folder.join("pytorch_model.bin");
        fs::write(&path, bytes).expect("a file can be written to a temporary folder");
        if let Ok(file) = PyTorchFile::open(path) {
            read(&file, usize::MAX);
        }
    });
}

/// The index of a folder with one shard.
pub(crate) fn index(bytes: &[u8]) {
    in_folder(|folder| {
        let header = r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#;
        let length = (header.len() as u64).to_le_bytes();
        let shard = [&length[..], header.as_bytes(), &[0; 4]].concat();
        fs::write(folder.join("shard"), shard)
            .expect("a file can be written to a temporary folder");
        let path = folder.join("index.json");
        fs::write(&path, bytes).expect("a file can be written to a temporary folder");
        // It may name any file of the folder, but none outside it.
        let weights = ShardedWeights::open(path, |shard| {
            assert_eq!(shard.parent(), Some(folder));
            SafetensorsFile::open(shard)
        });
        if let Ok(weights) = weights {
            read(&weights, usize::MAX);
        }
    });
}

/// A configuration.
pub(crate) fn config(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = VisionEncoderDecoderConfig::from_json(text);
        let _ = as_published::generation_config(text, &GenerationConfig::default());
        // The options of a checkpoint are read with its weights.
        if let Ok(weights) = SafetensorsFile::from_memory("fuzz", NO_WEIGHTS) {
            let device = Device::flex();
            let _ =
                Pretrained::from_parts("fuzz", text, None, &weights, Weights::Ordinary, &device);
        }
    }
}

/// A file without tensors.
const NO_WEIGHTS: &[u8] = b"\x02\0\0\0\0\0\0\0{}";

fn in_folder(work: impl FnOnce(&Path)) {
    let folder = TempDir::new().expect("a temporary folder can be created");
    work(folder.path());
}

/// Reads every tensor in two halves and at once. No tensor can have more values than its file has room
/// for.
fn read(source: &dyn TensorSource, length: usize) {
    for name in source.names() {
        let info = source.info(name).expect("a name that is listed is there");
        let elements = info
            .shape
            .iter()
            .fold(1, |a: usize, b| a.saturating_mul(*b));
        if elements > MOST_VALUES {
            assert!(length == usize::MAX, "{elements} values of {length} bytes");
            continue;
        }
        let mut values = vec![0.0; elements];
        let (start, end) = values.split_at_mut(elements / 2);
        let halves =
            source.read(name, 0, start).is_ok() && source.read(name, elements / 2, end).is_ok();
        if let Ok(whole) = source.read_all(name) {
            assert!(!halves || whole.len() == elements);
            let same = whole
                .iter()
                .zip(&values)
                .all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(!halves || same);
        }
    }
}
