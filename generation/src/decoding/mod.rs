//! The one generation loop.

mod batch;
mod item;
mod model_step;
mod watcher;

use batch::Batch;
use item::{Item, Shared};
use model_step::ModelStep;
use watcher::Watcher;

use crate::options::Options;
use crate::{GenerateError, Observer, Prompt, PromptResult, Search, StepModel};

/// Continues prompts until each is over. `options[i]` and `searches[i]` are those of `prompts[i]`.
pub(crate) fn decode<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    options: &[Options<'_>],
    searches: Vec<Box<dyn Search>>,
    observer: Option<Box<Observer<'_>>>,
) -> Result<Vec<PromptResult>, GenerateError<M::Error>> {
    // The model is fed as many tokens of each prompt as the shortest has; the rest follows step by
    // step, so that all rows always have the same length.
    let fed = prompts.iter().map(|p| p.tokens.len()).min().unwrap_or(0);
    let mut shared = Shared::default();
    let items = prompts.iter().zip(options).zip(searches).enumerate();
    let items = items.map(|(index, ((prompt, options), search))| {
        Item::new(index, prompt, fed, options, search, &mut shared)
    });
    let items = items.collect();
    let first = prompts.iter().flat_map(|prompt| &prompt.tokens[..fed]);
    let batch = Batch::new(items, first.copied().collect(), Watcher::new(observer));

    let mut decoding = Decoding::new(model, state, batch);
    let mut results = vec![Ok(Vec::new()); prompts.len()];
    while !decoding.is_over() {
        for (prompt, result) in decoding.step()? {
            results[prompt] = result;
        }
    }
    for (prompt, result) in decoding.finish() {
        results[prompt] = result;
    }
    Ok(results)
}

/// A batch of prompts under way, with the model that continues them.
struct Decoding<'m, 'o, M: StepModel> {
    model: &'m M,
    state: M::State,
    batch: Batch<'o>,
    /// Steps that have succeeded.
    steps: usize,
    /// Memory for the scores of the whole vocabulary, if the model scores a shortlist.
    scattered: Vec<f32>,
}

impl<'m, 'o, M: StepModel> Decoding<'m, 'o, M> {
    fn new(model: &'m M, state: M::State, batch: Batch<'o>) -> Self {
        Self {
            model,
            state,
            batch,
            steps: 0,
            scattered: Vec::new(),
        }
    }

    /// Whether no prompt is left, or the observer has ended the generation.
    fn is_over(&self) -> bool {
        self.batch.is_over()
    }

    /// Feeds the model and lets each search choose. Returns the prompts that are over, which leave
    /// the batch.
    fn step(&mut self) -> Result<Vec<(usize, PromptResult)>, GenerateError<M::Error>> {
        let step = ModelStep {
            model: self.model,
            rows: self.batch.rows(),
            step: self.steps,
        };
        let mut logits = step.logits(self.batch.tokens(), &mut self.state)?;
        let hidden_states = match self.batch.needs_hidden_states() {
            true => step.hidden_states(&self.state)?,
            false => Vec::new(),
        };
        let scores = match self.model.scored_tokens(&self.state) {
            None => logits.as_mut_slice(),
            Some(scored) => step.scatter(&logits, scored, &mut self.scattered),
        };
        let vocab_size = self.model.vocab_size();
        let over = self.batch.advance(scores, vocab_size, &hidden_states);
        self.steps += 1;
        if self.is_over() {
            return Ok(over);
        }
        self.model.recycle(logits);
        if let Some(parents) = self.batch.parents_if_moved(step.rows) {
            self.model
                .select_rows(&mut self.state, parents)
                .map_err(|source| step.failed(source))?;
        }
        Ok(over)
    }

    /// Ends the prompts that are left, with the texts as they are.
    fn finish(self) -> Vec<(usize, PromptResult)> {
        self.batch.finish()
    }
}
