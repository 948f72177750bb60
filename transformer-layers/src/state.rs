use burn::tensor::{Bool, Device, Int, Tensor};

use crate::attention::KeysValues;
use crate::attention_record::AttentionRecord;
use crate::cache::KeyValueCache;
use crate::recompute::Teaching;
use crate::row_sources::{RowSelection, RowSources};
use crate::slots::Slots;

/// The state of a decoder between calls.
#[derive(Clone, Debug)]
pub struct DecoderState {
    layers: Vec<LayerState>,
    sources: RowSources,
    slots: Slots,
    memory_padding: Option<Tensor<2, Bool>>, // [sources, positions]
    padding: Option<Tensor<2, Bool>>,        // [rows, length]
    length: usize,
    device: Device,
    /// Of a state whose layers compute everything themselves.
    pub(crate) teaching: Option<Teaching>,
}

/// The state of one layer of a decoder. [`CrossAttention::start`](crate::CrossAttention::start) creates it.
#[derive(Clone, Debug)]
pub struct LayerState {
    pub(crate) tokens: KeyValueCache,
    pub(crate) memory: KeysValues,
    /// The same next to each other, `[sources · positions, 2 · width]`, where a kernel with a backward pass can
    /// attend to them.
    pub(crate) memory_columns: Option<Tensor<2>>,
    /// The cross-attention weights, while they are recorded.
    pub(crate) record: Option<AttentionRecord>,
}

/// One call of a decoder: the values that all layers share. [`DecoderState::advance`] creates it.
#[derive(Debug)]
pub struct Pass<'a> {
    pub(crate) sources: &'a RowSources,
    pub(crate) slots: &'a Slots,
    /// `[rows or 1, 1, new, tokens so far]`, true = hidden
    pub(crate) token_mask: Option<Tensor<4, Bool>>,
    /// `[sources, 1, 1, positions]`, true = hidden
    pub(crate) memory_mask: Option<Tensor<4, Bool>>,
}

impl LayerState {
    pub(crate) fn new(memory: KeysValues) -> Self {
        Self {
            tokens: KeyValueCache::default(),
            memory,
            memory_columns: None,
            record: None,
        }
    }
}

impl DecoderState {
    /// A state before the first token. `layers` are in the order of the decoder's layers.
    ///
    /// # Shapes
    /// - memory padding: `[sources, positions]`, true = ignore
    pub fn new(
        layers: Vec<LayerState>,
        sources: RowSources,
        memory_padding: Option<Tensor<2, Bool>>,
    ) -> Self {
        let device = sources.device().clone();
        Self {
            layers,
            sources,
            slots: Slots::default(),
            memory_padding,
            padding: None,
            length: 0,
            device,
            teaching: None,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.sources.rows()
    }

    /// The number of tokens that each row has been fed.
    pub fn length(&self) -> usize {
        self.length
    }

    /// From now on, every layer records its cross-attention weights, averaged over heads. An earlier
    /// recording is discarded. Without this call nothing is recorded, and nothing is computed for it.
    pub fn record_attention(&mut self) {
        for layer in &mut self.layers {
            layer.record = Some(AttentionRecord::default());
        }
    }

    /// The recorded cross-attention weights, averaged over heads: one tensor per layer, the first layer
    /// first. The weights of a token are not negative and sum to 1 over positions; they are 0 where
    /// the memory is padded. Token `t` has the weights with which the token after it is predicted.
    ///
    /// `None` if no token was fed since [`record_attention`](Self::record_attention).
    ///
    /// # Shapes
    /// - output: `[rows, tokens fed since recording began, positions]`
    pub fn recorded_attention(&self) -> Option<Vec<Tensor<3>>> {
        self.layers
            .iter()
            .map(|layer| layer.record.as_ref().and_then(AttentionRecord::joined))
            .collect()
    }

    /// Begins a call with `new` tokens for each row. Every layer has to run its self-attention on its
    /// own [`LayerState`] before the next call.
    ///
    /// # Shapes
    /// - padding: `[rows, new]`, true = ignore
    pub fn advance(
        &mut self,
        new: usize,
        padding: Option<Tensor<2, Bool>>,
    ) -> (Pass<'_>, &mut [LayerState]) {
        let start = self.length;
        self.length += new;
        self.slots.append(self.rows(), new);
        self.extend_padding(start, new, padding);
        let pass = Pass {
            token_mask: self.token_mask(start, new),
            memory_mask: self.memory_padding.clone().map(|padding| {
                let [sources, positions] = padding.dims();
                padding.reshape([sources, 1, 1, positions])
            }),
            sources: &self.sources,
            slots: &self.slots,
        };
        (pass, &mut self.layers)
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

    /// Reorders, repeats or drops rows: row `i` continues what was row `parents[i]`.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that does not exist.
    pub fn select_rows(&mut self, parents: &[usize]) {
        let rows = self.rows();
        let RowSelection {
            parents: indices,
            kept_sources,
        } = self.sources.select_rows(parents);
        self.padding = self.padding.take().map(|p| select(p, &indices));
        if let Some(kept) = &kept_sources {
            self.memory_padding = self.memory_padding.take().map(|p| select(p, kept));
        }
        let slots = self.layers.first().map_or(0, |layer| layer.tokens.slots());
        // Keys and values are moved if attention can't use the table of slots, or if there are too few or far
        // too many slots.
        let moves = !packed_linear::has_kernels(&self.device)
            || parents.len() > slots
            || 2 * parents.len() <= slots;
        for layer in &mut self.layers {
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
