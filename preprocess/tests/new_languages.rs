//! Languages that a tokenizer did not have.

use preprocess::Error;
use preprocess::text::{LANGUAGES, Language, MORE_LANGUAGES, Tokenizer, language};
use serde_json::{Value, json};
use tempfile::TempDir;

#[expect(dead_code, reason = "other tests need the rest")]
mod common;
use common::small;

/// The small tokenizer, which has 1,654 tokens, with these languages.
fn with_languages(codes: &[&str]) -> Tokenizer {
    let mut tokenizer = small().clone();
    for (id, code) in (1654..).zip(codes) {
        assert_eq!(tokenizer.add_language(code).unwrap(), id);
    }
    tokenizer
}

#[test]
fn a_new_language_has_the_next_id_and_comes_back_from_files() {
    let tokenizer = with_languages(&["ca_ES", "cat_Latn", "tlh_XX"]);
    let folder = TempDir::new().unwrap();
    tokenizer.save(folder.path()).unwrap();
    let back = Tokenizer::from_folder(folder.path()).unwrap();
    for tokenizer in [tokenizer, back] {
        assert_eq!(tokenizer.vocab_size(), 1657);
        let new: Vec<(Language, u32)> = tokenizer.languages().skip(LANGUAGES.len()).collect();
        let own = |code| Language { code, name: code };
        assert_eq!(
            new,
            [
                (language("Catalan").unwrap(), 1654),
                (own("cat_Latn"), 1655),
                (own("tlh_XX"), 1656)
            ]
        );
        assert!(tokenizer.languages().take(52).eq(small().languages()));

        let text = "un gos vermell";
        let ids = tokenizer.encode(text, "ca_ES", None).unwrap();
        let pieces = small().pieces(text).unwrap();
        assert_eq!(ids, [&[1654], pieces.as_slice(), &[2]].concat());
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), text);
        // As other codes: a special token wherever a text spells it out.
        assert_eq!(tokenizer.pieces("ca_ES").unwrap(), [1654]);
        assert_eq!(tokenizer.token_texts()[1654..], [None, None, None]);
    }
    assert_eq!(language("tlh").unwrap().code, "tlh_XX");
}

#[test]
fn a_language_that_is_there_keeps_its_id() {
    let mut tokenizer = small().clone();
    let spanish = small().language_id("es_XX").unwrap();
    assert_eq!(tokenizer.add_language("es_XX").unwrap(), spanish);
    assert_eq!(tokenizer.vocab_size(), small().vocab_size());
    for _ in 0..2 {
        assert_eq!(tokenizer.add_language("eu_ES").unwrap(), 1654);
    }
    let codes: Vec<&str> = tokenizer.languages().map(|(known, _)| known.code).collect();
    assert_eq!(codes[51..], ["sl_SI", "eu_ES"]);
}

#[test]
fn texts_that_are_no_codes_are_refused() {
    let mut tokenizer = small().clone();
    for text in ["", "ca", "Catalan", "<picture>", "ca_es", "ca-ES"] {
        match tokenizer.add_language(text) {
            Err(Error::LanguageCode { found }) => assert_eq!(found, text),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(tokenizer.vocab_size(), small().vocab_size());
}

/// The entry is the one that transformers 5.24 writes after `add_special_tokens`.
#[test]
fn the_token_is_saved_as_transformers_saves_it() {
    let file = with_languages(&["ca_ES"]).to_tokenizer_json().unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let tokens = file["added_tokens"].as_array().unwrap();
    assert_eq!(
        tokens.last().unwrap(),
        &json!({"id": 1654, "content": "ca_ES", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    );
}

#[test]
fn a_configuration_keeps_its_other_options() {
    let tokenizer = with_languages(&["ca_ES"]);
    let other = json!({"tokenizer_class": "MBartTokenizer", "model_max_length": 1024, "mask_token": {"content": "<mask>"},
        "extra_special_tokens": ["es_XX"], "added_tokens_decoder": {"0": {"content": "<s>"}}});
    let found = tokenizer.to_tokenizer_config_json_like(&other.to_string());
    let found: Value = serde_json::from_str(&found.unwrap()).unwrap();
    for key in ["tokenizer_class", "model_max_length", "mask_token"] {
        assert_eq!(found[key], other[key]);
    }
    let tokens = found["additional_special_tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 53);
    assert_eq!(tokens[52], "ca_ES");
    assert_eq!(found["pad_token"], "<pad>");
    assert_eq!(found.get("extra_special_tokens"), None);
    assert_eq!(
        found["added_tokens_decoder"]["0"],
        json!({"content": "<s>"})
    );
    assert_eq!(found["added_tokens_decoder"]["1654"]["content"], "ca_ES");
    for damaged in ["", "[]", "{"] {
        let error = tokenizer.to_tokenizer_config_json_like(damaged);
        assert!(matches!(error, Err(Error::Json(_))), "{damaged}");
    }
}

#[test]
fn a_shortlist_has_the_scripts_of_a_new_language_or_all_if_they_are_not_known() {
    let tokenizer = with_languages(&["ca_ES", "tlh_XX"]);
    let shortlist = |codes| tokenizer.shortlist_of_languages(codes).unwrap();
    assert_eq!(shortlist(&["ca_ES"]), shortlist(&["es_XX"]));
    let all: Vec<u32> = (0..1656).collect();
    assert_eq!(shortlist(&["es_XX", "tlh_XX"]), all);
}

#[test]
fn further_languages_are_found_and_are_none_of_mbart() {
    assert_eq!(language("ca").unwrap().code, "ca_ES");
    assert_eq!(language("basque").unwrap().code, "eu_ES");
    for known in MORE_LANGUAGES {
        assert!(!LANGUAGES.contains(known));
        assert_eq!(known.token_id(250_054), None);
    }
}
