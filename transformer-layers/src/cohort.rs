//! Rows that began together.

use burn::tensor::{Bool, Device, Int, Tensor};

use crate::row_sources::{RowSelection, RowSources};
use crate::slots::Slots;
use crate::state::LayerCohort;

/// What all layers share of rows that began together, which are always equally long.
#[derive(Clone, Debug)]
pub(crate) struct Cohort {
    sources: RowSources,
    slots: Slots,
    memory_padding: Option<Tensor<2, Bool>>, // [sources, positions]
    padding: Option<Tensor<2, Bool>>,        // [rows, length]
    length: usize,
    device: Device,
}

/// The part of a [`Pass`](crate::Pass) for the rows of one cohort.
#[derive(Debug)]
pub(crate) struct CohortPass<'a> {
    pub(crate) sources: &'a RowSources,
    pub(crate) slots: &'a Slots,
    /// `[rows or 1, 1, new, tokens so far]`, true = hidden
    pub(crate) token_mask: Option<Tensor<4, Bool>>,
    /// `[sources, 1, 1, positions]`, true = hidden
    pub(crate) memory_mask: Option<Tensor<4, Bool>>,
}

impl Cohort {
    /// Rows before their first token.
    pub(crate) fn new(sources: RowSources, memory_padding: Option<Tensor<2, Bool>>) -> Self {
        let device = sources.device().clone();
        Self {
            sources,
            slots: Slots::default(),
            memory_padding,
            padding: None,
            length: 0,
            device,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.sources.rows()
    }

    /// The number of tokens that each row has been fed.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Appends `new` tokens to each row.
    ///
    /// # Shapes
    /// - padding: `[rows, new]`, true = ignore
    pub(crate) fn advance(
        &mut self,
        new: usize,
        padding: Option<Tensor<2, Bool>>,
    ) -> CohortPass<'_> {
        let start = self.length;
        self.length += new;
        self.slots.append(self.rows(), new);
        self.extend_padding(start, new, padding);
        CohortPass {
            token_mask: self.token_mask(start, new),
            memory_mask: self.memory_padding.clone().map(|padding| {
                let [sources, positions] = padding.dims();
                padding.reshape([sources, 1, 1, positions])
            }),
            sources: &self.sources,
            slots: &self.slots,
        }
    }

    /// Which tokens the new ones must not attend to: `[rows or 1, 1, new, tokens so far]`.
    fn token_mask(&self, start: usize, new: usize) -> Option<Tensor<4, Bool>> {
        let shape = [self.rows(), 1, new, self.length];
        // The i-th new token stands at position start + i and sees positions up to its own.
        let causal = (new > 1).then(|| {
            let mask = Tensor::<2, Bool>::tril_mask([new, self.length], start as i64, &self.device);
            mask.unsqueeze::<4>()
        });
        let padding = self.padding.clone().map(|padding| {
            let padding = padding.reshape([self.rows(), 1, 1, self.length]);
            padding.expand(shape)
        });
        match (causal, padding) {
            (Some(causal), Some(padding)) => Some(causal.expand(shape).bool_or(padding)),
            (causal, padding) => causal.or(padding),
        }
    }

    fn extend_padding(&mut self, start: usize, new: usize, padding: Option<Tensor<2, Bool>>) {
        let rows = self.rows();
        let visible = |length| Tensor::full([rows, length], false, &self.device);
        self.padding = match (self.padding.take(), padding) {
            (None, None) => None,
            (so_far, padding) => {
                let padding = padding.unwrap_or_else(|| visible(new));
                Some(match so_far {
                    Some(so_far) => Tensor::cat(vec![so_far, padding], 1),
                    None if start == 0 => padding,
                    None => Tensor::cat(vec![visible(start), padding], 1),
                })
            }
        };
    }

    /// Reorders, repeats or drops rows: row `i` continues what was row `parents[i]`, in all layers.
    pub(crate) fn select_rows<'l>(
        &mut self,
        parents: &[usize],
        layers: impl Iterator<Item = &'l mut LayerCohort>,
    ) {
        let rows = self.rows();
        let RowSelection {
            parents: indices,
            kept_sources,
        } = self.sources.select_rows(parents);
        self.padding = self.padding.take().map(|p| select(p, &indices));
        if let Some(kept) = &kept_sources {
            self.memory_padding = self.memory_padding.take().map(|p| select(p, kept));
        }
        let mut layers = layers.peekable();
        let slots = layers.peek().map_or(0, |layer| layer.tokens.slots());
        // Keys and values are moved if attention can't use the table of slots, or if there are too few or far
        // too many slots.
        let moves = !packed_linear::has_kernels(&self.device)
            || parents.len() > slots
            || 2 * parents.len() <= slots;
        for layer in layers {
            if moves {
                layer.tokens.select_rows(&indices, rows, &self.slots);
            }
            if let Some(record) = &mut layer.record {
                record.select_rows(&indices);
            }
            if let Some(kept) = &kept_sources {
                layer.memory = layer.memory.clone().select(kept);
                layer.memory_columns = None;
            }
        }
        match moves {
            true => self.slots = Slots::default(),
            false => self.slots.select_rows(parents, self.length),
        }
    }
}

/// Selects as integers: Flex changes the type of a selected mask to bytes, which it then can't concatenate with
/// other masks.
fn select(mask: Tensor<2, Bool>, rows: &Tensor<1, Int>) -> Tensor<2, Bool> {
    mask.int().select(0, rows.clone()).bool()
}
