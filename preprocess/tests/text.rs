//! Token ids and texts compared with those of Hugging Face's `MBart50Tokenizer`: in `tests/data` always, the shared
//! reference results where the checkout has them.

use std::fs;
use std::path::Path;

use preprocess::Error;
use preprocess::text::{LANGUAGES, Tokenizer};
use serde_json::{Value, json as value};
use tempfile::TempDir;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

fn small() -> Tokenizer {
    Tokenizer::from_folder(DATA).unwrap()
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Compares every row of a reference; `cut` is the length of its truncated encodings.
fn compare(tokenizer: &Tokenizer, rows: &Value, language: &str, cut: usize) {
    let rows = rows.as_array().unwrap();
    for row in rows {
        let text = row["text"].as_str().unwrap();
        let code = row[language].as_str().unwrap();
        let whole = tokenizer.encode(text, code, None).unwrap();
        assert_eq!(whole, ids(&row["ids"]), "{text:?}");
        let short = tokenizer.encode(text, code, Some(cut)).unwrap();
        assert_eq!(short, ids(&row[format!("ids_max{cut}")]), "{text:?}");
        assert_eq!(
            tokenizer.decode(&whole, true).unwrap(),
            row["decoded"],
            "{text:?}"
        );
        let special = tokenizer.decode(&whole, false).unwrap();
        assert_eq!(special, row["decoded_with_special"], "{text:?}");
    }
}

/// RFC 4648, for the table that `tokenizer.json` holds in base64.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|group| {
        let bits = (0..3).fold(0u32, |bits, i| {
            bits << 8 | u32::from(*group.get(i).unwrap_or(&0))
        });
        let letter = |i: usize| match i <= group.len() {
            true => char::from(ALPHABET[(bits >> (18 - 6 * i) & 63) as usize]),
            false => '=',
        };
        (0..4).map(letter).collect::<String>()
    });
    groups.collect()
}

/// The `tokenizer.json` that transformers saves, with the table from the SentencePiece file put back into it.
fn tokenizer_json() -> String {
    let model = fs::read(format!("{DATA}/sentencepiece.bpe.model")).unwrap();
    // Field 2 of the normaliser's message: nmt_nfkc's table, whose first word is the length of its trie.
    let name = b"nmt_nfkc\x12";
    let start = model
        .windows(name.len())
        .position(|window| window == name)
        .unwrap()
        + name.len();
    let (mut length, mut digits) = (0, 0);
    while model[start + digits] >= 0x80 {
        length |= usize::from(model[start + digits] & 0x7F) << (7 * digits);
        digits += 1;
    }
    length |= usize::from(model[start + digits]) << (7 * digits);
    let table = &model[start + digits + 1..][..length];
    let template = fs::read_to_string(format!("{DATA}/tokenizer.json.template")).unwrap();
    template.replace("TABLE", &base64(table))
}

#[test]
fn hard_and_random_texts_encode_and_decode_as_in_transformers() {
    compare(
        &small(),
        &json(format!("{DATA}/reference.json")),
        "language",
        8,
    );
}

#[test]
fn a_saved_tokenizer_json_gives_the_same_ids_and_texts() {
    let tokenizer = Tokenizer::from_tokenizer_json_bytes(tokenizer_json().as_bytes()).unwrap();
    compare(
        &tokenizer,
        &json(format!("{DATA}/reference.json")),
        "language",
        8,
    );
    assert_eq!(tokenizer.vocab_size(), small().vocab_size());
    assert!(tokenizer.languages().eq(small().languages()));
}

/// The tokenizer, saved to a folder and read back.
fn saved(tokenizer: &Tokenizer) -> Tokenizer {
    let folder = TempDir::new().unwrap();
    tokenizer.save(folder.path()).unwrap();
    let back = Tokenizer::from_folder(folder.path()).unwrap();
    assert_eq!(back.vocab_size(), tokenizer.vocab_size());
    assert!(back.languages().eq(tokenizer.languages()));
    // This includes scores, to the last bit, and flags.
    let [text, again] = [tokenizer, &back].map(|one| one.to_tokenizer_json().unwrap());
    assert!(text == again);
    back
}

#[test]
fn a_saved_tokenizer_gives_the_same_ids_and_texts() {
    let from_json = Tokenizer::from_tokenizer_json_bytes(tokenizer_json().as_bytes()).unwrap();
    for tokenizer in [small(), from_json] {
        let reference = json(format!("{DATA}/reference.json"));
        compare(&saved(&tokenizer), &reference, "language", 8);
    }
}

#[test]
fn the_saved_json_is_what_transformers_saves() {
    let ours: Value = serde_json::from_str(&small().to_tokenizer_json().unwrap()).unwrap();
    let theirs: Value = serde_json::from_str(&tokenizer_json()).unwrap();
    for key in [
        "added_tokens",
        "normalizer",
        "pre_tokenizer",
        "decoder",
        "model",
    ] {
        assert!(ours[key] == theirs[key], "{key}");
    }
    // Theirs has the language and the truncation of the last text that it encoded.
    let token = |id| value!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = value!({"Sequence": {"id": "A", "type_id": 0}});
    let template = value!([token("en_XX"), text, token("</s>")]);
    assert_eq!(ours["post_processor"]["single"], template);
    assert_eq!(ours["truncation"], Value::Null);
}

#[test]
fn tokens_that_were_added_later_are_saved_with_their_flags() {
    let mut file: Value = serde_json::from_str(&tokenizer_json()).unwrap();
    for (id, content, special) in [(1654, "<picture>", true), (1655, "blorp", false)] {
        let token = value!({"id": id, "content": content, "special": special, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": true});
        file["added_tokens"].as_array_mut().unwrap().push(token);
    }
    let tokenizer = Tokenizer::from_tokenizer_json_bytes(file.to_string().as_bytes()).unwrap();
    let text: Value = serde_json::from_str(&tokenizer.to_tokenizer_json().unwrap()).unwrap();
    assert_eq!(text["added_tokens"], file["added_tokens"]);
    let ids = saved(&tokenizer).encode("a <picture> blorp", "en_XX", None);
    assert!(ids.unwrap().ends_with(&[1654, 1655, 2]));

    let config: Value = serde_json::from_str(&tokenizer.to_tokenizer_config_json()).unwrap();
    let mut special = LANGUAGES.map(|language| language.code).to_vec();
    special.push("<picture>");
    assert_eq!(config["additional_special_tokens"], value!(special));
}

#[test]
fn the_small_vocabulary_has_the_layout_of_fairseq() {
    let tokenizer = small();
    assert_eq!(tokenizer.vocab_size(), 1654);
    for (id, token) in ["<s>", "<pad>", "</s>", "<unk>"].into_iter().enumerate() {
        assert_eq!(tokenizer.token_id(token), Some(id as u32));
        assert_eq!(tokenizer.id_to_token(id as u32).as_deref(), Some(token));
    }
    assert_eq!(tokenizer.token_id("<mask>"), Some(1653));
    let first = 1601;
    for (id, language) in (first..).zip(LANGUAGES) {
        assert_eq!(tokenizer.language_id(language.code).unwrap(), id);
        assert_eq!(language.token_id(tokenizer.vocab_size()), Some(id));
    }
    assert_eq!(tokenizer.id_to_token(1654), None);
}

#[test]
fn a_batch_decodes_like_its_rows_and_unknown_ids_are_left_out() {
    let tokenizer = small();
    let rows = [
        tokenizer.encode("a dog", "en_XX", None).unwrap(),
        vec![u32::MAX, 1654],
        vec![],
    ];
    assert_eq!(
        tokenizer.decode_batch(&rows, true).unwrap(),
        ["a dog", "", ""]
    );
}

#[test]
fn an_unknown_language_names_those_that_are_known() {
    let error = small().encode("a", "en", None).unwrap_err();
    assert!(matches!(error, Error::UnknownLanguage { .. }));
    let message = error.to_string();
    assert!(
        message.contains("\"en\"") && message.contains("sl_SI"),
        "{message}"
    );
}

#[test]
fn a_maximum_length_has_room_for_language_and_end() {
    for max_length in [0, 1] {
        let error = small().encode("a", "en_XX", Some(max_length)).unwrap_err();
        assert!(matches!(error, Error::MaxLength { .. }), "{error}");
    }
    assert_eq!(small().encode("a", "en_XX", Some(2)).unwrap(), [1604, 2]);
}

#[test]
fn a_folder_without_a_tokenizer_says_what_belongs_there_and_where_it_is() {
    let folder = TempDir::new().unwrap();
    let error = Tokenizer::from_folder(folder.path())
        .unwrap_err()
        .to_string();
    for part in [
        "tokenizer.json, sentencepiece.bpe.model",
        "https://huggingface.co/facebook/mbart-large-50",
        &folder.path().display().to_string(),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_published_vocabulary_agrees_with_transformers() {
    let path = format!("{SHARED}/oracle/text/sentencepiece.bpe.model");
    if !Path::new(&path).exists() {
        return;
    }
    let tokenizer = Tokenizer::from_sentencepiece(path).unwrap();
    let reference = json(format!("{SHARED}/oracle/text/tokenizer.json.reference"));
    assert_eq!(
        tokenizer.vocab_size(),
        reference["vocab_size"].as_u64().unwrap() as usize
    );
    let languages = reference["languages"].as_object().unwrap();
    assert_eq!(languages.len(), tokenizer.languages().count());
    for (code, id) in languages {
        assert_eq!(
            u64::from(tokenizer.language_id(code).unwrap()),
            id.as_u64().unwrap()
        );
    }
    let mask = tokenizer.token_id("<mask>").unwrap();
    assert_eq!(u64::from(mask), reference["mask"].as_u64().unwrap());
    compare(&tokenizer, &reference["encodings"], "lang", 16);
    compare(&saved(&tokenizer), &reference["encodings"], "lang", 16);
}

#[test]
fn the_captions_of_the_pictogram_model_decode_to_their_texts() {
    let Ok(bytes) = fs::read(format!("{SHARED}/pictograms/samples/expected.json")) else {
        return;
    };
    let expected: Value = serde_json::from_slice(&bytes).unwrap();
    let tokenizer = small();
    let mut cases = 0;
    for sample in expected["samples"].as_array().unwrap() {
        for caption in sample["generated"].as_object().unwrap().values() {
            assert_eq!(
                tokenizer.decode(&ids(&caption["ids"]), true).unwrap(),
                caption["text"]
            );
            cases += 1;
        }
    }
    assert_eq!(cases, 128);
}
