//! Scores that public implementations compute.

mod common;

use std::path::Path;

use common::{list, own, texts};
use metrics::{BatchBleu, Chrf, Corpus, SacreBleu, WordTokenizer};
use serde_json::Value;

/// Sums in another order differ by rounding, on a scale of 100.
const TOLERANCE: f64 = 1e-9;

fn assert_close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    // Scores that are 0 but for a habit of NLTK's have their own scale.
    let close = match expected < 1e-50 {
        true => (found - expected).abs() <= expected * 1e-6,
        false => (found - expected).abs() <= TOLERANCE,
    };
    assert!(close, "{what}: {found:e}, expected {expected:e}");
}

/// Compares what both kinds of reference files have.
fn assert_scores(case: &Value, name: &str) {
    let references: Vec<_> = list(&case["references"]).iter().map(texts).collect();
    let corpus = Corpus::of(&texts(&case["predictions"]), &references).unwrap();
    let scores = corpus.score();
    for order in 0..4 {
        let bleu = format!("BLEU-{}", order + 1);
        let expected = &case["bleu_first_reference"][&bleu];
        assert_close(scores.bleu[order], expected, &format!("{name}: {bleu}"));
        let bleu = format!("Bleu_{}", order + 1);
        let expected = &case["coco"][&bleu];
        assert_close(
            scores.coco_bleu[order],
            expected,
            &format!("{name}: {bleu}"),
        );
    }
    for (what, found, expected) in [
        ("sacreBLEU", scores.sacre_bleu, &case["sacrebleu"]["bleu"]),
        ("chrF", scores.chrf, &case["sacrebleu"]["chrf"]),
        ("ROUGE-L", scores.rouge_l, &case["coco"]["ROUGE_L"]),
        ("CIDEr", scores.cider, &case["coco"]["CIDEr"]),
    ] {
        assert_close(found, expected, &format!("{name}: {what}"));
    }
}

fn assert_oracle(file: &Value) {
    for (index, case) in list(file).iter().enumerate() {
        assert_scores(case, &format!("case {index}"));
        let tokenizer = WordTokenizer::default();
        let tokens = list(&case["nltk_tokens_of_predictions"]);
        for (text, tokens) in texts(&case["predictions"]).iter().zip(tokens) {
            assert_eq!(tokenizer.tokens(text), texts(tokens));
        }
    }
}

#[test]
fn all_scores_of_the_shared_cases_agree() {
    assert_oracle(&own("metrics.json"));
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle/metrics.json");
    if shared.exists() {
        assert_oracle(&common::read(&shared));
    }
}

#[test]
fn all_scores_of_odd_texts_in_many_languages_agree() {
    let file = own("scores.json");
    let cases = list(&file["cases"]);
    assert!(cases.len() > 30);
    for case in cases {
        assert_scores(case, case["name"].as_str().unwrap());
    }
}

#[test]
fn sacrebleu_and_chrf_agree_with_several_references() {
    for case in list(&own("scores.json")["cases"]) {
        let (mut bleu, mut chrf) = (SacreBleu::default(), Chrf::default());
        let predictions = texts(&case["predictions"]);
        for (prediction, references) in predictions.iter().zip(list(&case["references"])) {
            bleu.add(prediction, &texts(references)).unwrap();
            chrf.add(prediction, &texts(references)).unwrap();
        }
        let (name, expected) = (case["name"].as_str().unwrap(), &case["sacrebleu_all"]);
        assert_close(bleu.score(), &expected["bleu"], name);
        assert_close(chrf.score(), &expected["chrf"], name);
    }
}

#[test]
fn the_average_over_batches_is_the_originals() {
    let file = own("scores.json");
    let (tokenizer, mut bleu) = (WordTokenizer::default(), BatchBleu::new(512));
    let batches = &file["batches"];
    let references = texts(&batches["references"]);
    for (prediction, reference) in texts(&batches["predictions"]).iter().zip(&references) {
        let reference = tokenizer.tokens(reference);
        bleu.add(&tokenizer.tokens(prediction), &[reference])
            .unwrap();
    }
    for (order, found) in bleu.score().into_iter().enumerate() {
        let name = format!("BLEU-{}", order + 1);
        assert_close(found, &batches["average"][&name], &name);
    }
}
