//! Sampling, diverse beam search, and other options, with a model whose logits depend on the whole
//! history of a row.

mod common;

use common::{Hashing, VOCABULARY, all, config, logits_after, prompts, run};
use generation::{Generation, GenerationConfig, Hypothesis, Prompt, StoppingCriterion};

fn sampling(count: usize, max_length: usize) -> GenerationConfig {
    GenerationConfig {
        do_sample: true,
        num_return_sequences: count,
        top_k: 0,
        seed: 11,
        ..config(1, max_length)
    }
}

#[test]
fn samples_are_drawn_by_their_probabilities() {
    let config = GenerationConfig {
        num_return_sequences: 1000,
        temperature: 0.7,
        ..sampling(1, 3)
    };
    let mut counts = [0_usize; VOCABULARY];
    for seed in 0..20 {
        let prompt = Prompt::new(vec![4, 6]).with_seed(seed);
        for found in &run(&[prompt], &config)[0] {
            counts[found.tokens[2] as usize] += 1;
        }
    }
    let logits: Vec<f64> = logits_after(&[4, 6])
        .iter()
        .map(|logit| f64::from(*logit) / 0.7)
        .collect();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    for (token, count) in counts.into_iter().enumerate() {
        let expected = 20_000.0 * logits[token].exp() / sum;
        // Five standard deviations.
        let allowed = 5.0 * expected.sqrt() + 1.0;
        assert!(
            (count as f64 - expected).abs() < allowed,
            "{token}: {count} of {expected}"
        );
    }
}

#[test]
fn a_sample_does_not_depend_on_the_rest_of_the_batch() {
    let prompts = prompts(12);
    let together = run(&prompts, &sampling(3, 15));
    assert_eq!(together, run(&prompts, &sampling(3, 15)), "from run to run");
    let mut different = 0;
    for (together, prompt) in together.iter().zip(&prompts) {
        let alone = run(std::slice::from_ref(prompt), &sampling(3, 15));
        assert_eq!(together, &alone[0]);
        let fewer = run(std::slice::from_ref(prompt), &sampling(2, 15));
        assert_eq!(together[..2], fewer[0]);
        different += usize::from(together[0] != together[1]);
        let other = GenerationConfig {
            seed: 12,
            ..sampling(3, 15)
        };
        different += usize::from(together != &run(std::slice::from_ref(prompt), &other)[0]);
    }
    assert!(
        different > 20,
        "samples and seeds differ: {different} of 24"
    );
}

#[test]
fn a_low_temperature_or_one_token_to_choose_from_is_greedy_search() {
    let prompts = prompts(20);
    let greedy = run(&prompts, &config(1, 12));
    for config in [
        GenerationConfig {
            temperature: 0.001,
            ..sampling(1, 12)
        },
        GenerationConfig {
            top_k: 1,
            ..sampling(1, 12)
        },
        GenerationConfig {
            top_p: 0.0,
            ..sampling(1, 12)
        },
    ] {
        for (sampled, greedy) in run(&prompts, &config).iter().zip(&greedy) {
            assert_eq!(sampled[0].tokens, greedy[0].tokens);
        }
    }
}

#[test]
fn beams_are_drawn_reproducibly_and_from_good_texts() {
    let prompts = prompts(20);
    let drawing = GenerationConfig {
        do_sample: true,
        top_k: 0,
        num_return_sequences: 2,
        ..config(4, 12)
    };
    let drawn = run(&prompts, &drawing);
    assert_eq!(drawn, run(&prompts, &drawing));
    let best = run(&prompts, &config(4, 12));
    let mut equal = 0;
    for (drawn, best) in drawn.iter().zip(&best) {
        assert!(drawn[0].score >= drawn[1].score);
        assert_ne!(drawn[0].tokens, drawn[1].tokens);
        equal += usize::from(drawn[0].tokens == best[0].tokens);
    }
    assert!(equal < 20, "nothing was drawn");
}

#[test]
fn groups_write_different_texts_and_the_first_is_not_penalised() {
    let prompts = prompts(20);
    let diverse = GenerationConfig {
        num_beam_groups: 3,
        diversity_penalty: 2.0,
        num_return_sequences: 6,
        ..config(6, 10)
    };
    let alone = GenerationConfig {
        num_return_sequences: 2,
        ..config(2, 10)
    };
    let beams = GenerationConfig {
        num_return_sequences: 6,
        ..config(6, 10)
    };
    let first_tokens = |found: &[Hypothesis]| {
        let tokens: std::collections::BTreeSet<u32> = found.iter().map(|h| h.tokens[2]).collect();
        tokens.len()
    };
    let (mut diverse_tokens, mut beam_tokens) = (0, 0);
    let diverse = run(&prompts, &diverse);
    for ((diverse, alone), beams) in diverse
        .iter()
        .zip(run(&prompts, &alone))
        .zip(run(&prompts, &beams))
    {
        assert_eq!(diverse.len(), 6);
        assert!(diverse.is_sorted_by(|a, b| a.score >= b.score));
        for text in &alone {
            assert!(diverse.contains(text), "the first group is not penalised");
        }
        diverse_tokens += first_tokens(diverse);
        beam_tokens += first_tokens(&beams);
    }
    assert!(
        diverse_tokens > beam_tokens,
        "{diverse_tokens} {beam_tokens}"
    );
}

#[test]
fn a_function_decides_which_tokens_are_allowed() {
    let prompts = prompts(10);
    let results = Generation::new(config(3, 8))
        .with_allowed_tokens(|prompt, tokens| match tokens.len() {
            2 => vec![prompt as u32],
            length => vec![7, length as u32],
        })
        .run(&Hashing::default(), vec![Vec::new(); 10], &prompts)
        .unwrap();
    for (number, found) in all(results).iter().enumerate() {
        let tokens = found[0].generated_tokens();
        assert_eq!(tokens[0], number as u32);
        for (place, token) in tokens.iter().enumerate().skip(1) {
            assert!(*token == 7 || *token == place as u32 + 2, "{tokens:?}");
        }
    }
}

/// A custom stopping criterion: a text ends with two equal tokens in a row.
struct Stutter;

impl StoppingCriterion for Stutter {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        matches!(tokens, [.., a, b] if a == b)
    }
}

#[test]
fn custom_stopping_criteria_end_texts() {
    let results = Generation::new(config(1, 40))
        .with_stopping_criterion(Stutter)
        .run(&Hashing::default(), vec![Vec::new(); 40], &prompts(40))
        .unwrap();
    let mut stuttered = 0;
    for found in &all(results) {
        let tokens = &found[0].tokens;
        let place = tokens
            .windows(2)
            .skip(1)
            .position(|pair| pair[0] == pair[1]);
        stuttered += usize::from(place.is_some());
        assert!(
            place.is_none_or(|place| place + 3 == tokens.len()),
            "{tokens:?}"
        );
    }
    assert!(stuttered > 5);
}

#[test]
fn a_time_limit_ends_texts_as_they_are() {
    for num_beams in [1, 3] {
        let config = GenerationConfig {
            max_time: Some(1e-9),
            eos_token_id: Vec::new(),
            ..config(num_beams, 1000)
        };
        for found in run(&prompts(3), &config) {
            assert_eq!(found[0].generated_tokens().len(), 1);
        }
    }
}

#[test]
fn patience_looks_for_better_texts() {
    let prompts = prompts(60);
    let with_patience = |patience| {
        let config = GenerationConfig {
            patience,
            early_stopping: generation::EarlyStopping::FirstFinished,
            ..config(3, 20)
        };
        let found = run(&prompts, &config);
        found.iter().map(|found| found[0].score).collect::<Vec<_>>()
    };
    let (impatient, usual, patient) = (with_patience(0.4), with_patience(1.0), with_patience(4.0));
    for ((impatient, usual), patient) in impatient.iter().zip(&usual).zip(&patient) {
        assert!(impatient <= usual && usual <= patient);
    }
    assert!(impatient != usual && usual != patient);
}

#[test]
fn too_many_alternatives_are_an_error() {
    let result = Generation::new(config(1, 9))
        .with_alternatives(usize::MAX)
        .run(&Hashing::default(), vec![Vec::new()], &prompts(1));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("expected up to 1024"), "{error}");
}

#[test]
fn alternatives_come_with_every_token() {
    for config in [
        config(1, 9),
        config(3, 9),
        sampling(2, 9),
        GenerationConfig {
            num_beam_groups: 2,
            diversity_penalty: 1.0,
            ..config(4, 9)
        },
    ] {
        let results = Generation::new(config)
            .with_alternatives(4)
            .run(&Hashing::default(), vec![Vec::new(); 5], &prompts(5))
            .unwrap();
        for hypothesis in all(results).iter().flatten() {
            assert_eq!(
                hypothesis.alternatives.len(),
                hypothesis.generated_tokens().len()
            );
            let tokens = hypothesis.generated_tokens().iter();
            let chosen = tokens.zip(&hypothesis.token_log_probs);
            for ((token, log_prob), alternatives) in chosen.zip(&hypothesis.alternatives) {
                assert_eq!(alternatives.len(), 4);
                assert!(alternatives.is_sorted_by(|a, b| a.log_prob >= b.log_prob));
                if let Some(same) = alternatives.iter().find(|a| a.token == *token) {
                    assert!((same.log_prob - log_prob).abs() < 3.0);
                }
            }
        }
    }
}
