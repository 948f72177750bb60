use burn::tensor::{Bool, Distribution, Tensor};

use crate::recompute::{Teaching, is_recomputing, recomputed};
use crate::{DecoderLayer, DecoderState, RowSources};

/// The layers of a decoder, one after another.
///
/// A view of a model's parameters: a decoder makes one when it starts and for each call.
#[derive(Clone, Copy, Debug)]
pub struct DecoderLayers<'a> {
    /// The first layer first.
    pub layers: &'a [DecoderLayer],
    /// Share of the layers that a pass in training leaves out, each by itself: LayerDrop (Fan et al., "Reducing
    /// Transformer Depth on Demand with Structured Dropout", 2019). It has no effect elsewhere.
    pub layer_drop: f64,
}

impl DecoderLayers<'_> {
    /// The state before the first token: keys and values of the memory are projected here, once per source. Row `r` will
    /// attend to source `row_sources[r]`.
    ///
    /// # Shapes
    /// - memory: `[sources, positions, memory_width]`
    /// - memory padding: `[sources, positions]`, true = ignore
    ///
    /// # Panics
    /// If `row_sources` is empty or names a source that does not exist.
    pub fn start(
        &self,
        memory: Tensor<3>,
        memory_padding: Option<Tensor<2, Bool>>,
        row_sources: &[usize],
    ) -> DecoderState {
        let [sources, _, _] = memory.dims();
        let row_sources = RowSources::new(row_sources.to_vec(), sources, &memory.device());
        if is_recomputing(&memory.device()) {
            return DecoderState::for_teaching(Teaching {
                memory,
                row_sources,
                memory_padding,
            });
        }
        let layers = self.layers.iter();
        let layers = layers.map(|layer| layer.start(memory.clone())).collect();
        DecoderState::new(layers, row_sources, memory_padding)
    }

    /// Computes new tokens of every row, from their embeddings to the hidden states after the last layer.
    ///
    /// # Shapes
    /// - hidden, output: `[rows, new, width]`
    /// - padding: `[rows, new]`, true = ignore
    ///
    /// # Panics
    /// If the state is that of other rows or of another number of layers, or the last dimension is not the width.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let [rows, new, width] = hidden.dims();
        assert_eq!(rows, state.rows(), "tokens and state differ in rows");
        // From here on, hidden states have rank 2, so that each linear layer is one matrix product over all
        // rows and backends do not have to broadcast its weight.
        let mut hidden = hidden.flatten::<2>(0, 1); // [rows · new, width]
        let dropped = self.dropped(&hidden);
        match state.take_teaching() {
            Some(teaching) => hidden = self.teach(hidden, new, padding, teaching, &dropped),
            None => {
                let (pass, layer_states) = state.advance(new, padding);
                assert_eq!(self.layers.len(), layer_states.len(), "states of layers");
                let layers = self.layers.iter().zip(layer_states).zip(dropped);
                for ((layer, layer_state), dropped) in layers {
                    if !dropped {
                        hidden = layer.forward(hidden, &pass, layer_state);
                    }
                }
            }
        }
        hidden.reshape([rows, new, width])
    }

    /// Which layers a pass leaves out. Reading the random numbers waits for the device.
    fn dropped(&self, hidden: &Tensor<2>) -> Vec<bool> {
        let layers = self.layers.len();
        if self.layer_drop == 0.0 || layers == 0 || !hidden.device().is_autodiff() {
            return vec![false; layers];
        }
        let device = hidden.device().inner();
        let numbers = Tensor::<1>::random([layers], Distribution::Uniform(0.0, 1.0), &device);
        match numbers.try_into_vec_as::<f32>() {
            Ok(numbers) => numbers
                .into_iter()
                .map(|n| f64::from(n) < self.layer_drop)
                .collect(),
            Err(error) => panic!("random numbers can't be read from the device: {error:?}"),
        }
    }

    /// The layers that are not dropped, each with its inputs alone: hidden states and memory.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    fn teach(
        &self,
        hidden: Tensor<2>,
        new: usize,
        padding: Option<Tensor<2, Bool>>,
        teaching: Teaching,
        dropped: &[bool],
    ) -> Tensor<2> {
        let Teaching {
            memory,
            row_sources,
            memory_padding,
        } = teaching;
        let shape = memory.dims();
        let memory = memory.flatten::<2>(0, 1); // [sources · positions, memory_width]
        let layers = self.layers.iter().zip(dropped);
        let layers = layers.filter(|(_, dropped)| !**dropped);
        layers.fold(hidden, |hidden, (layer, _)| {
            let (row_sources, memory_padding) = (row_sources.clone(), memory_padding.clone());
            let padding = padding.clone();
            let inputs = [hidden, memory.clone()];
            recomputed(
                layer,
                inputs,
                move |layer: &DecoderLayer, [hidden, memory]| {
                    let states = vec![layer.start(memory.reshape(shape))];
                    let mut state =
                        DecoderState::new(states, row_sources.clone(), memory_padding.clone());
                    let (pass, states) = state.advance(new, padding.clone());
                    layer.forward(hidden, &pass, &mut states[0])
                },
            )
        })
    }
}
