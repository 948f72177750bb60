use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, relu, sigmoid};

/// A function that is applied to the outputs of a linear layer while they are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x Φ(x)`, exact, not the approximation by a hyperbolic tangent.
    Gelu,
    /// `x σ(1.702 x)`, CLIP's approximation of it.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// Applies it to a tensor, with Burn's operations.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => gelu(x),
            Self::QuickGelu => x.clone() * sigmoid(x * 1.702),
            Self::Relu => relu(x),
        }
    }
}
