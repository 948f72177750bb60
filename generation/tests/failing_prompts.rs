//! A prompt without a result leaves the batch, and the others go on as if it had not been there.

mod common;

use std::ops::ControlFlow;

use common::{Broken, Hashing, VOCABULARY, config, prompts};
use generation::{
    Event, Generation, GenerationConfig, Phrase, Prompt, PromptError, PromptResult, StepModel,
    TokenBatch, generate, score,
};

/// Rows of prompts that begin with this token are faulty ...
const FAULTY: u32 = 7;

/// ... at this length.
const FAULTY_LENGTH: usize = 6;

/// Logits that depend on the history of a row. In faulty rows, one of them is this value.
struct Faulty(f32);

impl StepModel for Faulty {
    type State = Vec<Vec<u32>>;
    type Error = Broken;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(&self, tokens: TokenBatch<'_>, state: &mut Self::State) -> Result<Vec<f32>, Broken> {
        let mut logits = Hashing::default().step(tokens, state)?;
        for (history, logits) in state.iter().zip(logits.chunks_mut(VOCABULARY)) {
            if history[0] == FAULTY && history.len() == FAULTY_LENGTH {
                logits[3] = self.0;
            }
        }
        Ok(logits)
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Broken> {
        Hashing::default().select_rows(state, parents)
    }
}

fn run(prompts: &[Prompt], config: &GenerationConfig) -> Vec<PromptResult> {
    let state = vec![Vec::new(); prompts.len()];
    generate(&Faulty(f32::NAN), state, prompts, config).unwrap()
}

/// Compares all prompts of a batch with themselves alone. Returns the results.
fn assert_as_if_alone(prompts: &[Prompt], config: &GenerationConfig) -> Vec<PromptResult> {
    let together = run(prompts, config);
    for (together, prompt) in together.iter().zip(prompts) {
        assert_eq!(*together, run(std::slice::from_ref(prompt), config)[0]);
    }
    together
}

#[test]
fn a_row_with_nan_takes_only_its_prompt_with_it() {
    for num_beams in [1, 3] {
        let config = GenerationConfig {
            min_length: 9,
            num_return_sequences: num_beams,
            ..config(num_beams, 12)
        };
        let prompts = [
            Prompt::new(vec![3]),
            Prompt::new(vec![FAULTY, 4, 2]),
            Prompt::new(vec![5, 6]),
            Prompt::new(vec![FAULTY]),
            Prompt::new(vec![2]),
        ];
        let results = assert_as_if_alone(&prompts, &config);
        let errors: Vec<_> = results.iter().map(|r| r.as_ref().err().cloned()).collect();
        // The steps are those of the prompt, whatever the lengths beside it.
        let at = |step| Some(PromptError::NotFinite { step, row: 0 });
        assert_eq!(errors, [None, at(3), None, at(5), None]);
    }
}

#[test]
fn infinity_and_no_possible_token_at_all_are_failures_too() {
    for fault in [f32::INFINITY, f32::NEG_INFINITY] {
        let prompts = [Prompt::new(vec![FAULTY]), Prompt::new(vec![2])];
        let config = GenerationConfig {
            min_length: 9,
            // Minus infinity leaves the other tokens possible, so these are suppressed.
            suppress_tokens: match fault == f32::NEG_INFINITY {
                true => (0..11).filter(|token| *token != 3).collect(),
                false => Vec::new(),
            },
            ..config(1, 9)
        };
        let results = generate(&Faulty(fault), vec![vec![]; 2], &prompts, &config).unwrap();
        let expected = match fault == f32::NEG_INFINITY {
            true => PromptError::NothingPossible { step: 5 },
            false => PromptError::NotFinite { step: 5, row: 0 },
        };
        assert_eq!(results[0], Err(expected));
        assert!(results[1].is_ok());
    }
}

#[test]
fn a_prompt_that_may_not_go_on_leaves_the_others() {
    let stuck = |length| {
        move |tokens: &[u32]| match tokens.len() < length {
            true => vec![4, 6, 8],
            false => Vec::new(),
        }
    };
    for num_beams in [1, 4] {
        let prompts = [
            Prompt::new(vec![3, 4]).with_allowed_tokens(stuck(5)),
            Prompt::new(vec![5, 6]),
            Prompt::new(vec![2, 8]).with_allowed_tokens(stuck(2)),
        ];
        let results = assert_as_if_alone(&prompts, &config(num_beams, 9));
        assert_eq!(results[0], Err(PromptError::NothingPossible { step: 3 }));
        assert!(results[1].is_ok());
        assert_eq!(results[2], Err(PromptError::NothingPossible { step: 0 }));
    }
}

#[test]
fn a_prompt_without_its_phrases_leaves_the_others() {
    let config = GenerationConfig {
        suppress_tokens: vec![5],
        ..config(3, 9)
    };
    let prompts = [
        Prompt::new(vec![4, 6]),
        Prompt::new(vec![4, 6]).with_required(Phrase::new(vec![5])),
        Prompt::new(vec![4, 6]).with_required(Phrase::new(vec![8])),
    ];
    let results = assert_as_if_alone(&prompts, &config);
    assert!(results[0].is_ok() && results[2].is_ok());
    let error = results[1].as_ref().unwrap_err();
    assert!(matches!(error, PromptError::PhrasesMissing { phrases: 1, step } if *step > 0));
}

#[test]
fn observers_learn_of_a_failed_prompt_once_and_of_nothing_after() {
    let prompts = [Prompt::new(vec![FAULTY]), Prompt::new(vec![3])];
    let config = GenerationConfig {
        min_length: 9,
        ..config(1, 12)
    };
    let mut events: Vec<(usize, &str)> = Vec::new();
    let results = Generation::new(config)
        .with_observer(|event| {
            events.push(match event {
                Event::Draft { prompt, .. } => (prompt, "draft"),
                Event::Finished { prompt, .. } => (prompt, "finished"),
                Event::Failed { prompt, error } => {
                    assert_eq!(*error, PromptError::NotFinite { step: 5, row: 0 });
                    (prompt, "failed")
                }
                _ => return ControlFlow::Break(()),
            });
            ControlFlow::Continue(())
        })
        .run(&Faulty(f32::NAN), vec![vec![]; 2], &prompts)
        .unwrap();
    assert!(results[0].is_err() && results[1].is_ok());
    let of_faulty: Vec<&str> = events.iter().filter(|e| e.0 == 0).map(|e| e.1).collect();
    assert_eq!(
        of_faulty,
        ["draft", "draft", "draft", "draft", "draft", "failed"]
    );
    assert_eq!(events.last(), Some(&(1, "finished")));
}

#[test]
fn one_given_text_may_fail_without_the_others() {
    let prompts = [Prompt::new(vec![FAULTY]), Prompt::new(vec![3])];
    let texts = vec![vec![2; 8]; 2];
    let run = |prompts: &[Prompt], texts: &[Vec<u32>]| {
        let state = vec![Vec::new(); prompts.len()];
        score(&Faulty(f32::NAN), state, prompts, texts, &config(1, 9)).unwrap()
    };
    let together = run(&prompts, &texts);
    assert_eq!(together[0], Err(PromptError::NotFinite { step: 5, row: 0 }));
    assert_eq!(together[1], run(&prompts[1..], &texts[1..])[0]);
    assert!(together[1].is_ok());
}

#[test]
fn a_batch_is_over_when_every_prompt_has_failed() {
    let prompts: Vec<Prompt> = prompts(11)
        .into_iter()
        .map(|prompt| prompt.with_allowed_tokens(|_| Vec::new()))
        .collect();
    for result in run(&prompts, &config(2, 9)) {
        assert_eq!(result, Err(PromptError::NothingPossible { step: 0 }));
    }
}
