//! The options of a prompt take the place of the call's, and are checked like those.

mod common;

use std::sync::Arc;

use common::{Hashing, VOCABULARY, config, prompts, run};
use generation::{
    ConfigError, GenerateError, Generation, GenerationConfig, LogitsProcessor, Phrase, Prompt,
    StoppingCriterion, generate, score,
};

/// Makes even tokens more likely.
struct Even;

impl LogitsProcessor for Even {
    fn process(&self, _: &[u32], scores: &mut [f32]) {
        scores.iter_mut().step_by(2).for_each(|score| *score += 2.0);
    }
}

/// Makes odd tokens more likely.
struct Odd;

impl LogitsProcessor for Odd {
    fn process(&self, _: &[u32], scores: &mut [f32]) {
        let odd = scores.iter_mut().skip(1).step_by(2);
        odd.for_each(|score| *score += 2.0);
    }
}

/// Ends a text at a token.
struct EndsAt(u32);

impl StoppingCriterion for EndsAt {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        tokens.last() == Some(&self.0)
    }
}

/// Token 8 may be followed by even tokens only.
fn even_after_eight(tokens: &[u32]) -> Vec<u32> {
    match tokens.last() {
        Some(8) => vec![0, 2, 4, 6],
        _ => (0..VOCABULARY as u32).collect(),
    }
}

#[test]
fn code_of_a_prompt_takes_the_place_of_the_calls() {
    let tokens = |number: usize| prompts(11)[number].clone();
    let mixed = [
        tokens(2),
        tokens(3).with_processor(Odd),
        tokens(4).with_stopping_criterion(EndsAt(4)),
        tokens(5).with_allowed_tokens(even_after_eight),
        tokens(6).with_alternatives(3),
        tokens(7).with_alternatives(0),
    ];
    let call = || {
        Generation::new(config(2, 12))
            .with_processor(Even)
            .with_stopping_criterion(EndsAt(6))
            .with_allowed_tokens(|_, _| vec![0, 1, 2, 3, 4, 6, 8, 10])
            .with_alternatives(1)
    };
    // The same, with the prompt's code as the call's.
    let base = || Generation::new(config(2, 12));
    let allowed = |_: usize, _: &[u32]| vec![0, 1, 2, 3, 4, 6, 8, 10];
    let alone = [
        call(),
        base()
            .with_processor(Odd)
            .with_stopping_criterion(EndsAt(6))
            .with_allowed_tokens(allowed)
            .with_alternatives(1),
        base()
            .with_processor(Even)
            .with_stopping_criterion(EndsAt(4))
            .with_allowed_tokens(allowed)
            .with_alternatives(1),
        base()
            .with_processor(Even)
            .with_stopping_criterion(EndsAt(6))
            .with_allowed_tokens(|_, tokens| even_after_eight(tokens))
            .with_alternatives(1),
        call().with_alternatives(3),
        call().with_alternatives(0),
    ];
    let model = Hashing::default();
    let together = call().run(&model, vec![vec![]; 6], &mixed).unwrap();
    for (number, (together, alone)) in together.into_iter().zip(alone).enumerate() {
        let one = [tokens(number + 2)];
        assert_eq!(
            together,
            alone.run(&model, vec![vec![]], &one).unwrap()[0],
            "{number}"
        );
    }
}

#[test]
fn time_is_up_for_the_prompt_that_limits_it() {
    let limited = GenerationConfig {
        max_time: Some(1e-9),
        min_length: 9,
        ..config(1, 9)
    };
    let unlimited = GenerationConfig {
        max_time: None,
        ..limited.clone()
    };
    let prompts = [
        Prompt::new(vec![3]).with_config(limited),
        Prompt::new(vec![4]).with_config(unlimited.clone()),
    ];
    let found = run(&prompts, &config(1, 9));
    assert_eq!(found[0][0].generated_tokens().len(), 1);
    assert_eq!(found[1], run(&[Prompt::new(vec![4])], &unlimited)[0]);
    assert_eq!(found[1][0].tokens.len(), 9);
}

#[test]
fn given_texts_are_scored_with_the_options_of_their_prompts() {
    let penalised = GenerationConfig {
        length_penalty: 2.0,
        repetition_penalty: 1.7,
        ..config(1, 9)
    };
    let texts = vec![vec![2, 3, 2], vec![2, 3, 2]];
    let plain = [Prompt::new(vec![4]), Prompt::new(vec![4])];
    let mixed = [
        plain[0].clone(),
        plain[1].clone().with_config(penalised.clone()),
    ];
    let model = Hashing::default();
    let run = |prompts: &[Prompt], config: &GenerationConfig| {
        score(&model, vec![vec![]; 2], prompts, &texts, config).unwrap()
    };
    let found = run(&mixed, &config(1, 9));
    assert_eq!(found[0], run(&plain, &config(1, 9))[0]);
    assert_eq!(found[1], run(&plain, &penalised)[1]);
    assert_ne!(found[0], found[1]);
}

#[test]
fn options_of_a_prompt_are_checked_and_the_prompt_is_named() {
    let wrong = Arc::new(config(0, 9));
    let check = |prompts: &[Prompt], config: &GenerationConfig| {
        let state = vec![Vec::new(); prompts.len()];
        match generate(&Hashing::default(), state, prompts, config) {
            Err(GenerateError::Config(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let of_prompt = |error: ConfigError| match error {
        ConfigError::Prompt { prompt, source } => (prompt, *source),
        other => panic!("{other:?}"),
    };
    let plain = Prompt::new(vec![4]);

    let own = plain.clone().with_config(Arc::clone(&wrong));
    let (prompt, error) = of_prompt(check(&[plain.clone(), own.clone()], &config(2, 9)));
    assert_eq!(prompt, 1);
    assert!(matches!(
        error,
        ConfigError::OutOfRange {
            option: "num_beams",
            ..
        }
    ));
    // The index does not help with one prompt, or if all prompts share the options.
    for (prompts, config) in [
        (vec![own], config(2, 9)),
        (vec![plain.clone(); 3], config(0, 9)),
    ] {
        let error = check(&prompts, &config);
        assert!(matches!(error, ConfigError::OutOfRange { .. }), "{error:?}");
    }

    for (odd_one, message) in [
        (Prompt::default(), "no tokens"),
        (Prompt::new(vec![11]), "token 11"),
        (Prompt::new(vec![4; 9]), "leaves none to generate"),
        (plain.clone().with_alternatives(5000), "up to 1024"),
        (
            plain
                .clone()
                .with_config(config(1, 9))
                .with_required(Phrase::new(vec![5])),
            "need num_beams above 1",
        ),
    ] {
        let (prompt, error) = of_prompt(check(&[plain.clone(), odd_one], &config(2, 9)));
        assert_eq!(prompt, 1);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_configuration_that_no_prompt_uses_is_not_checked() {
    let prompts = [Prompt::new(vec![4]).with_config(config(2, 9))];
    assert!(generate(&Hashing::default(), vec![vec![]], &prompts, &config(0, 0)).is_ok());
}
