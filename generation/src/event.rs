use std::ops::ControlFlow;

use crate::Hypothesis;
use crate::search::Draft;

/// What happens while texts are generated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step has been made for a prompt, whose search goes on.
    Draft {
        /// Number of the prompt.
        prompt: usize,
        /// One of its texts, as far as it is.
        draft: Draft<'a>,
    },
    /// The search of a prompt is over.
    Finished {
        /// Number of the prompt.
        prompt: usize,
        /// Its texts.
        hypotheses: &'a [Hypothesis],
    },
}

/// Is told what happens, and whether to go on. On [`ControlFlow::Break`] no further step is made,
/// and what there is of each text is returned.
pub type Observer<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'a;
