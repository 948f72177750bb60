//! A prompt under way.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Call;
use crate::numeric::{is_usable, log_softmax, map_all};
use crate::options::Options;
use crate::processor::{Extra, ForbiddenPhrases, Lists, processors_with};
use crate::search::{Draft, Search, Step};
use crate::stopping::StoppingCriteria;
use crate::{Hypothesis, LogitsProcessor, Prompt, PromptError, PromptResult};

/// A prompt that is still being continued, with everything that continues it.
pub(super) struct Item {
    call: Call,
    index: usize,
    /// Tokens of the prompt that the model has not been fed yet.
    waiting: VecDeque<u32>,
    search: Box<dyn Search>,
    processors: Vec<Arc<dyn LogitsProcessor>>,
    stopping: StoppingCriteria,
    alternatives: usize,
    /// Phrases that its text has to contain.
    required: usize,
    /// Steps of the search that have succeeded.
    steps: usize,
}

/// A step of the rows of one item.
pub(super) struct ItemStep<'a> {
    /// `[rows, vocab_size]`
    pub(super) scores: &'a mut [f32],
    pub(super) vocab_size: usize,
    /// `[rows, width]`
    pub(super) hidden_states: Option<&'a [f32]>,
}

/// What the prompts of a batch share because it takes long to make.
#[derive(Default)]
pub(super) struct Shared<'a> {
    forbidden: ForbiddenPhrases,
    lists: Lists<'a>,
}

impl Item {
    /// A prompt whose first `fed` tokens are fed at the first step.
    pub(super) fn new<'a>(
        call: Call,
        index: usize,
        prompt: &Prompt,
        fed: usize,
        options: &Options<'a>,
        search: Box<dyn Search>,
        shared: &mut Shared<'a>,
    ) -> Self {
        let stopping = StoppingCriteria::of_prompt(options, prompt.tokens.len());
        let extra = Extra {
            forbidden: shared.forbidden.processors(prompt, options, &stopping),
            allowed_tokens: options.allowed_tokens.clone(),
            custom: options.processors.to_vec(),
        };
        Self {
            call,
            index,
            waiting: prompt.tokens[fed..].iter().copied().collect(),
            search,
            processors: processors_with(options.config, prompt, extra, &mut shared.lists),
            stopping,
            alternatives: options.alternatives,
            required: options.config.force_words_ids.len() + prompt.required.len(),
            steps: 0,
        }
    }

    /// The call of the prompt.
    pub(super) fn call(&self) -> Call {
        self.call
    }

    /// Index of the prompt in its call.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn rows(&self) -> usize {
        self.search.rows().len()
    }

    /// Whether any token has been generated.
    pub(super) fn has_begun(&self) -> bool {
        let rows = self.search.rows();
        rows.iter().any(|row| !row.token_log_probs.is_empty())
    }

    /// Whether the next step needs the hidden states of its rows.
    pub(super) fn needs_hidden_states(&self) -> bool {
        self.waiting.is_empty() && self.search.needs_hidden_states()
    }

    pub(super) fn drafts(&self) -> Vec<Draft<'_>> {
        self.search.drafts()
    }

    /// Chooses what comes next from the scores of this item's rows and appends it to `tokens`.
    /// Returns for each new row which of the old rows it continues; none if the search is over.
    pub(super) fn advance(
        &mut self,
        step: ItemStep<'_>,
        tokens: &mut Vec<u32>,
    ) -> Result<Vec<usize>, PromptError> {
        if let Some(next) = self.waiting.pop_front() {
            tokens.push(next);
            return Ok(vec![0]);
        }
        let ItemStep {
            scores,
            vocab_size,
            hidden_states,
        } = step;
        let are_logits = !self.search.processes_log_probs();
        self.prepare(scores, vocab_size, are_logits)?;
        let (now, later) = match self.search.runs_processors() {
            true => (&[][..], self.processors.as_slice()),
            false => (self.processors.as_slice(), &[][..]),
        };
        let rows = self.search.rows().iter().zip(scores.chunks_mut(vocab_size));
        for (row, scores) in rows {
            for processor in now {
                processor.process(&row.tokens, scores);
            }
        }
        self.stopping.begin_step();
        let old_rows = self.rows();
        let step = Step::new(scores, vocab_size)
            .with_stopping(&self.stopping)
            .with_processors(later)
            .with_alternatives(self.alternatives, are_logits)
            .with_hidden_states(hidden_states);
        let parents = self.search.advance(step);
        if !parents.is_empty() {
            let rows = self.search.rows();
            assert!(
                parents.len() == rows.len() && parents.iter().all(|parent| *parent < old_rows),
                "a search with {old_rows} rows says that its {} new ones continue rows {parents:?}",
                rows.len()
            );
            tokens.extend(rows.iter().filter_map(|row| row.tokens.last()));
            self.steps += 1;
        }
        Ok(parents)
    }

    /// Checks the model's logits, and turns them into log-probabilities if the search needs those.
    fn prepare(
        &self,
        scores: &mut [f32],
        vocab_size: usize,
        are_logits: bool,
    ) -> Result<(), PromptError> {
        let values = scores.len();
        let rows = scores.chunks_mut(vocab_size).collect();
        let usable = map_all(values, rows, |scores| match are_logits {
            true => is_usable(scores),
            false => log_softmax(scores),
        });
        match usable.iter().position(|usable| !usable) {
            Some(row) => Err(PromptError::NotFinite {
                step: self.steps,
                row,
            }),
            None => Ok(()),
        }
    }

    /// The result of a search that is over.
    pub(super) fn finish(self) -> PromptResult {
        let step = self.steps;
        let phrases = self.required;
        let found = self.search.finish();
        match (found.is_empty(), phrases) {
            (false, _) => Ok(found),
            (true, 0) => Err(PromptError::NothingPossible { step }),
            (true, _) => Err(PromptError::PhrasesMissing { phrases, step }),
        }
    }

    /// The texts of a search that is not over, as they are.
    pub(super) fn cut_short(self) -> Vec<Hypothesis> {
        self.search.finish()
    }
}
