//! Damaged tokenizer files: cut short, with flipped bits, of another kind. They end in an error or in a tokenizer that
//! works, never in a panic.

use std::fs;

use preprocess::Error;
use preprocess::text::Tokenizer;

mod random;
use random::Random;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");

/// Reads damaged bytes and uses the tokenizer if there is one, since a damaged table only fails in use.
fn try_tokenizer(bytes: &[u8], read: fn(&[u8]) -> Result<Tokenizer, Error>) {
    if let Ok(tokenizer) = read(bytes) {
        let texts = [
            "a dog",
            "ﬁne ＡＢＣ ½ e\u{301} \u{1}\u{200b} 😀",
            "</s>en_XX<mask>",
        ];
        for text in texts {
            if let Ok(ids) = tokenizer.encode(text, "en_XX", None) {
                let _ = tokenizer.decode(&ids, false);
                let _ = tokenizer.text_stream(false).push(&ids);
            }
        }
        let _ = tokenizer.shortlist_of_texts(texts, 1);
    }
}

#[test]
fn damaged_sentencepiece_files_never_panic() {
    let bytes = fs::read(format!("{DATA}/sentencepiece.bpe.model")).unwrap();
    let mut random = Random(5);
    for step in 0..100 {
        let length = bytes.len() * step / 100;
        assert!(Tokenizer::from_sentencepiece_bytes(&bytes[..length]).is_err() || length > 200_000);
        try_tokenizer(&bytes[..length], Tokenizer::from_sentencepiece_bytes);
    }
    for _ in 0..150 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(20) {
            let bit = random.below(damaged.len() * 8);
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        try_tokenizer(&damaged, Tokenizer::from_sentencepiece_bytes);
    }
}

#[test]
fn damaged_tokenizer_json_files_never_panic() {
    let bytes = fs::read(format!("{DATA}/tokenizer.json.template")).unwrap();
    let error = Tokenizer::from_tokenizer_json_bytes(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("precompiled_charsmap"),
        "{error}"
    );
    // A table that changes nothing: a trie of one block without any key.
    let mut table = "AAQAAA".to_owned();
    table.push_str(&"A".repeat((1028usize * 8).div_ceil(6) - 6));
    while !table.len().is_multiple_of(4) {
        table.push('=');
    }
    let text = String::from_utf8(bytes).unwrap().replace("TABLE", &table);
    Tokenizer::from_tokenizer_json_bytes(text.as_bytes()).unwrap();
    let mut random = Random(7);
    for _ in 0..150 {
        let mut damaged = text.clone().into_bytes();
        for _ in 0..1 + random.below(3) {
            let position = random.below(damaged.len());
            damaged[position] = b' ' + random.below(94) as u8;
        }
        try_tokenizer(&damaged, Tokenizer::from_tokenizer_json_bytes);
    }
}

#[test]
fn tokenizers_of_another_kind_say_what_they_are() {
    // trainer_spec (field 2) with model_type (field 3) = 2.
    let error = Tokenizer::from_sentencepiece_bytes(&[0x12, 2, 0x18, 2]).unwrap_err();
    assert!(matches!(error, Error::TokenizerModel { .. }), "{error}");
    assert!(error.to_string().contains("BPE"), "{error}");
    let error = Tokenizer::from_sentencepiece_bytes(&[]).unwrap_err();
    assert!(error.to_string().contains("empty vocabulary"), "{error}");
    let json = br#"{"model": {"type": "Another", "vocab": {}, "merges": []}}"#;
    let error = Tokenizer::from_tokenizer_json_bytes(json).unwrap_err();
    assert!(matches!(error, Error::TokenizerModel { .. }), "{error}");
    assert!(error.to_string().contains("Another"), "{error}");
    let json = br#"{"model": {"type": "Unigram", "unk_id": 0, "vocab": []}}"#;
    let error = Tokenizer::from_tokenizer_json_bytes(json).unwrap_err();
    assert!(error.to_string().contains("empty vocabulary"), "{error}");
}
