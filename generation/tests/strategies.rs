//! Sampling, diverse and contrastive search, phrases, and what else shapes texts, around a model
//! whose logits depend on the whole history of a row.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{END, Hashing, VOCABULARY, config, logits_after, prompts};
use generation::{
    GenerateError, Generation, GenerationConfig, Hypothesis, Matching, Phrase, Prompt,
    StoppingCriterion, Vocabulary, generate,
};

fn run(prompts: &[Prompt], config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    let state = vec![Vec::new(); prompts.len()];
    generate(&Hashing::default(), state, prompts, config).unwrap()
}

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
fn a_sample_does_not_depend_on_what_is_beside_it() {
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
fn groups_write_different_texts_and_the_first_what_a_search_of_its_own_does() {
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

/// Texts of [`VOCABULARY`] tokens: words, pieces of words, a full stop.
fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(Vocabulary::new([
        Some("!"),
        None,
        Some(" a"),
        Some(" dog"),
        Some("ma"),
        Some("."),
        Some(" red"),
        Some(" d"),
        Some("og"),
        Some(" runs"),
        Some("s"),
    ]))
}

fn text(hypothesis: &Hypothesis) -> String {
    vocabulary().text_behind_special(hypothesis.generated_tokens())
}

/// What is written, without the end token.
fn written(hypothesis: &Hypothesis) -> String {
    let tokens = hypothesis.generated_tokens();
    let tokens = tokens.strip_suffix(&[END]).unwrap_or(tokens);
    vocabulary().text_behind_special(tokens)
}

fn run_with_vocabulary(prompts: &[Prompt], config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    Generation::new(config.clone())
        .with_vocabulary(vocabulary())
        .run(
            &Hashing::default(),
            vec![Vec::new(); prompts.len()],
            prompts,
        )
        .unwrap()
}

fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|found| found == word)
}

#[test]
fn required_phrases_come_whole() {
    // What a prompt has already would count.
    let has_none = |prompt: &Prompt| prompt.tokens.iter().all(|token| ![3, 7].contains(token));
    let dog = Phrase::new(vec![3]).with_matching(Matching::WholeWords);
    let prompts: Vec<Prompt> = prompts(60)
        .into_iter()
        .filter(has_none)
        .map(|prompt| prompt.with_required(dog.clone()))
        .collect();
    let config = GenerationConfig {
        force_words_ids: vec![vec![vec![6, 9], vec![9, 6]]],
        ..config(4, 14)
    };
    let free = GenerationConfig {
        force_words_ids: Vec::new(),
        ..config.clone()
    };
    let mut without = 0;
    for (prompt, found) in prompts.iter().zip(run_with_vocabulary(&prompts, &config)) {
        let best = &found[0];
        assert!(has_word(&written(best), "dog"), "{:?}", best.tokens);
        let tokens = &best.tokens;
        let has = |pair: [u32; 2]| tokens.windows(2).any(|window| window == pair);
        assert!(has([6, 9]) || has([9, 6]), "{tokens:?}");
        let free = &run(&[Prompt::new(prompt.tokens.clone())], &free)[0][0];
        without += usize::from(!has_word(&written(free), "dog"));
        // What is asked for costs probability.
        assert!(best.sum() <= 0.0);
    }
    assert!(without > 8, "the words come by themselves: {without}");
}

#[test]
fn forbidden_words_never_come_however_they_are_divided() {
    let forbidding = |prompt: Prompt, matching| {
        prompt.with_forbidden(Phrase::new(vec![3]).with_matching(matching))
    };
    let mut seen = BTreeMap::new();
    for num_beams in [1, 4] {
        for (name, matching) in [
            ("tokens", Matching::Tokens),
            ("whole", Matching::WholeWords),
            ("start", Matching::WordStarts),
        ] {
            // What a prompt has already can't be forbidden.
            let prompts: Vec<Prompt> = prompts(60)
                .into_iter()
                .filter(|prompt| !prompt.tokens.contains(&3))
                .map(|prompt| forbidding(prompt, matching))
                .collect();
            for found in run_with_vocabulary(&prompts, &config(num_beams, 12)) {
                let (text, tokens) = (written(&found[0]), &found[0].tokens[2..]);
                match matching {
                    Matching::Tokens => assert!(!tokens.contains(&3)),
                    Matching::WholeWords => assert!(!has_word(&text, "dog"), "{text}"),
                    Matching::WordStarts => assert!(!text.contains(" dog"), "{text}"),
                }
                if text.contains(" dog") {
                    *seen.entry(name).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(seen["tokens"] > 0, "another way to write it is found");
    assert!(seen["whole"] > 0, "longer words are allowed");
}

#[test]
fn what_ends_a_text_does_not_leave_a_forbidden_word_at_its_end() {
    let dog = Phrase::new(vec![3]).with_matching(Matching::WholeWords);
    let prompts: Vec<Prompt> = prompts(100)
        .into_iter()
        .filter(|prompt| !prompt.tokens.contains(&3))
        .map(|prompt| prompt.with_forbidden(dog.clone()))
        .collect();
    let mut stopped = 0;
    for (config, ends) in [
        (
            GenerationConfig {
                stop_strings: vec!["og".into()],
                ..config(1, 30)
            },
            "og",
        ),
        (
            GenerationConfig {
                eos_token_id: vec![END, 8],
                ..config(3, 30)
            },
            "og",
        ),
        (
            GenerationConfig {
                forced_eos_token_id: vec![END],
                ..config(3, 7)
            },
            "",
        ),
    ] {
        for found in run_with_vocabulary(&prompts, &config) {
            let text = written(&found[0]);
            assert!(!has_word(&text, "dog"), "{text}");
            stopped += usize::from(text.ends_with(ends));
        }
    }
    assert!(stopped > 20, "{stopped}");
}

#[test]
fn phrases_that_can_not_come_are_an_error() {
    let prompt = Prompt::new(vec![4, 6]).with_required(Phrase::new(vec![5]));
    let config = GenerationConfig {
        suppress_tokens: vec![5],
        ..config(3, 9)
    };
    let result = generate(
        &Hashing::default(),
        vec![vec![]],
        std::slice::from_ref(&prompt),
        &config,
    );
    assert!(matches!(
        result,
        Err(GenerateError::PhrasesMissing {
            prompt: 0,
            phrases: 1,
            ..
        })
    ));
    for (prompt, config, message) in [
        (prompt.clone(), common::config(1, 9), "num_beams above 1"),
        (
            Prompt::new(vec![4]).with_required(Phrase::new(vec![5; 10])),
            common::config(3, 9),
            "10 tokens, but a text has 9",
        ),
        (
            Prompt::new(vec![4])
                .with_required(Phrase::new(vec![3]).with_matching(Matching::WholeWords)),
            common::config(3, 9),
            "with_vocabulary",
        ),
        (
            Prompt::new(vec![4, 6, 3]).with_forbidden(Phrase::new(vec![6, 3])),
            common::config(3, 9),
            "in the prompt (the prefix) already",
        ),
        (
            Prompt::new(vec![4]),
            GenerationConfig {
                stop_strings: vec!["x".into()],
                ..common::config(3, 9)
            },
            "stop_strings need the text of tokens",
        ),
    ] {
        let result = generate(&Hashing::default(), vec![vec![]], &[prompt], &config);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn stop_strings_end_texts_where_they_come() {
    let config = GenerationConfig {
        stop_strings: vec!["dogs".into(), ".".into()],
        ..config(1, 40)
    };
    let mut stopped = 0;
    for found in run_with_vocabulary(&prompts(40), &config) {
        let text = text(&found[0]);
        let before = text.strip_suffix('.').or(text.strip_suffix("dogs"));
        stopped += usize::from(before.is_some());
        let before = before.unwrap_or(&text);
        assert!(!before.contains("dogs") && !before.contains('.'), "{text}");
    }
    assert!(stopped > 10, "{stopped}");
}

#[test]
fn a_function_says_which_tokens_may_come() {
    let prompts = prompts(10);
    let found = Generation::new(config(3, 8))
        .with_allowed_tokens(|prompt, tokens| match tokens.len() {
            2 => vec![prompt as u32],
            length => vec![7, length as u32],
        })
        .run(&Hashing::default(), vec![Vec::new(); 10], &prompts)
        .unwrap();
    for (number, found) in found.iter().enumerate() {
        let tokens = found[0].generated_tokens();
        assert_eq!(tokens[0], number as u32);
        for (place, token) in tokens.iter().enumerate().skip(1) {
            assert!(*token == 7 || *token == place as u32 + 2, "{tokens:?}");
        }
    }
}

/// A rule of one's own: no text with two equal tokens behind each other goes on.
struct Stutter;

impl StoppingCriterion for Stutter {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        matches!(tokens, [.., a, b] if a == b)
    }
}

#[test]
fn rules_of_ones_own_complete_texts() {
    let found = Generation::new(config(1, 40))
        .with_stopping_criterion(Stutter)
        .run(&Hashing::default(), vec![Vec::new(); 40], &prompts(40))
        .unwrap();
    let mut stuttered = 0;
    for found in &found {
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
fn time_that_is_over_ends_texts_where_they_are() {
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
fn more_alternatives_than_anyone_needs_are_an_error() {
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
        let found = Generation::new(config)
            .with_alternatives(4)
            .run(&Hashing::default(), vec![Vec::new(); 5], &prompts(5))
            .unwrap();
        for hypothesis in found.iter().flatten() {
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
