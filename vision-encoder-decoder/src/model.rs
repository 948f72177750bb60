use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedLinear, PackedLinearConfig};

use crate::{Decoder, Encoder, Memory};

/// An encoder and a decoder that attends to it.
#[derive(Module, Debug)]
pub struct VisionEncoderDecoder<E, D> {
    /// Turns sources into memory.
    pub encoder: E,
    /// Writes, attending to the memory.
    pub decoder: D,
    /// From the encoder's width to the decoder's, where they differ: Hugging Face's
    /// `enc_to_dec_proj`.
    pub projection: Option<PackedLinear>,
}

impl<E: Encoder, D: Decoder> VisionEncoderDecoder<E, D> {
    /// Joins an encoder and a decoder of equal widths.
    pub fn new(encoder: E, decoder: D) -> Self {
        Self {
            encoder,
            decoder,
            projection: None,
        }
    }

    /// Puts a fresh linear layer between encoder and decoder.
    pub fn with_projection(
        self,
        encoder_width: usize,
        decoder_width: usize,
        device: &Device,
    ) -> Self {
        let projection = PackedLinearConfig::new(encoder_width, decoder_width);
        self.projected(projection, device)
    }

    /// Puts a linear layer with a packed weight between encoder and decoder.
    pub fn with_packed_projection(
        self,
        encoder_width: usize,
        decoder_width: usize,
        format: Format,
        device: &Device,
    ) -> Self {
        let projection = PackedLinearConfig::new(encoder_width, decoder_width);
        self.projected(projection.with_format(Some(format)), device)
    }

    fn projected(mut self, projection: PackedLinearConfig, device: &Device) -> Self {
        self.projection = Some(projection.init(device));
        self
    }

    /// What the decoder attends to: the encoder's output, projected if there is a projection.
    pub fn encode(&self, input: E::Input) -> Memory {
        self.project(self.encoder.encode(input))
    }

    /// Projects an encoder's output to the decoder's width, if there is a projection.
    pub fn project(&self, memory: Memory) -> Memory {
        match &self.projection {
            Some(projection) => Memory {
                hidden: projection.forward(memory.hidden),
                padding: memory.padding,
            },
            None => memory,
        }
    }

    /// Logits of whole texts, one per source (teacher forcing); [`forward_from`](Self::forward_from)
    /// takes several per source.
    ///
    /// # Shapes
    /// - tokens: `[sources, length]`, beginning with the start token
    /// - padding: `[sources, length]`, true = ignore
    /// - output: `[sources, length, vocabulary]`
    pub fn forward(
        &self,
        input: E::Input,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let [sources, _] = tokens.dims();
        let row_sources: Vec<usize> = (0..sources).collect();
        self.forward_from(self.encode(input), &row_sources, tokens, padding)
    }

    /// Logits of whole texts (teacher forcing), where row `r` attends to source `row_sources[r]`.
    ///
    /// # Shapes
    /// - tokens: `[rows, length]`, beginning with the start token
    /// - padding: `[rows, length]`, true = ignore
    /// - output: `[rows, length, vocabulary]`
    ///
    /// # Panics
    /// If `row_sources` is empty or names a source that does not exist.
    pub fn forward_from(
        &self,
        memory: Memory,
        row_sources: &[usize],
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let mut state = self.decoder.start(memory, row_sources);
        let hidden = self.decoder.forward(tokens, padding, &mut state);
        self.decoder.logits(hidden)
    }
}
