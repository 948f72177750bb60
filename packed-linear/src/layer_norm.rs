use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};

/// Layer normalisation: rows get the mean 0 and the variance 1, then each number a factor and a summand of
/// its own. It is Burn's, whose module keeps its epsilon to itself, where kernels have to know it.
///
/// Reference: Ba et al., "Layer Normalization", 2016.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Factors, `[width]`.
    pub gamma: Param<Tensor<1>>,
    /// Summands, `[width]`.
    pub beta: Param<Tensor<1>>,
    /// Added to the variance.
    #[module(skip)]
    pub epsilon: f64,
}

impl LayerNorm {
    /// Factors of 1 and summands of 0.
    pub fn new(width: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([width], device),
            beta: Initializer::Zeros.init([width], device),
            epsilon,
        }
    }

    /// # Shapes
    /// - x, output: `[.., width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, self.gamma.val(), Some(self.beta.val()), self.epsilon)
    }
}
