use burn::tensor::{Bool, Device, Int, Tensor};

use crate::attention_record::AttentionRecord;
use crate::cache::{KeyValueCache, KeysValues};
use crate::layer::Masks;
use crate::row_images::{RowImages, RowSelection};
use crate::slots::Slots;

/// Everything that decoding remembers between calls; made by
/// [`MBartDecoder::begin`](crate::MBartDecoder::begin).
#[derive(Clone, Debug)]
pub struct DecoderState {
    pub(crate) layers: Vec<LayerState>,
    pub(crate) row_images: RowImages,
    pub(crate) slots: Slots,
    memory_padding: Option<Tensor<2, Bool>>, // [images, positions]
    padding: Option<Tensor<2, Bool>>,        // [rows, length]
    length: usize,
    device: Device,
}

/// What one layer remembers.
#[derive(Clone, Debug)]
pub(crate) struct LayerState {
    pub(crate) tokens: KeyValueCache,
    pub(crate) memory: KeysValues,
    /// What the rows attended to in the memory, while that is recorded.
    pub(crate) attention: Option<AttentionRecord>,
}

impl LayerState {
    pub(crate) fn new(memory: KeysValues) -> Self {
        Self {
            tokens: KeyValueCache::default(),
            memory,
            attention: None,
        }
    }
}

impl DecoderState {
    pub(crate) fn new(
        layers: Vec<LayerState>,
        row_images: RowImages,
        memory_padding: Option<Tensor<2, Bool>>,
        device: Device,
    ) -> Self {
        Self {
            layers,
            row_images,
            slots: Slots::default(),
            memory_padding,
            padding: None,
            length: 0,
            device,
        }
    }

    /// Rows that are decoded.
    pub fn rows(&self) -> usize {
        self.row_images.rows()
    }

    /// Tokens that every row has been fed.
    pub fn length(&self) -> usize {
        self.length
    }

    /// From now on every layer keeps its cross-attention weights, averaged over heads. Nothing is
    /// kept of earlier tokens, nor of an earlier recording. Without this call nothing is kept, and
    /// nothing is computed for it.
    pub fn record_attention(&mut self) {
        for layer in &mut self.layers {
            layer.attention = Some(AttentionRecord::default());
        }
    }

    /// What the rows attended to, one tensor per layer, the first layer first: the very weights
    /// that the values of the memory were multiplied by, averaged over heads. The weights of one
    /// token are shares: none is negative, and they sum to 1 over positions; where memory is
    /// padded they are 0. Token `t` says what was looked at to predict the token behind it.
    ///
    /// `None` if no token was fed since [`record_attention`](Self::record_attention).
    ///
    /// # Shapes
    /// - output: `[rows, tokens fed since recording began, positions]`
    pub fn attention(&self) -> Option<Vec<Tensor<3>>> {
        self.layers
            .iter()
            .map(|layer| layer.attention.as_ref().and_then(AttentionRecord::joined))
            .collect()
    }

    /// Counts `new` tokens and says what each of them must not see.
    pub(crate) fn advance(&mut self, new: usize, padding: Option<Tensor<2, Bool>>) -> Masks {
        let (rows, start) = (self.rows(), self.length);
        self.length += new;
        self.slots.append(rows, new);
        self.extend_padding(start, new, padding);

        let shape = [rows, 1, new, self.length];
        // Token i of the new ones stands at start + i and sees positions up to its own.
        let causal = (new > 1).then(|| {
            let mask = Tensor::<2, Bool>::tril_mask([new, self.length], start as i64, &self.device);
            mask.unsqueeze::<4>()
        });
        let padding = self.padding.clone().map(|padding| {
            let padding = padding.reshape([rows, 1, 1, self.length]);
            padding.expand(shape)
        });
        let tokens = match (causal, padding) {
            (Some(causal), Some(padding)) => Some(causal.expand(shape).bool_or(padding)),
            (causal, padding) => causal.or(padding),
        };
        let memory = self.memory_padding.clone().map(|padding| {
            let [images, positions] = padding.dims();
            padding.reshape([images, 1, 1, positions])
        });
        Masks { tokens, memory }
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

    pub(crate) fn select_rows(&mut self, parents: &[usize]) {
        let rows = self.rows();
        let RowSelection {
            parents: indices,
            kept_images,
        } = self.row_images.select_rows(parents);
        self.padding = self.padding.take().map(|p| select(p, &indices));
        if let Some(kept) = &kept_images {
            self.memory_padding = self.memory_padding.take().map(|p| select(p, kept));
        }
        let slots = self.layers.first().map_or(0, |layer| layer.tokens.slots());
        // Where attention can't follow the slots, and where there are too few or many too many, keys
        // and values are moved.
        let moves = !packed_linear::has_kernels(&self.device)
            || parents.len() > slots
            || 2 * parents.len() <= slots;
        for layer in &mut self.layers {
            if moves {
                layer.tokens.select_rows(&indices, rows, &self.slots);
            }
            if let Some(attention) = &mut layer.attention {
                attention.select_rows(&indices);
            }
            if let Some(kept) = &kept_images {
                layer.memory = layer.memory.clone().select(kept);
            }
        }
        match moves {
            true => self.slots = Slots::default(),
            false => self.slots.select_rows(parents, self.length),
        }
    }
}

/// By way of integers, since Flex gives a selected mask the type of bytes and then refuses to join it
/// with masks.
fn select(mask: Tensor<2, Bool>, rows: &Tensor<1, Int>) -> Tensor<2, Bool> {
    mask.int().select(0, rows.clone()).bool()
}
