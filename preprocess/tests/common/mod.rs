//! Tokenizers and texts for tests.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use preprocess::text::Tokenizer;
use serde_json::{Value, json as value};

pub(crate) const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
pub(crate) const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracle/text");

/// The small vocabulary, and the published one where the checkout has it. Read once for all tests.
pub(crate) static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let small = Tokenizer::from_folder(DATA).unwrap();
    let path = format!("{ORACLE}/sentencepiece.bpe.model");
    let published = Path::new(&path)
        .exists()
        .then(|| Tokenizer::from_sentencepiece(path).unwrap());
    [small].into_iter().chain(published).collect()
});

pub(crate) fn small() -> &'static Tokenizer {
    &TOKENIZERS[0]
}

/// The small tokenizer with a special token, `<picture>` 1654, and an ordinary one, `blorp` 1655.
pub(crate) fn with_added_tokens() -> Tokenizer {
    let mut file: Value = serde_json::from_str(&small().to_tokenizer_json().unwrap()).unwrap();
    for (id, content, special) in [(1654, "<picture>", true), (1655, "blorp", false)] {
        let token = value!({"id": id, "content": content, "special": special, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false});
        file["added_tokens"].as_array_mut().unwrap().push(token);
    }
    Tokenizer::from_tokenizer_json_bytes(file.to_string().as_bytes()).unwrap()
}

/// A caption in every language, by its code.
pub(crate) fn sentences() -> HashMap<String, String> {
    let bytes = fs::read(format!("{DATA}/sentences.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The texts of tokens, joined as the documentation says.
pub(crate) fn joined(token_texts: &[Option<String>], ids: &[u32]) -> String {
    let text: String = ids
        .iter()
        .filter_map(|id| token_texts[*id as usize].as_deref())
        .collect();
    text.strip_prefix(' ').unwrap_or(&text).to_owned()
}
