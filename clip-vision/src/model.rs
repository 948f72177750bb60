use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor, s};
use packed_linear::{Format, apply_norm};
use transformer_layers::recompute::recomputed;

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
    #[module(skip)]
    norm_epsilon: f64,
}

impl ClipVisionConfig {
    /// Creates the model with fresh weights, drawn from the distributions of Hugging Face. They are allocated
    /// when they are first used, so loading a checkpoint into the model costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> ClipVisionModel {
        self.init_with(None, device)
    }

    /// Creates the model with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> ClipVisionModel {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> ClipVisionModel {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        ClipVisionModel::new(self, format, device)
    }
}

impl ClipVisionModel {
    fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = LayerNormConfig::new(config.hidden_size).with_epsilon(config.layer_norm_eps);
        Self {
            embeddings: Embeddings::new(config, format, device),
            pre_norm: norm.init(device),
            layers: (0..config.num_hidden_layers)
                .map(|_| EncoderLayer::new(config, format, device))
                .collect(),
            post_norm: norm.init(device),
            norm_epsilon: config.layer_norm_eps,
        }
    }

    /// The hidden states after the last layer and before `post_layernorm`, which a decoder attends to. The
    /// first position is the class token. Hugging Face: `last_hidden_state`.
    ///
    /// # Shapes
    /// - pixel values: `[batch, channels, image_size, image_size]`, normalised as the model's
    ///   preprocessor configuration says
    /// - output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the channels, height or width of the pixel values are not those of the configuration.
    pub fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let embedded = self.embeddings.forward(pixel_values);
        let normed = apply_norm(&self.pre_norm, self.norm_epsilon, embedded);
        self.layers.iter().fold(normed, |hidden, layer| {
            recomputed(layer, [hidden], |layer, [hidden]| layer.forward(hidden))
        })
    }

    /// The class token after `post_layernorm`. Hugging Face: `pooler_output`.
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

    /// All tests of the process share the random numbers of a device, so only one test at a time may draw.
    static RANDOM: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn config() -> ClipVisionConfig {
        ClipVisionConfig {
            hidden_size: 24,
            intermediate_size: 40,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            image_size: 20, // not a multiple of the patch size: the border is ignored
            patch_size: 6,
            hidden_act: HiddenAct::Gelu,
            initializer_factor: 3.0,
            ..ClipVisionConfig::default()
        }
    }

    fn pixels(device: &Device) -> Tensor<4> {
        let distribution = burn::tensor::Distribution::Normal(0.0, 1.0);
        Tensor::random([3, 3, 20, 20], distribution, device)
    }

    #[test]
    fn packed_weights_compute_what_ordinary_weights_compute() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        let hidden = |format: Option<Format>| {
            device.seed(1);
            let pixels = pixels(&device);
            config().init_with(format, &device).forward(pixels)
        };
        let ordinary = hidden(None);
        let largest = ordinary.clone().abs().max().into_scalar::<f32>();
        for (format, apart) in [
            (Format::F32, 1e-5),
            (Format::BF16, 0.03),
            (Format::INT8, 0.05),
        ] {
            let packed = hidden(Some(format));
            let difference = (packed - ordinary.clone()).abs().max().into_scalar::<f32>();
            assert!(
                difference < apart * largest,
                "{format}: {difference} of {largest}"
            );
        }
    }

    #[test]
    fn images_of_a_batch_do_not_influence_each_other() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        device.seed(1);
        let config = config();
        let model = config.init(&device);
        let batch = pixels(&device);
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
