use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor, s};
use packed_linear::Format;

use crate::ClipVisionConfig;
use crate::embeddings::Embeddings;
use crate::layer::EncoderLayer;

/// CLIP's vision transformer; created by [`ClipVisionConfig::init`].
///
/// Hugging Face: `CLIPVisionModel`. Reference: Radford et al., "Learning Transferable Visual
/// Models From Natural Language Supervision", 2021.
#[derive(Module, Debug)]
pub struct ClipVisionModel {
    embeddings: Embeddings,
    pre_norm: LayerNorm,
    layers: Vec<EncoderLayer>,
    post_norm: LayerNorm,
}

impl ClipVisionModel {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = LayerNormConfig::new(config.hidden_size).with_epsilon(config.layer_norm_eps);
        Self {
            embeddings: Embeddings::new(config, format, device),
            pre_norm: norm.init(device),
            layers: (0..config.num_hidden_layers)
                .map(|_| EncoderLayer::new(config, format, device))
                .collect(),
            post_norm: norm.init(device),
        }
    }

    /// The hidden states after the last layer and before `post_layernorm`, class token first:
    /// Hugging Face's `last_hidden_state`, and what a decoder attends to.
    ///
    /// # Shapes
    /// - pixel values: `[batch, channels, image_size, image_size]`, normalised as the model's
    ///   preprocessor configuration says
    /// - output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the pixel values have another shape than the configuration says.
    pub fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let embedded = self.embeddings.forward(pixel_values);
        self.layers
            .iter()
            .fold(self.pre_norm.forward(embedded), |hidden, layer| {
                layer.forward(hidden)
            })
    }

    /// The normalised class token: Hugging Face's `pooler_output`.
    ///
    /// # Shapes
    /// - last hidden state: `[batch, positions, width]`
    /// - output: `[batch, width]`
    pub fn pool(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        let class = last_hidden_state
            .slice(s![.., 0..1, ..])
            .squeeze_dim::<2>(1);
        self.post_norm.forward(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HiddenAct;
    use burn::tensor::Tolerance;

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<ClipVisionModel>();
    }

    #[test]
    fn images_of_a_batch_do_not_influence_each_other() {
        let device = Device::flex();
        let config = ClipVisionConfig {
            hidden_size: 24,
            intermediate_size: 40,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            image_size: 20, // not a multiple of the patch: the border is left out
            patch_size: 6,
            hidden_act: HiddenAct::Gelu,
            initializer_factor: 3.0,
            ..ClipVisionConfig::default()
        };
        device.seed(1);
        let model = config.init(&device);
        let pixels = burn::tensor::Distribution::Normal(0.0, 1.0);
        let batch = Tensor::<4>::random([3, 3, 20, 20], pixels, &device);
        let together = model.forward(batch.clone());
        assert_eq!(together.dims(), [3, config.num_positions(), 24]);
        for image in 0..3 {
            let alone = model.forward(batch.clone().slice(s![image..image + 1, .., .., ..]));
            together
                .clone()
                .slice(s![image..image + 1, .., ..])
                .into_data()
                .assert_approx_eq::<f32>(&alone.into_data(), Tolerance::absolute(5e-5));
        }
    }
}
