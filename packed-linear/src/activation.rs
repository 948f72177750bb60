use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, relu, sigmoid, silu};

/// A function that a linear layer applies to its outputs before it writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x Φ(x)`, computed exactly, not with the tanh approximation.
    Gelu,
    /// GELU with `tanh` instead of the error function: `x σ(√(8/π) (x + 0.044715 x³))`, as GPT-2 has it.
    GeluTanh,
    /// `x σ(1.702 x)`, an approximation of GELU that CLIP uses.
    QuickGelu,
    /// `x σ(x)`, also called Swish.
    Silu,
    /// `max(x, 0)`.
    Relu,
}

/// The factors of `x` and `x³` in [`Activation::GeluTanh`]: `√(8/π)`, and 0.044715 times that.
pub(crate) const GELU_TANH: [f32; 2] = [1.595_769_2, 0.071_354_816];

impl Activation {
    /// Applies the activation with Burn's operations.
    pub(crate) fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => gelu(x),
            Self::GeluTanh => {
                let inner = x.clone() * (x.clone().square() * GELU_TANH[1] + GELU_TANH[0]);
                x * sigmoid(inner)
            }
            Self::QuickGelu => x.clone() * sigmoid(x * 1.702),
            Self::Silu => silu(x),
            Self::Relu => relu(x),
        }
    }
}
