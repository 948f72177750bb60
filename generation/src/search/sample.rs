use std::mem;

use super::{Draft, Search, Step};
use crate::numeric::Normaliser;
use crate::random::RowRandom;
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Samples each token by its probability, for `num_return_sequences` texts at once.
///
/// The texts are in the order of their indices, not best first: text `i` depends neither on the
/// number of texts nor on the rest of the batch. A text with no possible token is left out.
///
/// Hugging Face: `generate` with `do_sample=True`.
#[derive(Debug)]
pub(super) struct SampleSearch {
    length_penalty: f64,
    /// The running texts; at the start one row, the prompt.
    running: Vec<Hypothesis>,
    /// The indices of the running texts, and their random numbers.
    streams: Vec<(usize, RowRandom)>,
    /// By index.
    complete: Vec<Option<Hypothesis>>,
}

impl SampleSearch {
    /// Continues a prompt.
    pub(super) fn new(config: &GenerationConfig, prompt: &Prompt) -> Self {
        let count = config.num_return_sequences;
        let stream = |number| (number, RowRandom::new(config.seed, prompt, number));
        Self {
            length_penalty: config.usable_length_penalty(),
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            streams: (0..count).map(stream).collect(),
            complete: vec![None; count],
        }
    }

    /// The row of the running text at this position: at the start all share the prompt's.
    fn row(&self, position: usize) -> usize {
        position.min(self.running.len() - 1)
    }
}

impl Search for SampleSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        false
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let mut parents = Vec::with_capacity(self.streams.len());
        let mut running = Vec::with_capacity(self.streams.len());
        let mut streams = Vec::with_capacity(self.streams.len());
        // At the start all texts share one row.
        let mut of_row: Option<(usize, Option<Normaliser>)> = None;
        for (position, (number, mut random)) in mem::take(&mut self.streams).into_iter().enumerate()
        {
            let row = self.row(position);
            let scores = step.scores(row);
            let normaliser = match of_row {
                Some((known, normaliser)) if known == row => normaliser,
                _ => Normaliser::of(scores),
            };
            of_row = Some((row, normaliser));
            let longer = normaliser.and_then(|normaliser| {
                let token = normaliser.token_at(random.uniform(), scores)?;
                let (text, penalty) = (&self.running[row], self.length_penalty);
                step.extended_with(&normaliser, text, row, token, penalty)
            });
            match longer {
                Some(text) if step.is_complete(&text) => self.complete[number] = Some(text),
                Some(text) => {
                    parents.push(row);
                    running.push(text);
                    streams.push((number, random));
                }
                None => {}
            }
        }
        (self.running, self.streams) = (running, streams);
        parents
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        let numbers = self.streams.iter().map(|(number, _)| *number);
        let running = numbers.zip(&self.running);
        let complete = self.complete.iter().enumerate();
        let complete = complete.filter_map(|(number, text)| Some((number, text.as_ref()?)));
        complete
            .chain(running)
            .map(|(number, text)| Draft::settled(number, text))
            .collect()
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        for ((number, _), text) in self.streams.iter().zip(self.running) {
            if !text.token_log_probs.is_empty() {
                self.complete[*number] = Some(text);
            }
        }
        self.complete.into_iter().flatten().collect()
    }
}
