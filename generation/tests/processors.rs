//! Processors against the results of Hugging Face's on the same scores, which
//! `data/make_processors.py` made.

use generation::{GenerationConfig, Prompt, processors};
use serde_json::{Map, Value};

/// The references have six decimals.
const TOLERANCE: f32 = 1e-5;

/// Number of tokens of a history that are the prompt.
const PROMPT_LENGTH: usize = 2;

fn numbers(scores: &Value) -> Vec<f32> {
    let number = |score: &Value| {
        score
            .as_f64()
            .map_or(f32::NEG_INFINITY, |score| score as f32)
    };
    scores.as_array().unwrap().iter().map(number).collect()
}

fn tokens(history: &Value) -> Vec<u32> {
    serde_json::from_value(history.clone()).unwrap()
}

/// Compares all cases of a file, with this number of beams.
fn assert_agree(json: &str, num_beams: usize) {
    let reference: Value = serde_json::from_str(json).unwrap();
    let cases = reference["cases"].as_array().unwrap();
    assert!(cases.len() > 5);
    for case in cases {
        let name = case["processor"].as_str().unwrap();
        let options = Map::from_iter([
            (name.to_owned(), case["value"].clone()),
            ("eos_token_id".into(), reference["eos_token_id"].clone()),
        ]);
        let base = GenerationConfig {
            do_sample: true,
            top_k: 0,
            num_beams,
            ..GenerationConfig::default()
        };
        let config = base.updated(&options).unwrap();
        let histories = case.get("input_ids").unwrap_or(&reference["input_ids"]);
        for (row, history) in histories.as_array().unwrap().iter().enumerate() {
            let history = tokens(history);
            let prompt = history[..history.len().min(PROMPT_LENGTH)].to_vec();
            let mut scores = numbers(&reference["before"][row]);
            for processor in processors(&config, &Prompt::new(prompt)) {
                processor.process(&history, &mut scores);
            }
            let expected = numbers(&case["after"][row]);
            for (token, (score, expected)) in scores.iter().zip(&expected).enumerate() {
                let is_equal = score == expected || (score - expected).abs() < TOLERANCE;
                let value = &case["value"];
                assert!(
                    is_equal,
                    "{name} {value}, row {row}, token {token}: {score} {expected}"
                );
            }
        }
    }
}

#[test]
fn processors_agree() {
    assert_agree(include_str!("data/processors.json"), 1);
    assert_agree(include_str!("data/processors_more.json"), 1);
}

#[test]
fn with_beams_a_token_that_continues_the_text_is_kept() {
    assert_agree(include_str!("data/processors_beams.json"), 4);
}
