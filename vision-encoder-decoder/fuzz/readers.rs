//! What is fuzzed: every reader of a file from outside takes any bytes, and reads all that it then
//! claims to have. Used by the targets of `cargo fuzz` and by `tests/mutations.rs`.
#![allow(dead_code)] // a target uses one of them

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vision_encoder_decoder::VisionEncoderDecoderConfig;
#[cfg(feature = "pytorch")]
use vision_encoder_decoder::checkpoint::PyTorchFile;
use vision_encoder_decoder::checkpoint::{FlaxFile, SafetensorsFile, ShardedWeights, TensorSource};

/// Numbers of the largest tensor that is read: more than any of these files can hold.
const MOST: usize = 1 << 22;

/// A safetensors file.
pub(crate) fn safetensors(bytes: &[u8]) {
    if let Ok(file) = SafetensorsFile::from_memory("fuzz", bytes.to_vec()) {
        read(&file, bytes.len());
    }
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
        fs::write(&path, bytes).expect("a temporary folder takes files");
        if let Ok(file) = PyTorchFile::open(path) {
            read(&file, usize::MAX);
        }
    });
}

/// An index beside one shard.
pub(crate) fn index(bytes: &[u8]) {
    in_folder(|folder| {
        let header = r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#;
        let length = (header.len() as u64).to_le_bytes();
        let shard = [&length[..], header.as_bytes(), &[0; 4]].concat();
        fs::write(folder.join("shard"), shard).expect("a temporary folder takes files");
        let path = folder.join("index.json");
        fs::write(&path, bytes).expect("a temporary folder takes files");
        // What it names may be any file, but never one outside the folder.
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
    }
}

fn in_folder(work: impl FnOnce(&Path)) {
    let folder = TempDir::new().expect("there is a place for temporary folders");
    work(folder.path());
}

/// Reads every tensor in two halves and at once. None can have more numbers than the file has room
/// for, at half a byte each at the least.
fn read(source: &dyn TensorSource, length: usize) {
    for name in source.names() {
        let info = source.info(name).expect("a name that is listed is there");
        let elements = info
            .shape
            .iter()
            .fold(1, |a: usize, b| a.saturating_mul(*b));
        if elements > MOST {
            assert!(length == usize::MAX, "{elements} numbers of {length} bytes");
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
