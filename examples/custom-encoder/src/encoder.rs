use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{LayerNorm, LayerNormConfig, PaddingConfig2d};
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};
use vision_encoder_decoder::{Encoder, Memory};

/// A small convolutional network; each layer halves height and width.
///
/// It takes images of any size. To the decoder its output is a set of positions without an order, so a
/// larger network would add position embeddings.
#[derive(Module, Debug)]
pub(crate) struct ConvolutionalEncoder {
    layers: Vec<Conv2d>,
    norm: LayerNorm,
}

impl ConvolutionalEncoder {
    /// Creates a layer from each number of channels to the next. The last one is the width of the memory.
    pub(crate) fn new<const N: usize>(channels: [usize; N], device: &Device) -> Self {
        let layer = |channels: &[usize]| {
            Conv2dConfig::new([channels[0], channels[1]], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            layers: channels.windows(2).map(layer).collect(),
            norm: LayerNormConfig::new(channels[N - 1]).init(device),
        }
    }
}

impl Encoder for ConvolutionalEncoder {
    /// Pixel values, `[images, channels, height, width]`.
    type Input = Tensor<4>;

    fn encode(&self, pixel_values: Tensor<4>) -> Memory {
        let map = self.layers.iter().fold(pixel_values, |map, layer| {
            gelu(layer.forward(map)) // [images, more channels, height / 2, width / 2]
        });
        let hidden = map.flatten::<3>(2, 3).swap_dims(1, 2); // [images, positions, width]
        self.norm.forward(hidden).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seeded_device;

    #[test]
    fn every_pixel_of_the_last_feature_map_is_a_position() {
        let (device, _turn) = seeded_device(1);
        let encoder = ConvolutionalEncoder::new([3, 8, 16, 24], &device);
        let memory = encoder.encode(Tensor::zeros([2, 3, 32, 48], &device));
        assert_eq!(memory.hidden.dims(), [2, 4 * 6, 24]);
    }
}
