//! What a step asks of the model.

use crate::{GenerateError, StepModel, TokenBatch};

/// A step of the model.
pub(super) struct ModelStep<'m, M> {
    pub(super) model: &'m M,
    pub(super) rows: usize,
    /// Steps that have succeeded before.
    pub(super) step: usize,
}

impl<M: StepModel> ModelStep<'_, M> {
    /// Feeds the model `[rows, new]` tokens. Returns as many logits as there have to be.
    pub(super) fn logits(
        &self,
        tokens: &[u32],
        state: &mut M::State,
    ) -> Result<Vec<f32>, GenerateError<M::Error>> {
        let (model, rows) = (self.model, self.rows);
        let logits = model
            .step(TokenBatch::new(tokens, rows), state)
            .map_err(|source| self.failed(source))?;
        let scored = model.scored_tokens(state).map(<[u32]>::len);
        let expected = rows * scored.unwrap_or(model.vocab_size());
        match logits.len() == expected {
            true => Ok(logits),
            false => Err(GenerateError::WrongSize {
                step: self.step,
                found: logits.len(),
                expected,
                rows,
            }),
        }
    }

    /// The hidden states of the last tokens, `[rows, width]`.
    pub(super) fn hidden_states(
        &self,
        state: &M::State,
    ) -> Result<Vec<f32>, GenerateError<M::Error>> {
        let (step, rows) = (self.step, self.rows);
        self.model
            .hidden_states(state)
            .map_err(|source| self.failed(source))?
            .filter(|states| !states.is_empty() && states.len().is_multiple_of(rows))
            .ok_or(GenerateError::NoHiddenStates { step, rows })
    }

    /// Puts the logits of a shortlist at their tokens of the whole vocabulary, `[rows, vocab_size]`.
    /// All other tokens are impossible.
    pub(super) fn scatter<'s>(
        &self,
        logits: &[f32],
        scored: &[u32],
        scattered: &'s mut Vec<f32>,
    ) -> &'s mut [f32] {
        let vocab_size = self.model.vocab_size();
        scattered.clear();
        scattered.resize(self.rows * vocab_size, f32::NEG_INFINITY);
        let rows = scattered.chunks_mut(vocab_size);
        for (row, logits) in rows.zip(logits.chunks(scored.len())) {
            for (token, logit) in scored.iter().zip(logits) {
                row[*token as usize] = *logit;
            }
        }
        scattered
    }

    /// The error of a model that failed at this step.
    pub(super) fn failed(&self, source: M::Error) -> GenerateError<M::Error> {
        let step = self.step;
        GenerateError::Model { step, source }
    }
}
