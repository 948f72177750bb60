use burn::nn::Initializer;
use burn::tensor::Device;
use packed_linear::{Format, PackedLinear, PackedLinearConfig};

/// A linear layer with normally distributed weights and a zero bias.
pub(crate) fn linear(
    [d_input, d_output]: [usize; 2],
    std: f64,
    format: Option<Format>,
    device: &Device,
) -> PackedLinear {
    PackedLinearConfig::new(d_input, d_output)
        .with_initializer(Initializer::Normal { mean: 0.0, std })
        .with_format(format)
        .init(device)
}
