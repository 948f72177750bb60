use burn::tensor::{Bool, Int, Tensor};
use mbart50_decoder::{DecoderState, MBartDecoder};

use crate::{Decoder, Memory, Shortlist};

impl Decoder for MBartDecoder {
    type State = DecoderState;

    fn vocab_size(&self) -> usize {
        MBartDecoder::vocab_size(self)
    }

    fn max_positions(&self) -> Option<usize> {
        Some(MBartDecoder::max_positions(self))
    }

    fn start(&self, memory: Memory, row_images: &[usize]) -> DecoderState {
        self.begin(memory.hidden, memory.padding, row_images)
    }

    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        MBartDecoder::forward(self, tokens, padding, state)
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        MBartDecoder::logits(self, hidden)
    }

    fn shortlist(&self, tokens: &[u32]) -> Option<Shortlist> {
        Some(MBartDecoder::shortlist(self, tokens))
    }

    fn select_rows(&self, state: &mut DecoderState, parents: &[usize]) {
        MBartDecoder::select_rows(self, state, parents);
    }

    fn record_attention(&self, state: &mut DecoderState) {
        state.record_attention();
    }

    fn recorded_attention(&self, state: &DecoderState) -> Option<Vec<Tensor<3>>> {
        state.attention()
    }
}
