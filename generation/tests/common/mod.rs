//! A model whose logits depend on the whole history of a row.

// Each test program uses some of this.
#![allow(dead_code)]

use std::cell::Cell;
use std::fmt;

use generation::{
    GenerationConfig, Hypothesis, Prompt, PromptResult, StepModel, TokenBatch, generate,
};

pub(crate) const VOCABULARY: usize = 11;
pub(crate) const END: u32 = 1;

/// Scores the next token by a hash of all tokens before it.
#[derive(Default)]
pub(crate) struct Hashing {
    /// Step at which something goes wrong, and what.
    pub(crate) fault: Option<(usize, Fault)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Error,
    NotANumber,
    Infinity,
    OneRowShort,
}

#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

pub(crate) fn logits_after(history: &[u32]) -> Vec<f32> {
    let mut hash = 0x9e37_79b9_u32;
    for token in history {
        hash = (hash ^ token).wrapping_mul(0x85eb_ca6b).rotate_left(13);
    }
    (0..VOCABULARY as u32)
        .map(|token| {
            let mixed = (hash ^ token.wrapping_mul(0xc2b2_ae35)).wrapping_mul(0x27d4_eb2f);
            (mixed >> 16) as f32 / 12000.0
        })
        .collect()
}

impl StepModel for Hashing {
    type State = Vec<Vec<u32>>;
    type Error = Broken;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(&self, tokens: TokenBatch<'_>, state: &mut Self::State) -> Result<Vec<f32>, Broken> {
        assert_eq!(tokens.rows(), state.len());
        let new = tokens.ids().chunks(tokens.new_tokens());
        for (history, new) in state.iter_mut().zip(new) {
            history.extend(new);
        }
        let mut logits: Vec<f32> = state.iter().flat_map(|row| logits_after(row)).collect();
        match self.fault {
            Some((step, fault)) if state[0].len() == step + 1 => match fault {
                Fault::Error => return Err(Broken),
                Fault::NotANumber => *logits.last_mut().unwrap() = f32::NAN,
                Fault::Infinity => *logits.last_mut().unwrap() = f32::INFINITY,
                Fault::OneRowShort => logits.truncate(logits.len() - VOCABULARY),
            },
            _ => (),
        }
        Ok(logits)
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Broken> {
        *state = parents.iter().map(|row| state[*row].clone()).collect();
        Ok(())
    }

    fn can_join(&self, _state: &Self::State, _other: &Self::State) -> bool {
        true
    }

    fn join(&self, state: &mut Self::State, other: Self::State) -> Result<(), Broken> {
        state.extend(other);
        Ok(())
    }
}

pub(crate) fn config(num_beams: usize, max_length: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_length: Some(max_length),
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    }
}

pub(crate) fn prompts(count: u32) -> Vec<Prompt> {
    (0..count)
        .map(|i| Prompt::new(vec![i % 11, i / 11]))
        .collect()
}

/// The log-probability of `tokens` after the first `prompt` of them.
pub(crate) fn log_prob(tokens: &[u32], prompt: usize) -> f32 {
    (prompt..tokens.len())
        .map(|i| {
            let logits = logits_after(&tokens[..i]);
            let sum: f32 = logits.iter().map(|l| l.exp()).sum();
            logits[tokens[i] as usize] - sum.ln()
        })
        .sum()
}

pub(crate) fn run(prompts: &[Prompt], config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    let state = vec![Vec::new(); prompts.len()];
    all(generate(&Hashing::default(), state, prompts, config).unwrap())
}

/// The hypotheses of prompts that all have some.
pub(crate) fn all(results: Vec<PromptResult>) -> Vec<Vec<Hypothesis>> {
    results.into_iter().map(Result::unwrap).collect()
}

/// Logits and hidden states that depend on the history of a row. Counts how often the hidden states are
/// asked for.
#[derive(Default)]
pub(crate) struct Telling {
    pub(crate) asked: Cell<usize>,
}

/// The hidden state after a history.
pub(crate) fn hidden(history: &[u32]) -> [f32; 2] {
    let angle = history.iter().map(|token| *token as f32).sum::<f32>() / 3.0;
    [angle.cos(), angle.sin()]
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
        Ok(Some(state.iter().flat_map(|row| hidden(row)).collect()))
    }
}
