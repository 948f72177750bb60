//! What all kinds of attention share.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor, s};
use packed_linear::{Columns, Format, Input, PackedLinear, PackedLinearConfig};

use crate::residual::{add_projected, is_active};

/// The sizes of multi-head attention.
#[derive(Clone, Debug)]
pub struct AttentionConfig {
    /// Width of the hidden states; a multiple of `heads`.
    pub width: usize,
    /// Heads.
    pub heads: usize,
    /// Width of what keys and values are projected from: `width`, except for cross-attention to a
    /// memory of another width.
    pub memory_width: usize,
    /// Whether the query, key and value projections have a bias. The output projection always has one.
    pub input_bias: bool,
    /// Standard deviation of fresh weights of the query, key and value projections.
    pub input_std: f64,
    /// Standard deviation of fresh weights of the output projection.
    pub output_std: f64,
    /// Dropout of the attention weights.
    pub attention_dropout: f64,
    /// Dropout between the output projection and the residual.
    pub dropout: f64,
    /// Whether one layer projects queries, keys and values; in cross-attention keys and values. GPT-2 has it.
    pub is_fused: bool,
    /// What the products of queries and keys are multiplied by; `1 / √head_width` if it is `None`.
    pub scale: Option<f64>,
}

impl AttentionConfig {
    /// Every projection has a bias, fresh weights have a standard deviation of 0.02, and there is no dropout.
    pub fn new(width: usize, heads: usize) -> Self {
        Self {
            width,
            heads,
            memory_width: width,
            input_bias: true,
            input_std: 0.02,
            output_std: 0.02,
            attention_dropout: 0.0,
            dropout: 0.0,
            is_fused: false,
            scale: None,
        }
    }
}

/// The four projections, and how their outputs are split into heads.
#[derive(Module, Debug)]
pub(crate) struct Projections {
    query: Option<PackedLinear>,
    key: Option<PackedLinear>,
    value: Option<PackedLinear>,
    /// Those of the three that are missing, next to each other.
    fused: Option<PackedLinear>,
    pub(crate) output: PackedLinear,
    pub(crate) attention_dropout: Dropout,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
    /// What queries are multiplied by, besides `1 / √head_width`.
    #[module(skip)]
    query_scale: Option<f64>,
}

/// What keys and values are projected from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttendsTo {
    /// What queries are projected from.
    Itself,
    /// The memory.
    Memory,
}

/// Keys and values, each `[batch, heads, length, head_width]`.
#[derive(Clone, Debug)]
pub(crate) struct KeysValues {
    pub(crate) keys: Tensor<4>,
    pub(crate) values: Tensor<4>,
}

impl KeysValues {
    /// As kernels take them: batch item `i` has slot `i`, and all positions are attended to.
    pub(crate) fn as_slots(&self) -> packed_linear::KeysValues<'_> {
        packed_linear::KeysValues {
            keys: &self.keys,
            values: &self.values,
            length: self.keys.dims()[2],
            slots: None,
        }
    }

    /// Batch item `i` of the result is item `indices[i]` of this.
    pub(crate) fn select(self, indices: &Tensor<1, Int>) -> Self {
        Self {
            keys: self.keys.select(0, indices.clone()),
            values: self.values.select(0, indices.clone()),
        }
    }
}

impl Projections {
    /// # Panics
    /// If the width is not a multiple of the heads, or a dropout rate is not 0 or above, and below 1.
    pub(crate) fn new(
        config: &AttentionConfig,
        attends_to: AttendsTo,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let &AttentionConfig {
            width,
            heads,
            memory_width,
            input_bias,
            input_std,
            output_std,
            is_fused,
            ..
        } = config;
        assert!(
            width.is_multiple_of(heads),
            "width {width} is not a multiple of {heads} heads"
        );
        let layer = |[inputs, outputs]: [usize; 2]| {
            let initializer = Initializer::Normal {
                mean: 0.0,
                std: input_std,
            };
            PackedLinearConfig::new(inputs, outputs)
                .with_bias(input_bias)
                .with_initializer(initializer)
                .with_format(format)
                .init(device)
        };
        let of_memory = attends_to == AttendsTo::Memory;
        let head_width = (width / heads) as f64;
        Self {
            query: (!is_fused || of_memory).then(|| layer([width, width])),
            key: (!is_fused).then(|| layer([memory_width, width])),
            value: (!is_fused).then(|| layer([memory_width, width])),
            fused: is_fused.then(|| match attends_to {
                AttendsTo::Itself => layer([width, 3 * width]),
                AttendsTo::Memory => layer([memory_width, 2 * width]),
            }),
            output: PackedLinear::normal([width, width], output_std, format, device),
            attention_dropout: DropoutConfig::new(config.attention_dropout).init(),
            dropout: DropoutConfig::new(config.dropout).init(),
            heads,
            query_scale: config.scale.map(|scale| scale * head_width.sqrt()),
        }
    }

    /// Queries, keys and values of `x`, each `[.., width]`. Not for cross-attention.
    pub(crate) fn queries_keys_values<const D: usize>(&self, x: Input<'_, D>) -> [Tensor<D>; 3] {
        match [&self.query, &self.key, &self.value] {
            [Some(query), Some(key), Some(value)] => {
                PackedLinear::forward_all([query, key, value], x)
            }
            _ => columns(self.fused().forward(x)),
        }
    }

    /// Queries of `x`, `[.., width]`. Only for cross-attention.
    pub(crate) fn queries<const D: usize>(&self, x: Input<'_, D>) -> Tensor<D> {
        match &self.query {
            Some(query) => query.forward(x),
            None => panic!("this is no cross-attention"),
        }
    }

    /// Keys and values of `hidden`, `[batch · length, memory_width]`. Only for cross-attention.
    pub(crate) fn keys_values(&self, hidden: Tensor<2>, batch: usize) -> KeysValues {
        let [keys, values] = match [&self.key, &self.value] {
            [Some(key), Some(value)] => PackedLinear::forward_all([key, value], hidden),
            _ => columns(self.fused().forward(hidden)),
        };
        KeysValues {
            keys: self.split(keys, batch),
            values: self.split(values, batch),
        }
    }

    fn fused(&self) -> &PackedLinear {
        match &self.fused {
            Some(fused) => fused,
            None => unreachable!("layers are either separate or fused"),
        }
    }

    /// `[batch · length, width]` to `[batch, heads, length, head_width]`.
    pub(crate) fn split(&self, states: Tensor<2>, batch: usize) -> Tensor<4> {
        let [flat, width] = states.dims();
        states
            .reshape([batch, flat / batch, self.heads, width / self.heads])
            .swap_dims(1, 2)
    }

    /// `[batch, heads, length, head_width]` back to `[batch · length, width]`.
    pub(crate) fn join(&self, states: Tensor<4>) -> Tensor<2> {
        let [batch, heads, length, head_width] = states.dims();
        states
            .swap_dims(1, 2)
            .reshape([batch * length, heads * head_width])
    }

    /// Queries that give the scores of the configured scale, whether a kernel or [`scores`] divides by `√head_width`.
    pub(crate) fn scaled(&self, query: Tensor<2>) -> Tensor<2> {
        match self.query_scale {
            Some(scale) => query * scale,
            None => query,
        }
    }

    /// What queries take from values and, if they are wanted, the weights that they take it with, before
    /// dropout: by a kernel where there is one and nothing is hidden, otherwise with Burn's operations, on
    /// the keys and values of each batch item, which `of_items` gives.
    ///
    /// # Shapes
    /// - query: `[batch · queries, width]`
    /// - mask: broadcasts to `[batch, heads, queries, length]`, true = hidden
    /// - context: `[batch · queries, width]`
    /// - weights: `[batch, heads, queries, length]`
    pub(crate) fn attend(
        &self,
        query: Tensor<2>,
        batch: usize,
        keys_values: packed_linear::KeysValues<'_>,
        of_items: impl FnOnce() -> KeysValues,
        mask: Option<&Tensor<4, Bool>>,
        wants_weights: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let query = self.scaled(query);
        let by_kernel = match mask {
            None => packed_linear::attention(&query, batch, keys_values, wants_weights),
            Some(_) => None,
        };
        if let Some(attended) = by_kernel {
            return (attended.context, attended.weights);
        }
        // Written out, since Burn's `attention` copies strided keys and values, while `matmul` reads them in
        // place.
        let KeysValues { keys, values } = of_items();
        let weights = attention_weights(self.split(query, batch), keys, mask.cloned());
        let recorded = wants_weights.then(|| weights.clone());
        let context = self.attention_dropout.forward(weights).matmul(values);
        (self.join(context), recorded)
    }

    /// Queries, keys and values of `x` next to each other, `[.., 3 · width]`, where a kernel with a backward pass
    /// can attend with them.
    pub(crate) fn joined<const D: usize>(&self, x: &Input<'_, D>) -> Option<Tensor<D>> {
        match [&self.query, &self.key, &self.value] {
            [Some(query), Some(key), Some(value)] => {
                PackedLinear::forward_joined([query, key, value], x.clone())
            }
            _ => PackedLinear::forward_joined([self.fused()], x.clone()),
        }
    }

    /// Keys and values of the memory next to each other, `[.., 2 · width]`, where a kernel with a backward pass can
    /// attend to them.
    pub(crate) fn joined_memory(&self, memory: &Tensor<2>) -> Option<Tensor<2>> {
        match [&self.key, &self.value] {
            [Some(key), Some(value)] => {
                PackedLinear::forward_joined([key, value], memory.clone().into())
            }
            _ => PackedLinear::forward_joined([self.fused()], memory.clone().into()),
        }
    }

    /// The columns of queries (0), keys (1) or values (2) in what [`joined`](Self::joined) returned.
    pub(crate) fn part(&self, joined: &Tensor<2>, index: usize) -> Tensor<2> {
        let width = joined.dims()[1] / 3;
        joined
            .clone()
            .slice(s![.., index * width..(index + 1) * width])
    }

    /// What queries take from values, by a kernel with a backward pass if there is one.
    ///
    /// # Shapes
    /// - query, keys, values: columns of `[batch · positions, width or more]`
    /// - mask: `[batch or 1, 1, queries or 1, length]`, true = hidden
    /// - output: `[batch · queries, width]`
    pub(crate) fn attend_columns(
        &self,
        columns: [Columns<'_>; 3],
        batch: usize,
        width: usize,
        mask: Option<&Tensor<4, Bool>>,
    ) -> Option<Tensor<2>> {
        if self.query_scale.is_some() || is_active(&self.attention_dropout, columns[0].tensor) {
            return None;
        }
        let sizes = [batch, self.heads, width / self.heads];
        packed_linear::attention_of_columns(columns, sizes, mask)
    }

    /// [`attend_columns`](Self::attend_columns) with what [`joined`](Self::joined) returned.
    pub(crate) fn attend_joined(
        &self,
        joined: &Tensor<2>,
        batch: usize,
        mask: Option<&Tensor<4, Bool>>,
    ) -> Option<Tensor<2>> {
        let width = joined.dims()[1] / 3;
        let columns = [0, 1, 2].map(|index| Columns {
            tensor: joined,
            first: index * width,
        });
        self.attend_columns(columns, batch, width, mask)
    }

    /// The residual plus the output projection of what was attended to.
    ///
    /// # Shapes
    /// - context, residual, output: `[.., width]`
    pub(crate) fn add_output<const D: usize>(
        &self,
        context: Tensor<D>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        add_projected(&self.output, context, &self.dropout, residual)
    }
}

/// The equal parts of the last dimension.
fn columns<const D: usize, const N: usize>(joined: Tensor<D>) -> [Tensor<D>; N] {
    let width = joined.dims()[D - 1] / N;
    std::array::from_fn(|part| joined.clone().narrow(D - 1, part * width, width))
}

/// The weights of scaled dot-product attention: the share of each value that a query takes.
///
/// # Shapes
/// - query: `[batch, heads, queries, head_width]`
/// - keys: `[batch, heads, length, head_width]`
/// - mask: broadcasts to `[batch, heads, queries, length]`, true = hidden
/// - output: `[batch, heads, queries, length]`
fn attention_weights(
    query: Tensor<4>,
    keys: Tensor<4>,
    mask: Option<Tensor<4, Bool>>,
) -> Tensor<4> {
    let mut scores = scores(query, keys);
    if let Some(mask) = mask {
        // A large finite number, as in Hugging Face: a query whose keys are all hidden then averages
        // them instead of becoming NaN.
        let lowest = scores
            .dtype()
            .finfo()
            .map_or(f32::MIN as f64, |info| info.min);
        scores = scores.mask_fill(mask, lowest);
    }
    softmax(scores, 3)
}

/// The scaled products of queries and keys, `[batch, heads, queries, length]`.
///
/// # Shapes
/// - query: `[batch, heads, queries, head_width]`
/// - keys: `[batch, heads, length, head_width]`
pub(crate) fn scores(query: Tensor<4>, keys: Tensor<4>) -> Tensor<4> {
    let head_width = query.dims()[3];
    let query = query * (head_width as f64).powf(-0.5);
    query.matmul(keys.swap_dims(2, 3))
}
