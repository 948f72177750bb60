use burn::tensor::{Tensor, s};

use crate::cohort::CohortPass;

/// One call of a decoder: the values that all layers share. [`DecoderState::advance`] creates it.
///
/// [`DecoderState::advance`]: crate::DecoderState::advance
#[derive(Debug)]
pub struct Pass<'a> {
    /// In the order of their rows.
    pub(crate) cohorts: Vec<CohortPass<'a>>,
}

impl Pass<'_> {
    /// The part of each cohort of what was computed for all rows, each `[rows · new, width]`.
    pub(crate) fn split<const N: usize>(&self, of_all: [Tensor<2>; N]) -> Vec<[Tensor<2>; N]> {
        if self.cohorts.len() == 1 {
            return vec![of_all];
        }
        let rows: usize = self.cohorts.iter().map(|one| one.sources.rows()).sum();
        let mut first = 0;
        let cohorts = self.cohorts.iter().map(|cohort| {
            let part = first..first + cohort.sources.rows();
            first = part.end;
            of_all.each_ref().map(|of_all| {
                let new = of_all.dims()[0] / rows;
                of_all
                    .clone()
                    .slice(s![part.start * new..part.end * new, ..])
            })
        });
        cohorts.collect()
    }
}

/// Undoes [`Pass::split`].
pub(crate) fn together(parts: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    let mut parts: Vec<_> = parts.collect();
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => Tensor::cat(parts, 0),
    }
}
