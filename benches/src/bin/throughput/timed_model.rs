use std::cell::RefCell;
use std::time::{Duration, Instant};

use burn::tensor::TensorReadError;
use generation::{StepModel, TokenBatch};
use pretrained::PretrainedModel;

/// A model that records when each of its steps begins.
pub(crate) struct TimedModel<'m> {
    model: &'m PretrainedModel,
    starts: RefCell<Vec<Instant>>,
}

impl<'m> TimedModel<'m> {
    pub(crate) fn new(model: &'m PretrainedModel) -> Self {
        Self {
            model,
            starts: RefCell::default(),
        }
    }

    /// The duration of each step, including the search after it. The first steps, for the prompt and the
    /// language, are left out because they have fewer rows.
    pub(crate) fn steps(&self) -> Vec<Duration> {
        let starts = self.starts.borrow();
        let steps = starts.windows(2).skip(1);
        steps.map(|pair| pair[1] - pair[0]).collect()
    }
}

impl StepModel for TimedModel<'_> {
    type State = <PretrainedModel as StepModel>::State;
    type Error = TensorReadError;

    fn vocab_size(&self) -> usize {
        self.model.vocab_size()
    }

    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, TensorReadError> {
        self.starts.borrow_mut().push(Instant::now());
        self.model.step(tokens, state)
    }

    fn recycle(&self, logits: Vec<f32>) {
        self.model.recycle(logits);
    }

    fn select_rows(
        &self,
        state: &mut Self::State,
        parents: &[usize],
    ) -> Result<(), TensorReadError> {
        self.model.select_rows(state, parents)
    }
}
