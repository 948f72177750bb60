use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, LayerNorm};
use transformer_layers::recompute::recomputed;

use crate::ViTConfig;
use crate::embeddings::Embeddings;
use crate::layer::EncoderLayer;

/// ViT or DeiT; created by [`ViTConfig::init`].
///
/// Hugging Face: `ViTModel`, `DeiTModel`. References: Dosovitskiy et al., "An Image is Worth 16x16 Words:
/// Transformers for Image Recognition at Scale", 2020; Touvron et al., "Training data-efficient image transformers &
/// distillation through attention", 2020.
#[derive(Module, Debug)]
pub struct ViTModel {
    embeddings: Embeddings,
    layers: Vec<EncoderLayer>,
    norm: LayerNorm,
}

impl ViTConfig {
    /// Creates the model with fresh weights, drawn from the distributions of Hugging Face. They are allocated
    /// when they are first used, so loading a checkpoint into the model costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> ViTModel {
        self.init_with(None, device)
    }

    /// Creates the model with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> ViTModel {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> ViTModel {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        ViTModel {
            embeddings: Embeddings::new(self, format, device),
            layers: (0..self.num_hidden_layers)
                .map(|_| EncoderLayer::new(self, format, device))
                .collect(),
            norm: LayerNorm::new(self.hidden_size, self.layer_norm_eps, device),
        }
    }
}

impl ViTModel {
    /// The hidden states of all positions after the final layer norm, which a decoder attends to. The first
    /// position is the class token, in DeiT the second is the distillation token. Hugging Face:
    /// `last_hidden_state`.
    ///
    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`, normalised as the model's preprocessor
    ///   configuration says
    /// - output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the channels, height or width of the pixel values are not those of the configuration.
    pub fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let embedded = self.embeddings.forward(pixel_values);
        let hidden = self.layers.iter().fold(embedded, |hidden, layer| {
            recomputed(layer, [hidden], |layer, [hidden]| layer.forward(hidden))
        });
        self.norm.forward(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ViTModelType;
    use burn::tensor::{Distribution, Tolerance, s};

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<ViTModel>();
    }

    /// All tests of the process share the random numbers of a device, so only one test at a time may draw.
    static RANDOM: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn config(model_type: ViTModelType) -> ViTConfig {
        ViTConfig {
            model_type,
            hidden_size: 24,
            intermediate_size: 40,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            image_size: [20, 14].into(), // not multiples of the patch size: the border is ignored
            patch_size: [6, 4].into(),
            initializer_range: 0.3,
            ..ViTConfig::default()
        }
    }

    fn pixels(device: &Device) -> Tensor<4> {
        Tensor::random([3, 3, 20, 14], Distribution::Normal(0.0, 1.0), device)
    }

    #[test]
    fn packed_weights_compute_what_ordinary_weights_compute() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        for qkv_bias in [true, false] {
            let hidden = |format: Option<Format>| {
                device.seed(1);
                let pixels = pixels(&device);
                let config = ViTConfig {
                    qkv_bias,
                    ..config(ViTModelType::Vit)
                };
                config.init_with(format, &device).forward(pixels)
            };
            let ordinary = hidden(None);
            let largest = ordinary.clone().abs().max().into_scalar::<f32>();
            for (format, apart) in [
                (Format::F32, 1e-5),
                (Format::BF16, 0.03),
                (Format::INT8, 0.05),
                (Format::INT4, 0.5),
            ] {
                let packed = hidden(Some(format));
                let difference = (packed - ordinary.clone()).abs().max().into_scalar::<f32>();
                assert!(
                    difference < apart * largest,
                    "{format}: {difference} of {largest}"
                );
            }
        }
    }

    #[test]
    fn images_of_a_batch_do_not_influence_each_other() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        device.seed(1);
        for model_type in [ViTModelType::Vit, ViTModelType::Deit] {
            let config = config(model_type);
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

    #[test]
    fn gradients_reach_the_pixels_and_the_weights() {
        let _guard = RANDOM.lock();
        let device = Device::flex().autodiff();
        device.seed(1);
        for qkv_bias in [true, false] {
            let config = ViTConfig {
                qkv_bias,
                ..config(ViTModelType::Deit)
            };
            let model = config.init(&device);
            let pixels = pixels(&device).require_grad();
            let hidden = model.forward(pixels.clone());
            let gradients = hidden.powi_scalar(3).sum().backward();
            let pixels = pixels.grad(&gradients).unwrap();
            let scale = model.norm.gamma.val().grad(&gradients).unwrap();
            for size in [
                pixels.abs().sum().into_scalar::<f32>(),
                scale.abs().sum().into_scalar::<f32>(),
            ] {
                assert!(size.is_finite() && size > 0.0, "{size}");
            }
        }
    }
}
