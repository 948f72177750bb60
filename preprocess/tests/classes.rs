//! Tokenizers of other classes than mBART-50's give the ids and texts of transformers, from all files that they come in,
//! and after saving.

use std::fs;
use std::path::{Path, PathBuf};

use preprocess::Error;
use preprocess::text::{SpecialToken, Tokenizer};
use serde_json::{Value, json};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/classes");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracle/auto-text");

/// The folders with tokenizers: those of this package, and the shared ones where the checkout has them.
fn folders() -> Vec<PathBuf> {
    let entries =
        |path: &str| fs::read_dir(path).map(|entries| entries.map(|entry| entry.unwrap().path()));
    let mut folders: Vec<PathBuf> = entries(DATA).unwrap().collect();
    match entries(SHARED) {
        Ok(shared) => folders.extend(shared),
        Err(_) => eprintln!("not run: {SHARED} is not there"),
    }
    folders.sort();
    assert!(folders.len() >= 10);
    folders
}

fn reference(folder: &Path) -> Value {
    let bytes = fs::read(folder.join("reference.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn cases<'r>(reference: &'r Value, key: &str) -> &'r Vec<Value> {
    reference[key].as_array().unwrap()
}

fn ids(case: &Value) -> Vec<u32> {
    serde_json::from_value(case["ids"].clone()).unwrap()
}

fn check(tokenizer: &Tokenizer, reference: &Value, name: &str) {
    assert_eq!(
        json!(tokenizer.vocab_size()),
        reference["vocab_size"],
        "{name}"
    );
    for case in cases(reference, "encodings") {
        let text = case["text"].as_str().unwrap();
        let found = tokenizer.encode_text(text, true).unwrap();
        assert_eq!(found, ids(case), "{text:?} of {name}");
        for (skip, key) in [(true, "decoded"), (false, "decoded_with_special")] {
            let decoded = tokenizer.decode(&ids(case), skip).unwrap();
            assert_eq!(decoded, case[key].as_str().unwrap(), "{text:?} of {name}");
        }
    }
    for case in cases(reference, "decodings") {
        let decoded = tokenizer.decode(&ids(case), true).unwrap();
        assert_eq!(
            decoded,
            case["decoded"].as_str().unwrap(),
            "{case} of {name}"
        );
    }
}

#[test]
fn ids_and_texts_are_those_of_transformers() {
    for folder in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        check(&tokenizer, &reference(&folder), &folder.to_string_lossy());
        assert_eq!(tokenizer.languages().count(), 0);
    }
}

#[test]
fn special_tokens_have_the_roles_that_transformers_gives_them() {
    for folder in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let Value::Object(expected) = &reference(&folder)["roles"] else {
            continue;
        };
        for role in SpecialToken::ALL {
            let found = tokenizer.special_token(role);
            let found = found.map_or(Value::Null, |token| {
                json!([token, tokenizer.special_token_id(role)])
            });
            let expected = expected.get(role.name()).unwrap_or(&Value::Null);
            assert_eq!(found, *expected, "{role} of {folder:?}");
        }
    }
}

#[test]
fn a_saved_tokenizer_is_the_same() {
    for folder in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let saved = tempfile::tempdir().unwrap();
        tokenizer.save(saved.path()).unwrap();
        let back = Tokenizer::from_folder(saved.path()).unwrap();
        check(&back, &reference(&folder), &folder.to_string_lossy());
        for role in SpecialToken::ALL {
            assert_eq!(back.special_token(role), tokenizer.special_token(role));
        }
        assert_eq!(
            back.to_tokenizer_json().unwrap(),
            tokenizer.to_tokenizer_json().unwrap()
        );
    }
}

#[test]
fn a_stream_is_the_decoded_text_after_each_token() {
    for folder in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let reference = reference(&folder);
        let rows = cases(&reference, "encodings").iter();
        for case in rows.chain(cases(&reference, "decodings")) {
            let ids = ids(case);
            for skip in [true, false] {
                let mut stream = tokenizer.text_stream(skip);
                let mut printed = String::new();
                for (index, id) in ids.iter().enumerate() {
                    printed += stream.push(&[*id]).unwrap();
                    assert_eq!(printed, stream.settled());
                    let whole = tokenizer.decode(&ids[..=index], skip).unwrap();
                    // The bytes of a character that is not complete are left out.
                    let whole = match whole.strip_suffix('\u{fffd}') {
                        Some(complete) if complete == stream.text() => complete,
                        _ => &whole,
                    };
                    assert_eq!(stream.text(), whole, "{ids:?} of {folder:?}");
                    let ahead = tokenizer.text_stream(skip).text_with(&ids[..=index]);
                    assert_eq!(stream.text(), ahead.unwrap());
                }
            }
        }
    }
}

#[test]
fn most_of_a_streamed_text_is_settled_at_once() {
    for name in ["gpt2-json", "bert-json", "bert-cased", "donut"] {
        let tokenizer = Tokenizer::from_folder(format!("{DATA}/{name}")).unwrap();
        let ids = tokenizer
            .encode_text(&"a dog on a beach ".repeat(50), false)
            .unwrap();
        let mut stream = tokenizer.text_stream(true);
        for id in ids {
            stream.push(&[id]).unwrap();
            assert!(
                stream.pending().len() < 10,
                "{:?} of {name}",
                stream.pending()
            );
        }
    }
}

#[test]
fn token_texts_are_what_tokens_add() {
    for folder in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let texts = tokenizer.token_texts();
        assert_eq!(texts.len(), tokenizer.vocab_size());
        if tokenizer
            .id_to_token(0)
            .is_some_and(|token| token.starts_with(['<', '[']))
        {
            assert_eq!(texts[0], None);
        }
    }
    let gpt2 = Tokenizer::from_folder(format!("{DATA}/gpt2-json")).unwrap();
    let text = |token: &str| gpt2.token_texts()[gpt2.token_id(token).unwrap() as usize].clone();
    assert_eq!(text("Ġon"), Some(" on".to_owned()));
    assert_eq!(text("Ċ"), Some("\n".to_owned()));
}

#[test]
fn a_language_is_refused_where_there_are_none() {
    let mut tokenizer = Tokenizer::from_folder(format!("{DATA}/gpt2-json")).unwrap();
    let error = tokenizer.encode("a dog", "en_XX", None).unwrap_err();
    assert!(matches!(error, Error::UnknownLanguage { .. }));
    assert!(error.to_string().contains("encode_text"), "{error}");
    let error = tokenizer.add_language("ca_ES").unwrap_err();
    assert!(matches!(error, Error::TokenizerModel { .. }), "{error}");
}

/// A folder with these files.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const CHARACTERS: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n日\n本\n##語\na\n";

#[test]
fn characters_need_no_dictionary_and_words_do() {
    let config = |subwords: &str, words: &str| {
        json!({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": words,
            "subword_tokenizer_type": subwords})
        .to_string()
    };
    let read = |subwords, words| {
        let config = config(subwords, words);
        let folder = folder_of(&[
            ("vocab.txt", CHARACTERS),
            ("tokenizer_config.json", &config),
        ]);
        Tokenizer::from_folder(folder.path())
    };
    let tokenizer = read("character", "mecab").unwrap();
    assert_eq!(
        tokenizer.encode_text("日 ａ\u{3000}本x", true).unwrap(),
        [2, 5, 8, 6, 1, 3]
    );
    assert_eq!(tokenizer.decode(&[2, 5, 7, 6, 3], true).unwrap(), "日語 本");
    for (subwords, words) in [("wordpiece", "mecab"), ("character", "sudachi")] {
        let tokenizer = read(subwords, words).unwrap();
        assert_eq!(tokenizer.decode(&[2, 5, 7, 6, 3], true).unwrap(), "日語 本");
        let error = tokenizer.encode_text("日", true).unwrap_err();
        assert!(matches!(error, Error::WordSplitter { .. }), "{error}");
        assert!(tokenizer.pieces("日").is_err());
    }
    for (subwords, words, key) in [
        ("sentencepiece", "basic", "subword_tokenizer_type"),
        ("character", "juman", "word_tokenizer_type"),
    ] {
        let error = read(subwords, words).unwrap_err().to_string();
        assert!(error.contains("vocab.txt"), "{error}");
        let error = read(subwords, words).unwrap_err();
        assert!(error.cause().to_string().contains(key), "{error}");
    }
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let message = |files: &[(&str, &str)]| {
        let folder = folder_of(files);
        let error = Tokenizer::from_folder(folder.path()).unwrap_err();
        match error {
            Error::File { path, source } => format!("{} {source}", path.display()),
            other => other.to_string(),
        }
    };
    let class = |name: &str| json!({"tokenizer_class": name}).to_string();
    for (files, words) in [
        (vec![], "vocab.json with merges.txt"),
        (vec![("vocab.json", "{}")], "merges.txt"),
        (
            vec![
                ("vocab.txt", "a"),
                ("tokenizer_config.json", &class("T5Tokenizer")),
            ],
            "\"T5Tokenizer\"",
        ),
        (
            vec![
                ("vocab.txt", "a"),
                ("tokenizer_config.json", &class("GPT2Tokenizer")),
            ],
            "vocab.json",
        ),
        (
            vec![
                ("vocab.json", r#"{"a": 0}"#),
                ("tokenizer_config.json", &class("GPT2Tokenizer")),
            ],
            "merges.txt",
        ),
        (vec![("vocab.txt", "a\nb\n")], "[UNK]"),
        (vec![("vocab.txt", "")], "empty vocabulary"),
        (
            vec![
                ("vocab.txt", CHARACTERS),
                ("tokenizer_config.json", r#"{"unk_token": 7}"#),
            ],
            "tokenizer_config.json option unk_token",
        ),
        (
            vec![("vocab.txt", CHARACTERS), ("tokenizer_config.json", "[]")],
            "tokenizer_config.json expected JSON",
        ),
        (
            vec![
                ("vocab.txt", CHARACTERS),
                (
                    "tokenizer_config.json",
                    r#"{"added_tokens_decoder": {"12": {"content": "x"}}}"#,
                ),
            ],
            "at id 12",
        ),
        (
            vec![("vocab.json", r#"{"a": 0, "b": 0}"#), ("merges.txt", "")],
            "id of its own",
        ),
        (
            vec![("vocab.json", r#"{"a": 0, "b": 1}"#), ("merges.txt", "a b")],
            "merges.txt",
        ),
        (
            vec![
                ("vocab.json", r#"{"a": 0, "b": 1, "c": 3}"#),
                ("merges.txt", ""),
            ],
            "without gaps",
        ),
        (
            vec![("vocab.json", r#"{"a": -1}"#), ("merges.txt", "")],
            "vocab.json expected JSON",
        ),
    ] {
        let found = message(&files);
        assert!(found.contains(words), "{found} lacks {words}");
    }
}

#[test]
fn a_folder_without_a_class_is_read_as_its_files_say() {
    let read = |files: &[(&str, &str)]| Tokenizer::from_folder(folder_of(files).path()).unwrap();
    let bart = r#"{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "a": 5}"#;
    let roberta = read(&[("vocab.json", bart), ("merges.txt", "")]);
    assert_eq!(roberta.encode_text("a", true).unwrap(), [0, 5, 2]);
    let gpt2 = [
        ("vocab.json", r#"{"<|endoftext|>": 0, "a": 1}"#),
        ("merges.txt", ""),
    ];
    assert_eq!(read(&gpt2).encode_text("a", true).unwrap(), [1]);
    let decoder = r#"{"decoder": {"model_type": "gpt2"}, "model_type": "vision-encoder-decoder"}"#;
    let gpt2 = [
        ("vocab.json", bart),
        ("merges.txt", ""),
        ("config.json", decoder),
    ];
    assert_eq!(read(&gpt2).encode_text("a", true).unwrap(), [5]);
    assert_eq!(read(&gpt2).vocab_size(), 7); // <|endoftext|> is added
    let named = r#"{"tokenizer_class": "BartTokenizer"}"#;
    let bart = read(&[
        ("vocab.json", bart),
        ("merges.txt", ""),
        ("config.json", named),
    ]);
    assert_eq!(bart.encode_text("a", true).unwrap(), [0, 5, 2]);
}
