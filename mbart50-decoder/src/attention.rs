use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};
use packed_linear::{Format, Input, LayerNorm, PackedLinear};

use crate::MBartDecoderConfig;
use crate::cache::{KeyValueCache, KeysValues};
use crate::layer::Masks;
use crate::row_images::RowImages;
use crate::slots::Slots;
use crate::state::LayerState;

/// The projections and heads that both kinds of attention have.
///
/// Hugging Face: `MBartAttention`.
#[derive(Module, Debug)]
struct Projections {
    query: PackedLinear,
    key: PackedLinear,
    value: PackedLinear,
    output: PackedLinear,
    #[module(skip)]
    heads: usize,
}

/// Attention of each row over its own tokens so far.
#[derive(Module, Debug)]
pub(crate) struct SelfAttention {
    projections: Projections,
}

/// Attention of each row over the image that it looks at.
#[derive(Module, Debug)]
pub(crate) struct CrossAttention {
    projections: Projections,
}

impl Projections {
    fn new(config: &MBartDecoderConfig, format: Option<Format>, device: &Device) -> Self {
        let (width, std) = (config.d_model, config.init_std);
        Self {
            query: PackedLinear::normal([width, width], std, format, device),
            key: PackedLinear::normal([width, width], std, format, device),
            value: PackedLinear::normal([width, width], std, format, device),
            output: PackedLinear::normal([width, width], std, format, device),
            heads: config.decoder_attention_heads,
        }
    }

    fn keys_values(&self, hidden: Tensor<2>, batch: usize) -> KeysValues {
        let [keys, values] = PackedLinear::forward_all([&self.key, &self.value], hidden);
        KeysValues {
            keys: self.split(keys, batch),
            values: self.split(values, batch),
        }
    }

    /// `[batch · length, width]` to `[batch, heads, length, head_width]`.
    fn split(&self, states: Tensor<2>, batch: usize) -> Tensor<4> {
        let [flat, width] = states.dims();
        states
            .reshape([batch, flat / batch, self.heads, width / self.heads])
            .swap_dims(1, 2)
    }

    /// `[batch, heads, length, head_width]` back to `[batch · length, width]`.
    fn join(&self, states: Tensor<4>) -> Tensor<2> {
        let [batch, heads, length, head_width] = states.dims();
        states
            .swap_dims(1, 2)
            .reshape([batch * length, heads * head_width])
    }
}

impl SelfAttention {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let projections = Projections::new(config, format, device);
        Self { projections }
    }

    /// Appends the keys and values of the normalised `hidden` to the cache, attends over all of it, and
    /// adds the result.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(
        &self,
        norm: &LayerNorm,
        hidden: Tensor<2>,
        rows: usize,
        masks: &Masks,
        slots: &Slots,
        cache: &mut KeyValueCache,
    ) -> Tensor<2> {
        let projections = &self.projections;
        let layers = [&projections.query, &projections.key, &projections.value];
        let [query, keys, values] =
            PackedLinear::forward_all(layers, Input::normed(norm, hidden.clone()));
        cache.append(KeysValues {
            keys: projections.split(keys, rows),
            values: projections.split(values, rows),
        });
        let fast = match &masks.tokens {
            None => {
                let KeysValues { keys, values } = cache.all();
                let keys_values = packed_linear::KeysValues {
                    keys: &keys,
                    values: &values,
                    length: cache.length(),
                    slots: slots.table(),
                };
                packed_linear::attention(&query, rows, keys_values, false)
            }
            Some(_) => None,
        };
        let context = match fast {
            Some(attended) => attended.context,
            None => {
                let query = projections.split(query, rows);
                let so_far = cache.of_rows(rows, slots);
                let weights = attention_weights(query, so_far.keys, masks.tokens.clone());
                projections.join(weights.matmul(so_far.values))
            }
        };
        projections.output.forward_added(context, hidden)
    }
}

impl CrossAttention {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let projections = Projections::new(config, format, device);
        Self { projections }
    }

    /// Keys and values of the memory, `[images, positions, width]`.
    pub(crate) fn project(&self, memory: Tensor<3>) -> KeysValues {
        let [images, _, _] = memory.dims();
        self.projections.keys_values(memory.flatten(0, 1), images)
    }

    /// Attends over the memory with the normalised `hidden`, adds the result, and records to what if the
    /// state is recording.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    /// - memory: keys and values `[images, heads, positions, head_width]`
    pub(crate) fn forward(
        &self,
        norm: &LayerNorm,
        hidden: Tensor<2>,
        row_images: &RowImages,
        masks: &Masks,
        state: &mut LayerState,
    ) -> Tensor<2> {
        let projections = &self.projections;
        // The rows of an image become more queries of that image, so that its keys and values are
        // read where they are, for all of its rows at once.
        let query = row_images.group(
            projections
                .query
                .forward(Input::normed(norm, hidden.clone())),
        );
        let images = row_images.images();
        let KeysValues { keys, values } = &state.memory;
        let fast = match &masks.memory {
            None => {
                let keys_values = packed_linear::KeysValues {
                    keys,
                    values,
                    length: keys.dims()[2],
                    slots: None,
                };
                packed_linear::attention(&query, images, keys_values, state.attention.is_some())
            }
            Some(_) => None,
        };
        let (context, weights) = match fast {
            Some(attended) => (attended.context, attended.weights),
            None => {
                let query = projections.split(query, images);
                let weights = attention_weights(query, keys.clone(), masks.memory.clone());
                let context = projections.join(weights.clone().matmul(values.clone()));
                (context, Some(weights))
            }
        };
        if let (Some(record), Some(weights)) = (&mut state.attention, weights) {
            record.append(of_rows(weights, row_images));
        }
        let context = row_images.ungroup(context);
        projections.output.forward_added(context, hidden)
    }
}

/// The weights of scaled dot-product attention: how much of each value a query takes. Written out,
/// since Burn's `attention` copies strided keys and values while `matmul` reads them in place.
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
    let head_width = query.dims()[3];
    let query = query * (head_width as f64).powf(-0.5);
    let mut scores = query.matmul(keys.swap_dims(2, 3)); // [batch, heads, queries, length]
    if let Some(mask) = mask {
        // A large finite number, as in Hugging Face: a query with all keys hidden then averages
        // them instead of becoming NaN.
        let lowest = scores
            .dtype()
            .finfo()
            .map_or(f32::MIN as f64, |info| info.min);
        scores = scores.mask_fill(mask, lowest);
    }
    softmax(scores, 3)
}

/// The weights of each row's new tokens, averaged over heads.
///
/// # Shapes
/// - weights: `[images, heads, places · new, positions]`, grouped by image
/// - output: `[rows, new, positions]`
fn of_rows(weights: Tensor<4>, row_images: &RowImages) -> Tensor<3> {
    let [images, _, queries, positions] = weights.dims();
    let grouped = weights.mean_dim(1).reshape([images * queries, positions]); // [images · places · new, positions]
    let weights = row_images.ungroup(grouped); // [rows · new, positions]
    let [flat, _] = weights.dims();
    let rows = row_images.rows();
    weights.reshape([rows, flat / rows, positions])
}
