//! Reference folders: those of this package, copies that tests change, and shared ones.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracle");

/// The vocabulary that the reference in `tests/data/text` was made with.
const VOCABULARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/model/sentencepiece.bpe.model"
);

/// Small tokenizers of several classes, each with what a public implementation makes of texts and ids.
const CLASSES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../preprocess/tests/data/classes"
);

/// The folders in another one.
pub(crate) fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A folder of the shared references; `None` in a checkout without them.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(SHARED).join(name);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("not run: {} is not there", folder.display());
    None
}

/// A temporary folder that is removed when it is dropped.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A copy of a folder in `tests/data`.
    pub(crate) fn copy_of(name: &str) -> Self {
        let folder = Self::empty();
        copy(&Path::new(DATA).join(name), folder.path());
        folder
    }

    /// A copy of the text reference with its vocabulary.
    pub(crate) fn of_text() -> Self {
        let folder = Self::copy_of("text");
        fs::copy(VOCABULARY, folder.file("sentencepiece.bpe.model")).unwrap();
        folder
    }

    /// A copy of the small tokenizer with this name.
    pub(crate) fn of_class(name: &str) -> Self {
        let folder = Self::empty();
        copy(&Path::new(CLASSES).join(name), folder.path());
        folder
    }

    /// The folders of all small tokenizers.
    pub(crate) fn of_classes() -> Vec<PathBuf> {
        folders_in(Path::new(CLASSES))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(name), bytes).unwrap();
    }

    pub(crate) fn read_json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    pub(crate) fn write_json(&self, name: &str, value: &Value) {
        self.write(name, value.to_string());
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            // `fs::copy` would copy read-only permissions too, and the copies are changed.
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// The bytes of one element in a safetensors file, to be changed in place.
pub(crate) fn element<'a, const SIZE: usize>(
    bytes: &'a mut [u8],
    tensor: &str,
    index: usize,
) -> &'a mut [u8; SIZE] {
    let (header, metadata) = SafeTensors::read_metadata(bytes).unwrap();
    // The file starts with the length of its header, in eight bytes.
    let start = 8 + header + metadata.info(tensor).unwrap().data_offsets.0;
    let (elements, _) = bytes[start..].as_chunks_mut::<SIZE>();
    &mut elements[index]
}

/// Adds to an `f32` value of a safetensors file.
pub(crate) fn add(bytes: &mut [u8], tensor: &str, index: usize, change: f32) {
    let element = element::<4>(bytes, tensor, index);
    *element = (f32::from_le_bytes(*element) + change).to_le_bytes();
}

/// Sets an `i64` value of a safetensors file.
pub(crate) fn set(bytes: &mut [u8], tensor: &str, index: usize, value: i64) {
    *element::<8>(bytes, tensor, index) = value.to_le_bytes();
}

/// Positions at which to change a list of this length: both ends and some between.
pub(crate) fn positions(length: usize) -> Vec<usize> {
    let mut positions = [0, length / 3, length / 2, length * 5 / 7, length - 1].to_vec();
    positions.dedup();
    positions
}
