use burn::module::Module;
use burn::tensor::{Device, Tensor, s};
use packed_linear::{Columns, Format, Input};

use crate::attention::{AttendsTo, AttentionConfig, KeysValues, Projections};
use crate::pass::{Pass, together};
use crate::row_sources::RowSources;
use crate::state::LayerState;

/// Cross-attention of a decoder: each row attends to the memory of its source.
///
/// Hugging Face: `MBartAttention`, as `encoder_attn`.
#[derive(Module, Debug)]
pub struct CrossAttention {
    projections: Projections,
}

impl CrossAttention {
    /// Creates the layer with fresh weights, packed if there is a format. Nothing is allocated before
    /// a weight is used.
    ///
    /// # Panics
    /// If the width is not a multiple of the heads, or a dropout rate is not 0 or above, and below 1.
    pub fn new(config: &AttentionConfig, format: Option<Format>, device: &Device) -> Self {
        Self {
            projections: Projections::new(config, AttendsTo::Memory, format, device),
        }
    }

    /// The state of a decoder layer that has this cross-attention, before the first token: keys and
    /// values of the memory are projected here, once per source, for all rows and steps.
    ///
    /// # Shapes
    /// - memory: `[sources, positions, memory_width]`
    pub fn start(&self, memory: Tensor<3>) -> LayerState {
        let [sources, _, _] = memory.dims();
        let flat = memory.flatten(0, 1); // [sources · positions, memory_width]
        let projections = &self.projections;
        let Some(joined) = projections.joined_memory(&flat) else {
            return LayerState::new(projections.keys_values(flat, sources), None);
        };
        let width = joined.dims()[1] / 2;
        let part = |first: usize| {
            let columns = joined.clone().slice(s![.., first..first + width]);
            projections.split(columns, sources)
        };
        let memory = KeysValues {
            keys: part(0),
            values: part(width),
        };
        LayerState::new(memory, Some(joined))
    }

    /// Attends to the memory, and records the attention weights if the state is recording. Returns the
    /// residual plus the result: in a pre-norm model `x` is the normalised residual, in a post-norm
    /// model the residual itself.
    ///
    /// # Shapes
    /// - x, residual, output: `[rows · new, width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward<'a>(
        &self,
        x: impl Into<Input<'a, 2>>,
        residual: Tensor<2>,
        pass: &Pass<'_>,
        layer: &mut LayerState,
    ) -> Tensor<2> {
        let projections = &self.projections;
        let width = residual.dims()[1];
        let queries = pass.split([projections.queries(x.into())]);
        let cohorts = pass.cohorts.iter().zip(&mut layer.cohorts);
        let contexts = queries.into_iter().zip(cohorts);
        let contexts = contexts.map(|([query], (pass, layer))| {
            // The rows of a source become more queries of that source, so that its keys and values are
            // read in place, for all of its rows at once.
            let query = pass.sources.group(query);
            let sources = pass.sources.sources();
            let mask = pass.memory_mask.as_ref();
            if let Some(columns) = &layer.memory_columns
                && layer.record.is_none()
            {
                let part = |tensor, first| Columns { tensor, first };
                let parts = [part(&query, 0), part(columns, 0), part(columns, width)];
                if let Some(context) = projections.attend_columns(parts, sources, width, mask) {
                    return pass.sources.ungroup(context);
                }
            }
            let memory = &layer.memory;
            let (context, weights) = projections.attend(
                query,
                sources,
                memory.as_slots(),
                || memory.clone(),
                mask,
                layer.record.is_some(),
            );
            if let (Some(record), Some(weights)) = (&mut layer.record, weights) {
                record.append(of_rows(weights, pass.sources));
            }
            pass.sources.ungroup(context)
        });
        projections.add_output(together(contexts), residual)
    }
}

/// The weights of each row's new tokens, averaged over heads.
///
/// # Shapes
/// - weights: `[sources, heads, places · new, positions]`, grouped by source
/// - output: `[rows, new, positions]`
fn of_rows(weights: Tensor<4>, row_sources: &RowSources) -> Tensor<3> {
    let [sources, _, queries, positions] = weights.dims();
    let grouped = weights.mean_dim(1).reshape([sources * queries, positions]); // [sources · places · new, positions]
    let weights = row_sources.ungroup(grouped); // [rows · new, positions]
    let [flat, _] = weights.dims();
    let rows = row_sources.rows();
    weights.reshape([rows, flat / rows, positions])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecoderState;
    use burn::tensor::Distribution;
    use burn::tensor::activation::softmax;

    #[test]
    fn a_memory_of_another_width_is_projected_to_the_width_of_the_queries() {
        let device = Device::flex();
        let random = |shape| Tensor::<3>::random(shape, Distribution::Default, &device);
        let config = AttentionConfig {
            memory_width: 12,
            input_std: 0.3,
            output_std: 0.3,
            ..AttentionConfig::new(32, 1)
        };
        let layer = CrossAttention::new(&config, None, &device);
        let memory = random([2, 5, 12]);
        let x = random([1, 3, 32]).flatten::<2>(0, 1);
        let row_sources = vec![0, 1, 1];
        let sources = RowSources::new(row_sources.clone(), 2, &device);
        let mut state = DecoderState::new(vec![layer.start(memory.clone())], sources, None);
        let (pass, layers) = state.advance(1, None);
        let found = layer.forward(x.clone(), x.clone(), &pass, &mut layers[0]);

        let projections = &layer.projections;
        for (row, source) in row_sources.into_iter().enumerate() {
            let memory = memory.clone().slice(s![source..source + 1, .., ..]);
            let memory = memory.flatten::<2>(0, 1); // [positions, memory_width]
            let x = x.clone().slice(s![row..row + 1, ..]);
            let query = projections.queries(x.clone().into()) * 32.0_f64.powf(-0.5);
            let KeysValues { keys, values } = projections.keys_values(memory, 1);
            let [keys, values] = [keys, values].map(|states| states.flatten::<2>(0, 2)); // one head
            let weights = softmax(query.matmul(keys.transpose()), 1); // [1, positions]
            let context = weights.matmul(values);
            let without = x.zeros_like();
            let expected = x + projections.add_output(context, without);
            let found = found.clone().slice(s![row..row + 1, ..]);
            let difference = (found - expected).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-5, "row {row}: {difference}");
        }
    }
}
