//! Prompts with options of their own: one batch holds different requests, and each gets what it
//! would get alone.

mod common;

use std::cell::Cell;
use std::sync::Arc;

use common::{Broken, END, Hashing, VOCABULARY, all, config, prompts, run};
use generation::{
    ConfigError, GenerateError, Generation, GenerationConfig, LogitsProcessor, Phrase, Prompt,
    StepModel, StoppingCriterion, TokenBatch, generate, score,
};

/// Logits and hidden states by the history of a row; counts how often it is asked for the latter.
#[derive(Default)]
struct Telling {
    asked: Cell<usize>,
}

impl StepModel for Telling {
    type State = Vec<Vec<u32>>;
    type Error = Broken;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(&self, tokens: TokenBatch<'_>, state: &mut Self::State) -> Result<Vec<f32>, Broken> {
        Hashing::default().step(tokens, state)
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Broken> {
        Hashing::default().select_rows(state, parents)
    }

    fn hidden_states(&self, state: &Self::State) -> Result<Option<Vec<f32>>, Broken> {
        self.asked.set(self.asked.get() + 1);
        let hidden = |row: &Vec<u32>| {
            let angle = row.iter().map(|token| *token as f32).sum::<f32>() / 3.0;
            [angle.cos(), angle.sin()]
        };
        Ok(Some(state.iter().flat_map(hidden).collect()))
    }
}

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

/// A token that only even tokens may follow.
fn even_after_eight(tokens: &[u32]) -> Vec<u32> {
    match tokens.last() {
        Some(8) => vec![0, 2, 4, 6],
        _ => (0..VOCABULARY as u32).collect(),
    }
}

fn contrastive() -> GenerationConfig {
    GenerationConfig {
        penalty_alpha: Some(0.6),
        top_k: 4,
        ..config(1, 10)
    }
}

fn sampling(seed: u64) -> GenerationConfig {
    GenerationConfig {
        do_sample: true,
        num_return_sequences: 3,
        temperature: 0.8,
        seed,
        ..config(1, 14)
    }
}

/// Different strategies and lengths.
fn configs() -> Vec<GenerationConfig> {
    vec![
        config(1, 9),
        config(1, 15),
        GenerationConfig {
            num_return_sequences: 4,
            length_penalty: 0.3,
            ..config(4, 12)
        },
        GenerationConfig {
            early_stopping: generation::EarlyStopping::Never,
            eos_token_id: vec![END, 8],
            ..config(3, 11)
        },
        sampling(1),
        sampling(2),
        GenerationConfig {
            num_return_sequences: 2,
            ..GenerationConfig {
                num_beams: 3,
                ..sampling(5)
            }
        },
        GenerationConfig {
            num_beam_groups: 2,
            diversity_penalty: 1.0,
            num_return_sequences: 4,
            ..config(4, 12)
        },
        contrastive(),
        GenerationConfig {
            force_words_ids: vec![vec![vec![6, 9]]],
            ..config(4, 14)
        },
        GenerationConfig {
            repetition_penalty: 1.5,
            no_repeat_ngram_size: 2,
            max_new_tokens: Some(6),
            ..config(2, 0)
        },
    ]
}

/// A prompt of one to three tokens.
fn prompt(number: usize) -> Prompt {
    let number = number as u32;
    Prompt::new((0..1 + number % 3).map(|i| (number + i) % 11).collect())
}

#[test]
fn strategies_and_lengths_mix_in_one_batch() {
    let mut mixed = Vec::new();
    let mut alone = Vec::new();
    for repeat in 0..3 {
        for (number, config) in configs().into_iter().enumerate() {
            let prompt = prompt(number + 4 * repeat).with_seed(repeat as u64);
            let one = std::slice::from_ref(&prompt);
            let found = generate(&Telling::default(), vec![vec![]], one, &config).unwrap();
            alone.extend(found);
            mixed.push(prompt.with_config(config));
        }
    }
    // Any configuration will do for the call: each prompt has its own.
    let state = vec![Vec::new(); mixed.len()];
    let together = generate(&Telling::default(), state, &mixed, &config(7, 5)).unwrap();
    assert_eq!(together, alone);
    let texts = all(together);
    let lengths = texts.iter().map(|found| found[0].tokens.len());
    assert!(lengths.clone().min() < lengths.max());
}

#[test]
fn hidden_states_are_asked_for_as_long_as_a_prompt_needs_them() {
    let long = GenerationConfig {
        min_length: 20,
        ..config(2, 20)
    };
    let short = GenerationConfig {
        max_length: Some(6),
        min_length: 6,
        ..contrastive()
    };
    let model = Telling::default();
    let prompts = [
        Prompt::new(vec![3]).with_config(long),
        Prompt::new(vec![4]).with_config(short),
    ];
    all(generate(&model, vec![vec![]; 2], &prompts, &config(1, 9)).unwrap());
    // Five tokens, each chosen by what the model makes of it, and the prompt.
    assert_eq!(model.asked.get(), 6);
    all(generate(&model, vec![vec![]], &prompts[..1], &config(1, 9)).unwrap());
    assert_eq!(model.asked.get(), 6);
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
    // With one prompt its number says nothing; nor does it where all share the options.
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
