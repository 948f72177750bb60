use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, LayerNorm};

use crate::embeddings::Embeddings;
use crate::stage::Stage;
use crate::{SwinConfig, SwinModelType};

/// A Swin transformer; created by [`SwinConfig::init`].
///
/// Hugging Face: `SwinModel`, `DonutSwinModel`. References: Liu et al., "Swin Transformer: Hierarchical Vision
/// Transformer using Shifted Windows", 2021; Kim et al., "OCR-free Document Understanding Transformer", 2021.
#[derive(Module, Debug)]
pub struct SwinModel {
    embeddings: Embeddings,
    stages: Vec<Stage>,
    norm: Option<LayerNorm>,
}

impl SwinConfig {
    /// Creates the model with fresh weights, drawn from the distributions of Hugging Face. They are allocated
    /// when they are first used, so loading a checkpoint into the model costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> SwinModel {
        self.init_with(None, device)
    }

    /// Creates the model with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> SwinModel {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> SwinModel {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        SwinModel {
            embeddings: Embeddings::new(self, format, device),
            stages: (0..self.depths.len())
                .map(|stage| Stage::new(self, stage, format, device))
                .collect(),
            norm: (self.model_type == SwinModelType::Swin)
                .then(|| LayerNorm::new(self.hidden_size(), self.layer_norm_eps, device)),
        }
    }
}

impl SwinModel {
    /// The hidden states of the last stage, row by row from the top left, which a decoder attends to. Hugging Face:
    /// `last_hidden_state`.
    ///
    /// An image may have another size than the configuration says, unless the model has absolute position
    /// embeddings. Where a window of the configuration is larger than the grid of a stage, it shrinks; transformers
    /// has no result then.
    ///
    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`, normalised as the model's preprocessor
    ///   configuration says
    /// - output: `[batch, positions, width]`. There is a position for each patch, and a quarter of them, rounded up
    ///   in both directions, after each stage but the last.
    ///
    /// # Panics
    /// If the channels of the pixel values are not those of the configuration, if there are no pixels, or if height or
    /// width are not those of the configuration and the model has absolute position embeddings.
    pub fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let embedded = self.embeddings.forward(pixel_values);
        let (hidden, _) = self.stages.iter().fold(embedded, |(hidden, grid), stage| {
            stage.forward(hidden, grid)
        });
        match &self.norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance, s};

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<SwinModel>();
    }

    /// All tests of the process share the random numbers of a device, so only one test at a time may draw.
    static RANDOM: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn config(model_type: SwinModelType) -> SwinConfig {
        SwinConfig {
            model_type,
            embed_dim: 12,
            depths: vec![2, 2],
            num_heads: vec![2, 3],
            window_size: 3,
            image_size: [30, 22].into(), // 8 × 6 positions, then 4 × 3
            patch_size: 4.into(),
            initializer_range: 0.3,
            ..SwinConfig::default()
        }
    }

    fn pixels(device: &Device) -> Tensor<4> {
        Tensor::random([3, 3, 30, 22], Distribution::Normal(0.0, 1.0), device)
    }

    #[test]
    fn packed_weights_compute_what_ordinary_weights_compute() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        let hidden = |format: Option<Format>| {
            device.seed(1);
            let pixels = pixels(&device);
            config(SwinModelType::Swin)
                .init_with(format, &device)
                .forward(pixels)
        };
        let ordinary = hidden(None);
        let largest = ordinary.clone().abs().max().into_scalar::<f32>();
        for (format, apart) in [
            (Format::F32, 1e-5),
            (Format::BF16, 0.05),
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

    #[test]
    fn images_of_a_batch_do_not_influence_each_other() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        device.seed(1);
        for model_type in [SwinModelType::Swin, SwinModelType::DonutSwin] {
            let model = config(model_type).init(&device);
            let batch = pixels(&device);
            let together = model.forward(batch.clone());
            assert_eq!(together.dims(), [3, 4 * 3, 24]);
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
    fn images_of_other_sizes_are_encoded() {
        let _guard = RANDOM.lock();
        let device = Device::flex();
        let model = config(SwinModelType::DonutSwin).init(&device);
        // The windows of a small image shrink.
        for (size, positions) in [([64, 40], 8 * 5), ([8, 40], 5), ([1, 1], 1)] {
            let [height, width] = size;
            let pixels = Tensor::zeros([1, 3, height, width], &device);
            assert_eq!(model.forward(pixels).dims(), [1, positions, 24]);
        }
    }

    #[test]
    fn gradients_reach_the_pixels() {
        let _guard = RANDOM.lock();
        let device = Device::flex().autodiff();
        device.seed(1);
        let config = SwinConfig {
            drop_path_rate: 0.0,
            ..config(SwinModelType::Swin)
        };
        let model = config.init(&device);
        let pixels = pixels(&device).require_grad();
        let hidden = model.forward(pixels.clone());
        let gradients = hidden.powi_scalar(3).sum().backward();
        let gradient = pixels.grad(&gradients).unwrap();
        let size = gradient.abs().sum().into_scalar::<f32>();
        assert!(size.is_finite() && size > 0.0, "{size}");
    }
}
