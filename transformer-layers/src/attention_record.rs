use burn::tensor::{Int, Tensor};

/// The cross-attention weights of one layer since recording began.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttentionRecord {
    /// Each `[rows, new, positions]`, in the order of the tokens. They are concatenated only when they
    /// are asked for or rows are selected, so that a step does not copy those before it.
    pieces: Vec<Tensor<3>>,
}

impl AttentionRecord {
    /// Appends the weights of new tokens, `[rows, new, positions]`.
    pub(crate) fn append(&mut self, new: Tensor<3>) {
        self.pieces.push(new);
    }

    /// Everything so far, `[rows, tokens, positions]`; `None` before the first token.
    pub(crate) fn joined(&self) -> Option<Tensor<3>> {
        match self.pieces.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(Tensor::cat(several.to_vec(), 1)),
        }
    }

    /// Row `i` continues what was row `parents[i]`.
    pub(crate) fn select_rows(&mut self, parents: &Tensor<1, Int>) {
        // One selection of everything instead of one per step.
        let selected = self.joined().map(|all| all.select(0, parents.clone()));
        self.pieces = selected.into_iter().collect();
    }
}
