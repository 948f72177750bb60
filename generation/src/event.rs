use std::ops::ControlFlow;

use crate::search::Draft;
use crate::{Hypothesis, PromptError};

/// What happens while texts are generated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A prompt has made a step, and its search goes on.
    Draft {
        /// Index of the prompt.
        prompt: usize,
        /// One of its texts so far.
        draft: Draft<'a>,
    },
    /// The search of a prompt is over.
    Finished {
        /// Index of the prompt.
        prompt: usize,
        /// Its texts.
        hypotheses: &'a [Hypothesis],
    },
    /// A prompt has failed and left the batch. The others go on.
    Failed {
        /// Index of the prompt.
        prompt: usize,
        /// Why it has no result.
        error: &'a PromptError,
    },
}

/// A function that is told of every event and decides whether to go on. After
/// [`ControlFlow::Break`] it is not called again, no further step is made, and each text is returned
/// as it is.
pub type Observer<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + Send + 'a;
