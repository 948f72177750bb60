use burn::tensor::Tensor;
use vision_encoder_decoder::{Encoder, Memory};

use crate::ViTModel;

impl Encoder for ViTModel {
    /// Pixel values, `[images, channels, height, width]`.
    type Input = Tensor<4>;

    fn encode(&self, pixel_values: Tensor<4>) -> Memory {
        self.forward(pixel_values).into()
    }
}
