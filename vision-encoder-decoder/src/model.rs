use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use clip_vision::ClipVisionModel;
use mbart50_decoder::MBartDecoder;
use packed_linear::{Format, PackedLinear, PackedLinearConfig};

use crate::{Decoder, Encoder, Memory};

/// An encoder and a decoder that attends to it.
#[derive(Module, Debug)]
pub struct VisionEncoderDecoder<E, D> {
    /// Turns images into memory.
    pub encoder: E,
    /// Writes, attending to the memory.
    pub decoder: D,
    /// From the encoder's width to the decoder's, where they differ: Hugging Face's
    /// `enc_to_dec_proj`.
    pub projection: Option<PackedLinear>,
}

/// The model of this project: CLIP's vision transformer and mBART-50's decoder.
pub type ClipVisionMBart50 = VisionEncoderDecoder<ClipVisionModel, MBartDecoder>;

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
        self.with_projection_as([encoder_width, decoder_width], None, device)
    }

    /// [`with_projection`](Self::with_projection), its weight packed if there is a format.
    pub fn with_projection_as(
        mut self,
        [encoder_width, decoder_width]: [usize; 2],
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let projection = PackedLinearConfig::new(encoder_width, decoder_width).with_format(format);
        self.projection = Some(projection.init(device));
        self
    }

    /// What the decoder attends to: the encoder's output, projected where there is a projection.
    pub fn encode(&self, input: E::Input) -> Memory {
        self.project(self.encoder.encode(input))
    }

    /// Projects the encoder's output to the decoder's width, where there is a projection.
    pub fn project(&self, memory: Memory) -> Memory {
        match &self.projection {
            Some(projection) => Memory {
                hidden: projection.forward(memory.hidden),
                padding: memory.padding,
            },
            None => memory,
        }
    }

    /// Logits of whole texts, one per image (teacher forcing); [`forward_from`](Self::forward_from)
    /// takes several per image.
    ///
    /// # Shapes
    /// - tokens: `[images, length]`, beginning with the start token
    /// - padding: `[images, length]`, true = ignore
    /// - output: `[images, length, vocabulary]`
    pub fn forward(
        &self,
        input: E::Input,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let [images, _] = tokens.dims();
        let row_images: Vec<usize> = (0..images).collect();
        self.forward_from(self.encode(input), &row_images, tokens, padding)
    }

    /// Logits of whole texts, row `r` looking at the encoded image `row_images[r]`.
    ///
    /// # Shapes
    /// - tokens: `[rows, length]`, beginning with the start token
    /// - padding: `[rows, length]`, true = ignore
    /// - output: `[rows, length, vocabulary]`
    pub fn forward_from(
        &self,
        memory: Memory,
        row_images: &[usize],
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let mut state = self.decoder.start(memory, row_images);
        let hidden = self.decoder.forward(tokens, padding, &mut state);
        self.decoder.logits(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<ClipVisionMBart50>();
    }
}
