//! Whole `tokenizer.json` files: the forms that are published are read, and hostile ones are refused.

use std::fs;
use std::path::{Path, PathBuf};

use preprocess::Error;
use preprocess::text::Tokenizer;
use serde_json::{Value, json as value};

mod tokenizer_file;
use tokenizer_file::{DATA, file, read, refusal};

const ATTACKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/attack");

fn json_files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn the_forms_of_published_files_are_read_used_and_saved() {
    let files = json_files(DATA);
    assert!(files.len() >= 4);
    for path in files {
        let tokenizer = Tokenizer::from_tokenizer_json(&path).unwrap();
        let ids = tokenizer.encode("a  dogs \u{ff21} <mask>", "en_XX", None);
        let text = tokenizer.decode(&ids.unwrap(), true).unwrap();
        assert!(text.starts_with("a dogs A"), "{text:?} of {path:?}");
        let saved = tokenizer.to_tokenizer_json().unwrap();
        let back = Tokenizer::from_tokenizer_json_bytes(saved.as_bytes()).unwrap();
        assert!(back.to_tokenizer_json().unwrap() == saved);
    }
}

#[test]
fn the_forms_of_published_files_give_the_tokens_of_the_reference() {
    let bytes = fs::read(format!("{DATA}-reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&bytes).unwrap();
    let files = reference.as_object().unwrap();
    assert_eq!(files.len(), json_files(DATA).len());
    for (name, rows) in files {
        let tokenizer = Tokenizer::from_tokenizer_json(format!("{DATA}/{name}")).unwrap();
        for row in rows.as_array().unwrap() {
            let text = row["text"].as_str().unwrap();
            let ids = tokenizer.pieces(text).unwrap();
            assert_eq!(value!(ids), row["ids"], "{text:?} of {name}");
            for (skip, key) in [(true, "decoded"), (false, "decoded_with_special")] {
                let decoded = tokenizer.decode(&ids, skip).unwrap();
                assert_eq!(decoded, row[key], "{text:?} of {name}");
            }
        }
    }
}

#[test]
fn a_file_of_2020_gives_the_tokens_of_one_of_today() {
    let [old, new] = ["xlm-roberta-2020", "mbart50-v5"]
        .map(|name| Tokenizer::from_tokenizer_json(format!("{DATA}/{name}.json")).unwrap());
    // Only the steps of today leave a token for a space at the end.
    for text in [
        "a dog",
        " a  dog.",
        "\u{ff21}dogs <mask> \u{fb01}",
        "blorp a",
    ] {
        let [old, new] = [&old, &new].map(|one| one.encode(text, "es_XX", None).unwrap());
        assert_eq!(old, new, "{text:?}");
    }
}

#[test]
fn deep_and_repeated_json_is_refused() {
    for (opening, closing) in [
        ("{\"type\":\"Sequence\",\"decoders\":[", "]}"),
        ("[", "]"),
        ("{\"a\":", "}"),
    ] {
        for key in [
            "decoder",
            "normalizer",
            "pre_tokenizer",
            "added_tokens",
            "model",
            "version",
        ] {
            let deep = opening.repeat(100_000) + "1" + &closing.repeat(100_000);
            let text = file().to_string();
            refusal(format!("{{\"{key}\":{deep},{}", &text[1..]).as_bytes());
            let mut file = file();
            file[key] = value!("DEEP");
            let text = file.to_string().replace("\"DEEP\"", &deep);
            refusal(text.as_bytes());
        }
    }
    let text = file().to_string();
    for key in ["decoder", "model", "added_tokens"] {
        let message = refusal(format!("{{\"{key}\":null,{}", &text[1..]).as_bytes());
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn parts_that_are_not_used_do_no_harm() {
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    let mut file = file();
    let expected = read(&file).unwrap().encode("a dog", "en_XX", None).unwrap();
    file["padding"] = value!({"strategy": {"Fixed": u64::MAX}, "direction": "Left", "pad_to_multiple_of": 1u64 << 40,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "?"});
    file["truncation"] =
        value!({"max_length": 0, "stride": u64::MAX, "direction": "Up", "strategy": "None"});
    file["post_processor"] = value!("NESTED");
    let text = file.to_string().replace("\"NESTED\"", &nested);
    let tokenizer = Tokenizer::from_tokenizer_json_bytes(text.as_bytes()).unwrap();
    assert_eq!(tokenizer.encode("a dog", "en_XX", None).unwrap(), expected);
    let piece = value!({"SpecialToken": {"id": "no such token", "type_id": 0}});
    file["post_processor"] = value!({"type": "TemplateProcessing", "single": vec![piece; 5000],
        "pair": [], "special_tokens": {}});
    assert_eq!(
        read(&file).unwrap().encode("a dog", "en_XX", None).unwrap(),
        expected
    );
}

#[test]
fn small_forms_of_hostile_files_are_refused() {
    let files = json_files(format!("{DATA}/refused"));
    assert!(files.len() >= 6);
    for path in files {
        refusal(&fs::read(path).unwrap());
    }
}

#[test]
fn hostile_files_of_the_shared_collection_are_refused() {
    let Ok(folders) = fs::read_dir(ATTACKS) else {
        return;
    };
    for folder in folders {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains("tokenizer-json") {
            continue;
        }
        let error = Tokenizer::from_folder(&folder).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{name}: {error}");
        refusal(&fs::read(folder.join("tokenizer.json")).unwrap());
    }
}
