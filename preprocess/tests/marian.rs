//! Token ids and texts compared with those of Hugging Face's `MarianTokenizer`: in `tests/data` always, the shared
//! reference results where the checkout has them.

use std::fs;
use std::path::Path;

use preprocess::Error;
use preprocess::text::MarianTokenizer;
use serde_json::Value;
use tempfile::TempDir;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/marian");
const WITH_TABLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/text/sentencepiece.bpe.model"
);
const SHARED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/oracle/auto/marian"
);

/// Fields of a SentencePiece file with the normalisation table that the small files lack.
fn table() -> Vec<u8> {
    let model = fs::read(WITH_TABLE).unwrap();
    let name = b"nmt_nfkc\x12";
    let places = model.windows(name.len());
    let start = places.into_iter().position(|place| place == name).unwrap() + name.len();
    let digits = model[start..]
        .iter()
        .take_while(|byte| **byte >= 0x80)
        .count()
        + 1;
    let length = model[start..start + digits]
        .iter()
        .rev()
        .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7F));
    let field = [&[0x12], &model[start..start + digits + length]].concat();
    let mut length = field.len();
    let mut message = vec![0x1A];
    while length >= 0x80 {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    [message, field].concat()
}

/// A copy of the small tokenizer with its table.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let table = table();
    for name in MarianTokenizer::FILES {
        let Ok(mut bytes) = fs::read(Path::new(DATA).join(name)) else {
            continue;
        };
        if name.ends_with(".spm") {
            bytes.extend(&table);
        }
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn compare(tokenizer: &MarianTokenizer, rows: &Value) {
    for row in rows.as_array().unwrap() {
        let text = row["text"].as_str().unwrap();
        let ids: Vec<u32> = serde_json::from_value(row["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text, None, None).unwrap(), ids, "{text:?}");
        assert_eq!(tokenizer.decode(&ids, true), row["decoded"], "{text:?}");
    }
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn hard_texts_encode_and_decode_as_in_transformers() {
    let folder = folder();
    let tokenizer = MarianTokenizer::from_folder(folder.path()).unwrap();
    let reference = json(Path::new(DATA).join("reference.json"));
    compare(&tokenizer, &reference["encodings"]);
}

#[test]
fn random_ids_decode_as_in_transformers() {
    let tokenizer = MarianTokenizer::from_folder(DATA).unwrap();
    let reference = json(Path::new(DATA).join("reference.json"));
    for row in reference["decodings"].as_array().unwrap() {
        let ids: Vec<u32> = serde_json::from_value(row["ids"].clone()).unwrap();
        assert_eq!(tokenizer.decode(&ids, true), row["decoded"], "{ids:?}");
        let special = tokenizer.decode(&ids, false);
        assert_eq!(special, row["decoded_with_special"], "{ids:?}");
    }
}

#[test]
fn the_shared_reference_agrees() {
    if !Path::new(SHARED).exists() {
        println!("{SHARED} does not exist: not compared");
        return;
    }
    let tokenizer = MarianTokenizer::from_folder(SHARED).unwrap();
    let reference = json(Path::new(SHARED).join("reference.json"));
    compare(&tokenizer, &reference["tokenizer"]);
}

#[test]
fn special_tokens_stay_if_they_are_asked_for() {
    let tokenizer = MarianTokenizer::from_folder(DATA).unwrap();
    let ids = tokenizer.encode("a</s> dogs <pad>", None, None).unwrap();
    assert_eq!(tokenizer.decode(&ids, false), "a</s> dogs<pad> </s>");
    assert_eq!(tokenizer.decode(&ids, true), "a dogs");
}

/// The small tokenizer, changed by a function of its folder.
fn changed(change: impl FnOnce(&Path)) -> Result<MarianTokenizer, Error> {
    let folder = TempDir::new().unwrap();
    for name in MarianTokenizer::FILES {
        if let Ok(bytes) = fs::read(Path::new(DATA).join(name)) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    change(folder.path());
    MarianTokenizer::from_folder(folder.path())
}

/// The vocabulary with more pieces.
fn vocabulary(more: &[(&str, u32)]) -> String {
    let mut vocabulary = json(Path::new(DATA).join("vocab.json"));
    for (piece, id) in more {
        vocabulary[*piece] = (*id).into();
    }
    vocabulary.to_string()
}

#[test]
fn too_many_special_tokens_are_refused() {
    let config = |tokens: Vec<String>| {
        let config = serde_json::json!({ "additional_special_tokens": tokens });
        let write = |folder: &Path| {
            fs::write(folder.join("tokenizer_config.json"), config.to_string()).unwrap();
        };
        changed(write)
    };
    assert!(config(vec!["</s>".into(); 256]).is_ok());
    let error = config(vec!["</s>".into(); 257]).unwrap_err();
    let error = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        error.as_ref().is_some_and(|error| error.contains("256")),
        "{error:?}"
    );
}

#[test]
fn a_language_comes_first() {
    let more = vocabulary(&[(">>fra<<", 191), (">>deu_Latn<<", 192)]);
    let tokenizer = changed(|folder| fs::write(folder.join("vocab.json"), &more).unwrap()).unwrap();
    let languages: Vec<_> = tokenizer.languages().collect();
    assert_eq!(languages, [("deu_Latn", 192), ("fra", 191)]);
    let plain = tokenizer.encode("two dogs", None, None).unwrap();
    let expected = [&[191], &plain[..]].concat();
    for (text, language) in [
        ("two dogs", Some("fra")),
        ("two dogs", Some(">>fra<<")),
        (">>fra<< two dogs", None),
    ] {
        assert_eq!(tokenizer.encode(text, language, None).unwrap(), expected);
    }
    // A language that the model does not know.
    let unknown = tokenizer.encode(">>xyz<<two dogs", None, None).unwrap();
    assert_eq!(unknown, [&[1], &plain[..]].concat());
    let error = tokenizer.encode("a", Some("ita"), None).unwrap_err();
    assert!(error.to_string().contains("deu_Latn, fra"), "{error}");
}

#[test]
fn the_target_language_may_have_its_own_vocabulary() {
    let tokenizer = changed(|folder| {
        let config = r#"{"separate_vocabs": true, "eos_token": {"content": "</s>"}}"#;
        fs::write(folder.join("tokenizer_config.json"), config).unwrap();
        let own = r#"{"</s>": 0, "<unk>": 1, "▁Schild": 2, "<pad>": 3}"#;
        fs::write(folder.join("target_vocab.json"), own).unwrap();
    });
    let tokenizer = tokenizer.unwrap();
    assert_eq!(tokenizer.decode(&[2, 2, 0], true), "Schild Schild");
    assert_eq!(
        (tokenizer.vocab_size(), tokenizer.target_vocab_size()),
        (191, 4)
    );
}

#[test]
fn a_long_text_is_cut_before_its_end_token() {
    let tokenizer = MarianTokenizer::from_folder(DATA).unwrap();
    let whole = tokenizer.encode("two dogs on a beach", None, None).unwrap();
    let cut = tokenizer
        .encode("two dogs on a beach", None, Some(4))
        .unwrap();
    assert_eq!(cut, [&whole[..3], &[0]].concat());
    assert_eq!(tokenizer.max_length(), Some(64));
    tokenizer.encode("two", None, Some(1)).unwrap_err();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    type Change = fn(&Path);
    let cases: [(Change, &str, &str); 6] = [
        (
            |f| fs::remove_file(f.join("source.spm")).unwrap(),
            "source.spm",
            "",
        ),
        (
            |f| fs::write(f.join("target.spm"), [1]).unwrap(),
            "target.spm",
            "",
        ),
        (
            |f| fs::write(f.join("vocab.json"), "[]").unwrap(),
            "vocab.json",
            "JSON",
        ),
        (
            |f| fs::write(f.join("vocab.json"), r#"{"</s>": 0}"#).unwrap(),
            "vocab.json",
            "<unk>",
        ),
        (
            |f| {
                fs::write(
                    f.join("tokenizer_config.json"),
                    r#"{"separate_vocabs": true}"#,
                )
                .unwrap()
            },
            "target_vocab.json",
            "",
        ),
        (
            |f| {
                fs::write(
                    f.join("tokenizer_config.json"),
                    r#"{"split_special_tokens": true}"#,
                )
                .unwrap()
            },
            "tokenizer_config.json",
            "split_special_tokens",
        ),
    ];
    for (change, file, message) in cases {
        let error = changed(change).unwrap_err();
        let text = format!("{error}: {:?}", error.cause().to_string());
        assert!(text.contains(file) && text.contains(message), "{text}");
    }
}

#[test]
fn damaged_files_are_errors_and_never_panic() {
    let model = fs::read(Path::new(DATA).join("source.spm")).unwrap();
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as usize % below
    };
    for _ in 0..300 {
        let mut bytes = model.clone();
        for _ in 0..1 + random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(bytes.len() - random(2) * random(bytes.len()));
        let tokenizer = changed(|folder| fs::write(folder.join("source.spm"), &bytes).unwrap());
        if let Ok(tokenizer) = tokenizer {
            let ids = tokenizer
                .encode("“naïve” dogs </s> \u{200b}", None, None)
                .unwrap();
            tokenizer.decode(&ids, false);
        }
    }
}
