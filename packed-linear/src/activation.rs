use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, relu, sigmoid, silu};

/// A function that a linear layer applies to its outputs before it writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x Φ(x)`, computed exactly, not with the tanh approximation.
    Gelu,
    /// `x σ(1.702 x)`, an approximation of GELU that CLIP uses.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// `x σ(x)`, also called swish.
    Silu,
}

impl Activation {
    /// Applies the activation with Burn's operations.
    pub(crate) fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => gelu(x),
            Self::QuickGelu => x.clone() * sigmoid(x * 1.702),
            Self::Relu => relu(x),
            Self::Silu => silu(x),
        }
    }
}
