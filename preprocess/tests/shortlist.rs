//! The tokens that a language or a corpus needs: in the small vocabulary always, in the published one where the checkout
//! has it.

use std::collections::HashSet;

use preprocess::Error;
use preprocess::text::{LANGUAGES, Tokenizer};

mod common;
use common::{TOKENIZERS, joined, sentences, small, with_added_tokens};

/// A shortlist is ascending and has everything that a search needs.
fn check_shortlist(tokenizer: &Tokenizer, shortlist: &[u32]) {
    assert!(shortlist.is_sorted_by(|first, second| first < second));
    let special = ["<s>", "<pad>", "</s>", "<unk>"].into_iter();
    for token in special.chain(LANGUAGES.map(|language| language.code)) {
        let id = tokenizer.token_id(token).unwrap();
        assert!(shortlist.binary_search(&id).is_ok(), "{token}");
    }
}

#[test]
fn a_sentence_needs_only_the_shortlist_of_its_language() {
    for tokenizer in TOKENIZERS.iter() {
        let sentences = sentences();
        for code in LANGUAGES.map(|language| language.code) {
            let text = &sentences[code];
            let shortlist = tokenizer.shortlist_of_languages(&[code]).unwrap();
            check_shortlist(tokenizer, &shortlist);
            for id in tokenizer.encode(text, code, None).unwrap() {
                let token = tokenizer.id_to_token(id);
                assert!(shortlist.binary_search(&id).is_ok(), "{code}: {token:?}");
            }
        }
    }
}

#[test]
fn a_shortlist_has_what_every_language_needs_and_no_other_script() {
    // Only this vocabulary has letters of these scripts.
    let Some(published) = TOKENIZERS.get(1) else {
        return;
    };
    let [english, japanese, both] = [&["en_XX"][..], &["ja_XX"], &["ja_XX", "en_XX"]]
        .map(|codes| published.shortlist_of_languages(codes).unwrap());
    let has = |list: &[u32], token| {
        let id = published.token_id(token).unwrap();
        list.binary_search(&id).is_ok()
    };
    for token in ["7", "▁", ".", "。", "😀", "♀", "\u{301}"] {
        assert!(has(&english, token) && has(&japanese, token), "{token}");
    }
    for token in ["▁dog", "ñ", "▁Straße"] {
        assert!(has(&english, token) && !has(&japanese, token), "{token}");
    }
    for token in ["犬", "ひ", "タ", "ー"] {
        assert!(has(&japanese, token), "{token}");
    }
    for token in ["犬", "ひ", "я", "ω", "ا"] {
        assert!(!has(&english, token), "{token}");
    }
    let union: HashSet<u32> = english.iter().chain(&japanese).copied().collect();
    assert!(union.iter().all(|id| both.binary_search(id).is_ok()));
}

#[test]
fn added_tokens_are_kept_if_they_are_special_or_of_the_script() {
    let tokenizer = with_added_tokens();
    let arabic = tokenizer.shortlist_of_languages(&["ar_AR"]).unwrap();
    assert!(arabic.ends_with(&[1653, 1654]));
    let english = tokenizer.shortlist_of_languages(&["en_XX"]).unwrap();
    assert!(english.ends_with(&[1653, 1654, 1655]));
}

#[test]
fn the_shortlist_of_an_unknown_language_is_refused() {
    let error = small()
        .shortlist_of_languages(&["en_XX", "xx_XX"])
        .unwrap_err();
    assert!(matches!(error, Error::UnknownLanguage { code, .. } if code == "xx_XX"));
}

#[test]
fn no_language_leaves_the_tokens_of_no_script() {
    let tokenizer = small();
    let shortlist = tokenizer.shortlist_of_languages(&[]).unwrap();
    check_shortlist(tokenizer, &shortlist);
    let texts = tokenizer.token_texts();
    let mut texts = shortlist
        .iter()
        .filter_map(|id| texts[*id as usize].as_ref());
    assert!(!texts.any(|text| text.chars().any(|letter| letter.is_alphabetic())));
}

#[test]
fn the_shortlist_of_texts_has_what_is_frequent_and_their_characters() {
    let tokenizer = small();
    let texts = ["a sun", "a sun on a book", "a glass"];
    let tokens = |min_count| {
        let shortlist = tokenizer.shortlist_of_texts(texts, min_count).unwrap();
        check_shortlist(tokenizer, &shortlist);
        shortlist
    };
    let has = |list: &[u32], token| list.contains(&tokenizer.token_id(token).unwrap());
    let [once, twice, thrice] = [1, 2, 3].map(tokens);
    assert!(has(&once, "▁sun") && has(&twice, "▁sun") && !has(&thrice, "▁sun"));
    assert!(has(&once, "▁book") && !has(&twice, "▁book"));
    assert!(has(&thrice, "▁a") && !has(&once, "▁red"));
    for letter in ["▁", "b", "o", "k"] {
        assert!(has(&tokens(usize::MAX), letter), "{letter}");
    }
    assert!(!has(&once, "z"));
    assert_eq!(tokens(0).len(), tokenizer.vocab_size());
}

#[test]
fn the_texts_of_a_long_corpus_count_together() {
    let tokenizer = small();
    let texts = std::iter::repeat_n("a sun", 5000);
    let sun = tokenizer.token_id("▁sun").unwrap();
    for (min_count, kept) in [(5000, true), (5001, false)] {
        let shortlist = tokenizer.shortlist_of_texts(texts.clone(), min_count);
        assert_eq!(shortlist.unwrap().contains(&sun), kept);
    }
}

#[test]
fn every_text_of_a_corpus_can_be_spelled_with_its_shortlist() {
    for tokenizer in TOKENIZERS.iter() {
        let sentences = sentences();
        let corpus = sentences.values().map(String::as_str);
        let shortlist = tokenizer
            .shortlist_of_texts(corpus.clone(), usize::MAX)
            .unwrap();
        check_shortlist(tokenizer, &shortlist);
        let token_texts = tokenizer.token_texts();
        let kept: HashSet<&str> = shortlist
            .iter()
            .filter_map(|id| token_texts[*id as usize].as_deref())
            .collect();
        for text in corpus {
            let ids = tokenizer.encode(text, "en_XX", None).unwrap();
            for letter in joined(&token_texts, &ids).chars() {
                assert!(kept.contains(&letter.to_string()[..]), "{letter:?}");
            }
        }
    }
}
