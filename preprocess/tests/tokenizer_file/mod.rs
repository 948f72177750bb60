//! A small `tokenizer.json`, and what is expected of a refusal.

// Each test program uses only a part.
#![allow(dead_code)]

use std::fs;
use std::time::{Duration, Instant};

use preprocess::Error;
use preprocess::text::Tokenizer;
use serde_json::Value;

pub(crate) const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizers");

/// The tokenizer that transformers 5 saves, as a tree.
pub(crate) fn file() -> Value {
    serde_json::from_slice(&fs::read(format!("{DATA}/mbart50-v5.json")).unwrap()).unwrap()
}

pub(crate) fn read(file: &Value) -> Result<Tokenizer, Error> {
    Tokenizer::from_tokenizer_json_bytes(file.to_string().as_bytes())
}

/// The messages of an error and its sources, joined.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// The message of a refused file, which must be short and plain.
pub(crate) fn refusal(bytes: &[u8]) -> String {
    let start = Instant::now();
    let error = Tokenizer::from_tokenizer_json_bytes(bytes).expect_err("should be refused");
    assert!(start.elapsed() < Duration::from_secs(1));
    let message = chain(&error);
    assert!(message.len() < 1000, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
    for item in [
        "struct ",
        "enum ",
        "::",
        "Wrapper",
        "Option",
        "variant index",
    ] {
        assert!(!message.contains(item), "{message}");
    }
    message
}
