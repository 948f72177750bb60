use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};

#[cfg(feature = "flex")]
use crate::flex::norm::FlexNorm;

/// Layer normalisation: each row is brought to mean 0 and variance 1, then scaled and shifted elementwise.
/// Unlike in Burn's module, the epsilon is public: kernels need it.
///
/// Reference: Ba et al., "Layer Normalization", 2016.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// The scale, `[width]`.
    pub gamma: Param<Tensor<1>>,
    /// The shift, `[width]`.
    pub beta: Param<Tensor<1>>,
    /// Added to the variance.
    #[module(skip)]
    pub epsilon: f64,
}

impl LayerNorm {
    /// A norm with a scale of 1 and a shift of 0.
    pub fn new(width: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([width], device),
            beta: Initializer::Zeros.init([width], device),
            epsilon,
        }
    }

    /// Normalises the last dimension.
    ///
    /// # Shapes
    /// - x, output: `[.., width]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the width of the norm.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        #[cfg(feature = "flex")]
        if let Some(norm) = FlexNorm::new(gamma.clone(), beta.clone(), self.epsilon)
            && let Some(normed) = norm.forward(&x)
        {
            return normed;
        }
        #[cfg(feature = "autodiff")]
        if let Some(normed) = crate::autodiff::norm::layer_norm(&x, &gamma, &beta, self.epsilon) {
            return normed;
        }
        layer_norm(x, gamma, Some(beta), self.epsilon)
    }
}

/// Applies a norm of Burn, whose epsilon is not public: by the kernels with a backward pass where
/// [`has_gradients`](crate::has_gradients) is true, otherwise as Burn does.
///
/// # Shapes
/// - x, output: `[.., width]`
///
/// # Panics
/// If the last dimension of `x` is not the width of the norm.
pub fn apply_norm<const D: usize>(
    norm: &burn::nn::LayerNorm,
    epsilon: f64,
    x: Tensor<D>,
) -> Tensor<D> {
    #[cfg(feature = "autodiff")]
    if let Some(beta) = &norm.beta
        && let Some(normed) =
            crate::autodiff::norm::layer_norm(&x, &norm.gamma.val(), &beta.val(), epsilon)
    {
        return normed;
    }
    #[cfg(not(feature = "autodiff"))]
    let _ = epsilon;
    norm.forward(x)
}
