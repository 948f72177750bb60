//! Tokens of odd texts in many scripts, as NLTK and sacreBLEU split them.

mod common;

use common::{list, own, texts};
use metrics::{Punkt, PunktModel, WordTokenizer, tokenize_13a, treebank_tokens};
use serde_json::Value;

fn assert_split(key: &str, split: impl Fn(&str) -> Vec<String>) {
    let file = own("tokens.json");
    let cases = list(&file);
    assert!(cases.len() > 400);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        assert_eq!(split(text), texts(&case[key]), "{key} of {text:?}");
    }
}

#[test]
fn words_of_a_sentence_are_those_of_nltk() {
    assert_split("treebank", treebank_tokens);
}

#[test]
fn words_of_a_text_are_those_of_nltk_without_a_trained_model() {
    let tokenizer = WordTokenizer::default();
    assert_split("words", |text| tokenizer.tokens(text));
}

#[test]
fn tokens_13a_are_those_of_sacrebleu() {
    assert_split("13a", tokenize_13a);
}

fn model(file: &Value) -> PunktModel {
    let text = |key: &str| file[key].as_str().unwrap();
    let read = PunktModel::from_texts(
        text("abbrev_types"),
        text("sent_starters"),
        text("collocations"),
        text("ortho_context"),
    );
    read.unwrap()
}

#[test]
fn sentences_are_those_of_nltk_with_a_model() {
    // A file of the same form may be named, with a trained model that is not ours to pass on.
    let file = match std::env::var_os("METRICS_PUNKT") {
        Some(path) => common::read(&path.into()),
        None => own("punkt.json"),
    };
    let punkt = Punkt::with_model(model(&file));
    let cases = list(&file["texts"]);
    assert!(cases.len() > 400);
    let untrained = Punkt::default();
    let mut changed = 0;
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let sentences = punkt.sentences(text);
        assert_eq!(sentences, texts(&case["sentences"]), "{text:?}");
        changed += usize::from(sentences != untrained.sentences(text));
    }
    assert!(changed > 20, "the model decides {changed} texts");
}

#[test]
fn a_model_that_is_damaged_is_refused_with_file_and_line() {
    let error = |collocations, ortho_context| {
        PunktModel::from_texts("dr\n", "the\n", collocations, ortho_context)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("a\tb\n\nc", ""),
        "line 3 of collocations.tab has not two columns, separated by a tab"
    );
    assert_eq!(
        error("", "the\t12\na\tmany"),
        "line 2 of ortho_context.tab has not a number after the tab"
    );
}
