use burn::nn::{Initializer, Linear};
use burn::tensor::Device;

/// A linear layer with normally distributed weights and a zero bias.
pub(crate) fn linear(d_input: usize, d_output: usize, std: f64, device: &Device) -> Linear {
    Linear {
        weight: Initializer::Normal { mean: 0.0, std }.init([d_input, d_output], device),
        bias: Some(Initializer::Zeros.init([d_output], device)),
    }
}
