use burn::module::Module;
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor, s};
use vision_encoder_decoder::{Decoder, Memory, RowSources};

/// Sizes of a [`RecurrentDecoder`].
pub(crate) struct RecurrentDecoderConfig {
    /// Tokens of the vocabulary.
    pub(crate) vocab_size: usize,
    /// Width of the memory.
    pub(crate) memory_width: usize,
    /// Width of the embeddings and the hidden state.
    pub(crate) width: usize,
}

/// A recurrent cell that attends to the image before each token.
///
/// Reference: Xu et al., "Show, Attend and Tell", 2015, but with dot-product attention.
#[derive(Module, Debug)]
pub(crate) struct RecurrentDecoder {
    embedding: Embedding,
    query: Linear,
    key: Linear,
    value: Linear,
    cell: Gru,
    head: Linear,
    #[module(skip)]
    vocab_size: usize,
}

/// The state of a [`RecurrentDecoder`] between calls.
#[derive(Clone, Debug)]
pub(crate) struct RecurrentState {
    hidden: Tensor<2>,                // [rows, width]
    keys: Tensor<3>,                  // [images, positions, width]
    values: Tensor<3>,                // [images, positions, width]
    ignored: Option<Tensor<2, Bool>>, // [images, positions]
    row_sources: RowSources,
}

impl RecurrentDecoderConfig {
    /// Creates the decoder with fresh weights.
    pub(crate) fn init(&self, device: &Device) -> RecurrentDecoder {
        let (memory, width) = (self.memory_width, self.width);
        RecurrentDecoder {
            embedding: EmbeddingConfig::new(self.vocab_size, width).init(device),
            query: LinearConfig::new(width, width).init(device),
            key: LinearConfig::new(memory, width).init(device),
            value: LinearConfig::new(memory, width).init(device),
            cell: GruConfig::new(2 * width, width, true).init(device),
            head: LinearConfig::new(width, self.vocab_size).init(device),
            vocab_size: self.vocab_size,
        }
    }
}

impl Decoder for RecurrentDecoder {
    type State = RecurrentState;

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn start(&self, memory: Memory, row_sources: &[usize]) -> RecurrentState {
        let device = memory.hidden.device();
        let keys = self.key.forward(memory.hidden.clone());
        let [images, _, width] = keys.dims();
        RecurrentState {
            hidden: Tensor::zeros([row_sources.len(), width], &device),
            keys,
            values: self.value.forward(memory.hidden),
            ignored: memory.padding,
            row_sources: RowSources::new(row_sources.to_vec(), images, &device),
        }
    }

    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut RecurrentState,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let embedded = self.embedding.forward(tokens); // [rows, new, width]
        let mut hidden = Vec::with_capacity(new);
        for i in 0..new {
            let token = embedded.clone().slice(s![.., i..i + 1, ..]); // [rows, 1, width]
            let attended = self.attend(state).unsqueeze_dim(1); // [rows, 1, width]
            let input = Tensor::cat(vec![token, attended], 2);
            let next = self.cell.forward(input, Some(state.hidden.clone()));
            let mut next = next.squeeze_dim::<2>(1); // [rows, width]
            if let Some(padding) = &padding {
                // Padding leaves the hidden state of its row unchanged.
                let padding = padding.clone().slice(s![.., i..i + 1]); // [rows, 1]
                let padding = padding.expand(next.dims());
                next = next.mask_where(padding, state.hidden.clone());
            }
            state.hidden = next.clone();
            hidden.push(next);
        }
        Tensor::stack(hidden, 1) // [rows, new, width]
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.head.forward(hidden)
    }

    fn select_rows(&self, state: &mut RecurrentState, parents: &[usize]) {
        let selection = state.row_sources.select_rows(parents);
        state.hidden = state.hidden.clone().select(0, selection.parents);
        if let Some(kept) = selection.kept_sources {
            state.keys = state.keys.clone().select(0, kept.clone());
            state.values = state.values.clone().select(0, kept.clone());
            state.ignored = state.ignored.take().map(|ignored| ignored.select(0, kept));
        }
    }
}

impl RecurrentDecoder {
    /// Attends to the image of each row with its hidden state as the query: `[rows, width]`.
    fn attend(&self, state: &RecurrentState) -> Tensor<2> {
        let query = self.query.forward(state.hidden.clone()); // [rows, width]
        let [images, positions, width] = state.keys.dims();
        // The rows of an image are queries of the same keys and values, so none is copied for each row.
        let query = state.row_sources.group(query); // [images · places, width]
        let places = query.dims()[0] / images;
        let query = query.reshape([images, places, width]) / (width as f32).sqrt();
        let mut scores = query.matmul(state.keys.clone().swap_dims(1, 2)); // [images, places, positions]
        if let Some(ignored) = &state.ignored {
            let ignored = ignored.clone().reshape([images, 1, positions]);
            let ignored = ignored.expand([images, places, positions]);
            scores = scores.mask_fill(ignored, f32::MIN);
        }
        let attended = softmax(scores, 2).matmul(state.values.clone()); // [images, places, width]
        state
            .row_sources
            .ungroup(attended.reshape([images * places, width]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seeded_device;
    use burn::tensor::{Distribution, TensorData};

    const VOCABULARY: usize = 50;
    const MEMORY_WIDTH: usize = 12;

    fn decoder(device: &Device) -> RecurrentDecoder {
        RecurrentDecoderConfig {
            vocab_size: VOCABULARY,
            memory_width: MEMORY_WIDTH,
            width: 20,
        }
        .init(device)
    }

    fn memory(images: usize, device: &Device) -> Memory {
        let shape = [images, 7, MEMORY_WIDTH];
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), device).into()
    }

    /// `[rows, length]`, different in every row.
    fn tokens(rows: usize, length: usize, device: &Device) -> Tensor<2, Int> {
        let ids = (0..rows * length).map(|i| ((i * i + 7 * i) % VOCABULARY) as i64);
        Tensor::from_data(TensorData::new(ids.collect(), [rows, length]), device)
    }

    /// max|a−b| / max|b|
    fn relative_difference(a: Tensor<3>, b: Tensor<3>) -> f32 {
        let largest = b.clone().abs().max().into_scalar::<f32>();
        (a - b).abs().max().into_scalar::<f32>() / largest
    }

    fn assert_equal(a: Tensor<3>, b: Tensor<3>) {
        let difference = relative_difference(a, b);
        assert!(difference <= 1e-5, "{difference}");
    }

    #[test]
    fn decoding_step_by_step_equals_decoding_at_once() {
        let (device, _turn) = seeded_device(1);
        let decoder = decoder(&device);
        let memory = memory(2, &device);
        let tokens = tokens(3, 8, &device);
        let padding = tokens.clone().equal_elem(0); // in the middle of a text too
        for padding in [None, Some(padding)] {
            let mut state = decoder.start(memory.clone(), &[0, 1, 0]);
            let full = decoder.forward(tokens.clone(), padding.clone(), &mut state);
            let mut state = decoder.start(memory.clone(), &[0, 1, 0]);
            let steps = [0..1, 1..2, 2..5, 5..8].map(|new| {
                let padding = padding.clone().map(|p| p.slice(s![.., new.clone()]));
                let tokens = tokens.clone().slice(s![.., new]);
                decoder.forward(tokens, padding, &mut state)
            });
            let steps = decoder.logits(Tensor::cat(steps.to_vec(), 1));
            assert_equal(steps, decoder.logits(full));
        }
    }

    #[test]
    fn the_state_depends_on_earlier_tokens_but_not_on_padding() {
        let (device, _turn) = seeded_device(1);
        let decoder = decoder(&device);
        let memory = memory(1, &device);
        let long = Tensor::<2, Int>::from_data([[5, 9, 9, 7]], &device);
        let padding = Tensor::<2, Bool>::from_data([[false, true, true, false]], &device);
        let short = Tensor::<2, Int>::from_data([[5, 7]], &device);
        let last = |tokens: Tensor<2, Int>, padding| {
            let mut state = decoder.start(memory.clone(), &[0]);
            let hidden = decoder.forward(tokens, padding, &mut state);
            hidden.slice(s![.., -1, ..]) // [1, 1, width]
        };

        let expected = last(short, None);
        assert_equal(last(long.clone(), Some(padding)), expected.clone());
        assert!(relative_difference(last(long, None), expected) > 0.01);
    }

    #[test]
    fn selected_rows_continue_as_if_they_had_been_in_that_order_from_the_start() {
        let (device, _turn) = seeded_device(1);
        let decoder = decoder(&device);
        let memory = memory(3, &device);
        let (before, after) = (tokens(4, 5, &device), tokens(5, 3, &device));
        let parents = [3, 0, 0, 2, 1];

        let mut state = decoder.start(memory.clone(), &[2, 0, 0, 1]);
        decoder.forward(before.clone(), None, &mut state);
        decoder.select_rows(&mut state, &parents);
        let selected = decoder.forward(after.clone(), None, &mut state);

        let mut state = decoder.start(memory, &[1, 2, 2, 0, 0]);
        let parents = Tensor::<1, Int>::from_data(parents, &device);
        decoder.forward(before.select(0, parents), None, &mut state);
        assert_equal(selected, decoder.forward(after, None, &mut state));
    }

    #[test]
    fn a_row_attends_to_its_own_image_without_the_padding() {
        let (device, _turn) = seeded_device(1);
        let decoder = decoder(&device);
        let tokens = tokens(1, 4, &device);
        let mut memory = memory(3, &device);
        let alone = memory.hidden.clone().slice(s![1..2, 0..5, ..]);
        let padding = [[false, false, false, false, false, true, true]; 3];
        memory.padding = Some(Tensor::from_data(padding, &device));

        let mut state = decoder.start(memory, &[1]);
        let padded = decoder.forward(tokens.clone(), None, &mut state);
        let mut state = decoder.start(alone.into(), &[0]);
        assert_equal(padded, decoder.forward(tokens, None, &mut state));
    }
}
