//! Reads reference files.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of the crate's own references, which `make_references.py` made.
pub(crate) fn own(name: &str) -> Value {
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name),
    )
}

pub(crate) fn read(path: &PathBuf) -> Value {
    let json = std::fs::read(path).unwrap();
    serde_json::from_slice(&json).unwrap()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    let texts = list(value).iter().map(|text| text.as_str().unwrap());
    texts.map(str::to_owned).collect()
}
