use std::ops::Range;
use std::sync::Arc;

use super::{Continuation, normalised};
use crate::numeric::{Best, Normaliser, keep, keep_best, map_all};
use crate::stopping::StoppingCriteria;
use crate::{Alternative, Hypothesis, LogitsProcessor};

/// One step of a search: the scores of its rows.
pub struct Step<'a> {
    scores: &'a mut [f32],
    vocab_size: usize,
    stopping: Option<&'a StoppingCriteria>,
    /// Processors that the search runs itself.
    processors: &'a [Arc<dyn LogitsProcessor>],
    /// How many alternatives come with each token.
    alternatives: usize,
    /// Whether the scores are logits, not log-probabilities.
    are_logits: bool,
    /// `[rows, width]`, if the search needs them.
    hidden_states: Option<&'a [f32]>,
}

impl<'a> Step<'a> {
    /// A step without processors and stopping criteria. `scores` is `[rows, vocab_size]`.
    pub fn new(scores: &'a mut [f32], vocab_size: usize) -> Self {
        Self {
            scores,
            vocab_size,
            stopping: None,
            processors: &[],
            alternatives: 0,
            are_logits: false,
            hidden_states: None,
        }
    }

    pub(crate) fn with_stopping(mut self, stopping: &'a StoppingCriteria) -> Self {
        self.stopping = Some(stopping);
        self
    }

    pub(crate) fn with_processors(mut self, processors: &'a [Arc<dyn LogitsProcessor>]) -> Self {
        self.processors = processors;
        self
    }

    pub(crate) fn with_alternatives(mut self, count: usize, are_logits: bool) -> Self {
        self.alternatives = count;
        self.are_logits = are_logits;
        self
    }

    /// `hidden_states` is `[rows, width]`.
    pub(crate) fn with_hidden_states(mut self, hidden_states: Option<&'a [f32]>) -> Self {
        self.hidden_states = hidden_states;
        self
    }

    /// Number of tokens of the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.scores.len() / self.vocab_size.max(1)
    }

    /// The scores of the next token of a row, one per token of the vocabulary.
    pub fn scores(&self, row: usize) -> &[f32] {
        &self.scores[row * self.vocab_size..][..self.vocab_size]
    }

    /// The scores of the next token of a row, to change them.
    pub fn scores_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.scores[row * self.vocab_size..][..self.vocab_size]
    }

    /// The model's hidden state of the last token of a row; `None` if the search does not
    /// [need](super::Search::needs_hidden_states) them.
    pub fn hidden_state(&self, row: usize) -> Option<&'a [f32]> {
        let hidden_states = self.hidden_states?;
        let width = hidden_states.len() / self.rows().max(1);
        hidden_states.get(row * width..(row + 1) * width)
    }

    /// The part of the step for some of its rows, for a search that consists of others.
    pub fn part(&mut self, rows: Range<usize>) -> Step<'_> {
        let width = self.hidden_states.map(|all| all.len() / self.rows().max(1));
        let states = self.hidden_states.zip(width);
        Step {
            hidden_states: states.map(|(all, width)| &all[rows.start * width..rows.end * width]),
            scores: &mut self.scores[rows.start * self.vocab_size..rows.end * self.vocab_size],
            ..*self
        }
    }

    /// Runs the processors on the scores of a row with these tokens, for a search that
    /// [does so itself](super::Search::runs_processors).
    pub fn process(&mut self, row: usize, tokens: &[u32]) {
        let processors = self.processors;
        let scores = self.scores_mut(row);
        for processor in processors {
            processor.process(tokens, scores);
        }
    }

    /// Whether a text is complete with its last token.
    pub fn is_complete(&self, hypothesis: &Hypothesis) -> bool {
        self.stopping
            .is_some_and(|stopping| stopping.is_complete(&hypothesis.tokens))
    }

    /// The `count` most likely continuations of the step's rows, best first. The score of a
    /// continuation is the sum of the row's and the token's. Among equal scores the earlier row and
    /// token comes first. Impossible tokens, those with minus infinity, are left out.
    ///
    /// The vocabulary is not sorted: each score is compared with the worst one kept.
    pub fn best_continuations(&self, rows: &[Hypothesis], count: usize) -> Vec<Continuation> {
        /// Above this, keeping all of them in order takes longer than sorting them at the end.
        const FEW: usize = 256;
        if count > FEW {
            let mut best = Best::new(count);
            for (row, hypothesis) in rows.iter().enumerate() {
                best.add_row(row, hypothesis.score, self.scores(row));
            }
            return best.into_sorted();
        }
        let values = rows.len() * self.vocab_size;
        let scored = rows
            .iter()
            .enumerate()
            .map(|(row, hypothesis)| (row, hypothesis.score, self.scores(row)));
        let of_rows = map_all(values, scored.collect(), |(row, row_score, scores)| {
            let mut best = Vec::new();
            keep_best(&mut best, count, row, row_score, scores);
            best
        });
        let mut best = Vec::new();
        for next in of_rows.into_iter().flatten() {
            keep(&mut best, count, next);
        }
        best
    }

    /// The `count` most likely next tokens of one row, best first. Their scores do not include the
    /// row's.
    pub fn best_tokens(&self, row: usize, count: usize) -> Vec<Continuation> {
        let mut best = Vec::new();
        keep_best(&mut best, count, row, 0.0, self.scores(row));
        best
    }

    /// A hypothesis with one more token, and with its alternatives if they are asked for.
    pub fn extended(&self, hypothesis: &Hypothesis, next: &Continuation) -> Hypothesis {
        let mut longer = hypothesis.extended(next.token, next.log_prob, next.score);
        if self.alternatives > 0 {
            longer.alternatives.push(self.best_alternatives(next.row));
        }
        longer
    }

    /// A hypothesis with one more token, for a search on logits: computes the log-probability of the
    /// token and the [normalised] score of the longer text. Adds alternatives if they are asked for.
    /// `None` if the row has no possible token.
    pub fn extended_by_logits(
        &self,
        hypothesis: &Hypothesis,
        row: usize,
        token: u32,
        length_penalty: f64,
    ) -> Option<Hypothesis> {
        let normaliser = Normaliser::of(self.scores(row))?;
        self.extended_with(&normaliser, hypothesis, row, token, length_penalty)
    }

    /// [`extended_by_logits`](Self::extended_by_logits) with the normaliser of the row.
    pub(crate) fn extended_with(
        &self,
        normaliser: &Normaliser,
        hypothesis: &Hypothesis,
        row: usize,
        token: u32,
        length_penalty: f64,
    ) -> Option<Hypothesis> {
        let log_prob = normaliser.log_prob(*self.scores(row).get(token as usize)?);
        let generated = hypothesis.token_log_probs.len() + 1;
        let next = Continuation {
            row,
            token,
            log_prob,
            score: normalised(hypothesis.sum() + log_prob, generated, length_penalty),
        };
        Some(self.extended(hypothesis, &next))
    }

    /// The most likely next tokens of a row, with their log-probabilities.
    fn best_alternatives(&self, row: usize) -> Vec<Alternative> {
        let normaliser = match self.are_logits {
            true => Normaliser::of(self.scores(row)),
            false => None,
        };
        let best = self.best_tokens(row, self.alternatives);
        best.iter()
            .map(|next| Alternative {
                token: next.token,
                log_prob: normaliser.map_or(next.log_prob, |n| n.log_prob(next.log_prob)),
            })
            .collect()
    }
}
