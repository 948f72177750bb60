//! Greedy and beam search, with every option of the reference.

use generation::{Hypothesis, Prompt};

use crate::devices::{SCORES, STATES, assert_close, on_every_device};
use crate::reference::{Tensors, cases, load};

#[test]
fn texts_and_scores_are_those_of_transformers() {
    let reference = Tensors::read();
    on_every_device(|name, device| {
        let pretrained = load(device);
        let memory = pretrained.model.encode(reference.pixel_values(device));
        let (mut scores_apart, mut log_probs_apart) = (0.0, 0.0);
        for case in cases(&pretrained) {
            let what = format!("{} on {name}", case.name);
            let prompts = vec![Prompt::new(vec![case.config.start_token().unwrap()]); 3];
            let found = pretrained
                .model
                .generate_from(memory.clone(), &[0, 1, 2], &prompts, &case.config)
                .unwrap();
            let found: Vec<Hypothesis> = found.into_iter().flat_map(Result::unwrap).collect();

            let longest = found.iter().map(|text| text.tokens.len()).max().unwrap();
            let padded = found.iter().map(|text| {
                let mut tokens = text.tokens.clone();
                tokens.resize(longest, case.pad_token_id);
                tokens
            });
            assert_eq!(padded.collect::<Vec<_>>(), case.sequences, "{what}");
            if let Some(expected) = &case.scores {
                let scores: Vec<f32> = found.iter().map(|text| text.score).collect();
                // A negative length penalty multiplies the sum of log-probabilities, and with it the
                // rounding errors.
                let factor = longest as f32;
                let factor = factor.powf(-case.config.length_penalty as f32).max(1.0);
                let apart = assert_close(&what, &scores, expected, SCORES * factor);
                scores_apart = f32::max(scores_apart, apart / factor);
            }
            let log_probs = found.iter().flat_map(|text| &text.token_log_probs).copied();
            let expected = found.iter().zip(&case.token_log_probs);
            let expected = expected.flat_map(|(text, all)| &all[..text.token_log_probs.len()]);
            let (log_probs, expected): (Vec<f32>, Vec<f32>) =
                log_probs.zip(expected.copied()).unzip();
            let apart = assert_close(&what, &log_probs, &expected, STATES);
            log_probs_apart = f32::max(log_probs_apart, apart);
        }
        println!("scores on {name}: {scores_apart:.1e}");
        println!("log-probabilities on {name}: {log_probs_apart:.1e}");
    });
}
