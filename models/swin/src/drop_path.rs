use burn::module::Module;
use burn::tensor::{Distribution, Tensor};

/// Stochastic depth: in training, on autodiff devices, a block is left out for some of the images.
///
/// Hugging Face: `SwinDropPath`. Reference: Huang et al., "Deep Networks with Stochastic Depth", 2016.
#[derive(Module, Debug)]
pub(crate) struct DropPath {
    #[module(skip)]
    rate: f64,
}

impl DropPath {
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate }
    }

    /// # Shapes
    /// - x, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        if self.rate == 0.0 || !x.device().is_autodiff() {
            return x;
        }
        let [batch, _, _] = x.dims();
        let kept = 1.0 - self.rate;
        let is_kept =
            Tensor::<3>::random([batch, 1, 1], Distribution::Bernoulli(kept), &x.device());
        x * (is_kept / kept)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn in_training_images_are_left_out_whole_and_the_others_scaled() {
        let device = Device::flex().autodiff();
        let x = Tensor::<3>::ones([200, 2, 3], &device);
        let dropped = DropPath::new(0.25).forward(x).into_data();
        let values = dropped.try_into_vec::<f32>().unwrap();
        let mut left_out = 0;
        for image in values.chunks(6) {
            assert!(image.iter().all(|value| *value == image[0]));
            assert!(image[0] == 0.0 || (image[0] - 4.0 / 3.0).abs() < 1e-6);
            left_out += usize::from(image[0] == 0.0);
        }
        assert!((20..90).contains(&left_out), "{left_out} of 200");
    }

    #[test]
    fn elsewhere_nothing_changes() {
        let x = Tensor::<3>::ones([5, 1, 1], &Device::flex());
        let same = DropPath::new(0.9).forward(x).into_data();
        same.assert_eq(&TensorData::new(vec![1.0_f32; 5], [5, 1, 1]), true);
    }
}
