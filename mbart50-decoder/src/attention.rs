use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};

use crate::MBartDecoderConfig;
use crate::cache::{KeyValueCache, KeysValues};
use crate::layer::Masks;
use crate::linear::linear;
use crate::row_images::RowImages;
use crate::state::LayerState;

/// The projections and heads that both kinds of attention have.
///
/// Hugging Face: `MBartAttention`.
#[derive(Module, Debug)]
struct Projections {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
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
    fn new(config: &MBartDecoderConfig, device: &Device) -> Self {
        let (width, std) = (config.d_model, config.init_std);
        Self {
            query: linear(width, width, std, device),
            key: linear(width, width, std, device),
            value: linear(width, width, std, device),
            output: linear(width, width, std, device),
            heads: config.decoder_attention_heads,
        }
    }

    fn keys_values(&self, hidden: Tensor<2>, batch: usize) -> KeysValues {
        KeysValues {
            keys: self.split(self.key.forward(hidden.clone()), batch),
            values: self.split(self.value.forward(hidden), batch),
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
    pub(crate) fn new(config: &MBartDecoderConfig, device: &Device) -> Self {
        let projections = Projections::new(config, device);
        Self { projections }
    }

    /// Appends the keys and values of `hidden` to the cache and attends over all of it.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(
        &self,
        hidden: Tensor<2>,
        rows: usize,
        masks: &Masks,
        cache: &mut KeyValueCache,
    ) -> Tensor<2> {
        let projections = &self.projections;
        let query = projections.split(projections.query.forward(hidden.clone()), rows);
        let so_far = cache.append(projections.keys_values(hidden, rows));
        let weights = attention_weights(query, so_far.keys, masks.tokens.clone());
        let context = weights.matmul(so_far.values);
        projections.output.forward(projections.join(context))
    }
}

impl CrossAttention {
    pub(crate) fn new(config: &MBartDecoderConfig, device: &Device) -> Self {
        let projections = Projections::new(config, device);
        Self { projections }
    }

    /// Keys and values of the memory, `[images, positions, width]`.
    pub(crate) fn project(&self, memory: Tensor<3>) -> KeysValues {
        let [images, _, _] = memory.dims();
        self.projections.keys_values(memory.flatten(0, 1), images)
    }

    /// Attends over the memory, and records to what if the state is recording.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    /// - memory: keys and values `[images, heads, positions, head_width]`
    pub(crate) fn forward(
        &self,
        hidden: Tensor<2>,
        row_images: &RowImages,
        masks: &Masks,
        state: &mut LayerState,
    ) -> Tensor<2> {
        let projections = &self.projections;
        // The rows of an image become more queries of that image, so that its keys and values are
        // read where they are, for all of its rows at once.
        let query = row_images.group(projections.query.forward(hidden));
        let query = projections.split(query, row_images.images());
        let KeysValues { keys, values } = state.memory.clone();
        let weights = attention_weights(query, keys, masks.memory.clone());
        if let Some(record) = &mut state.attention {
            record.append(of_rows(weights.clone(), row_images));
        }
        let context = weights.matmul(values);
        let context = row_images.ungroup(projections.join(context));
        projections.output.forward(context)
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
