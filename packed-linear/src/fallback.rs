//! Packed weights on devices without kernels, with Burn's operations.

use burn::tensor::Tensor;
use burn::tensor::module::linear;

use crate::{Activation, Format, PackedWeight};

/// `x Wᵀ + b`, and an activation.
pub(crate) fn multiply<const D: usize>(
    weight: &PackedWeight,
    x: Tensor<D>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
) -> Tensor<D> {
    let x = rounded(x, weight.shape().format());
    let y = linear(x.clone(), weight.unpacked(&x.device()).transpose(), bias);
    match activation {
        Some(activation) => activation.forward(y),
        None => y,
    }
}

/// Rounds an input as the kernels do, so that results are the same on every device.
fn rounded<const D: usize>(x: Tensor<D>, format: Format) -> Tensor<D> {
    let rounded = match format {
        Format::F32 => return x,
        Format::BF16 => bf16(x.clone().detach()),
        Format::Int8 { .. } | Format::Int4 { .. } => {
            let x = x.clone().detach();
            let largest = x.clone().abs().max_dim(D - 1);
            let is_zero = largest.clone().equal_elem(0.0);
            let inverse = largest
                .clone()
                .recip()
                .mul_scalar(127.0)
                .mask_fill(is_zero, 0.0);
            x.mul(inverse).round().mul(largest.div_scalar(127.0))
        }
    };
    // The gradient is that of the input before rounding.
    x.clone() + (rounded - x.detach())
}

/// Rounds to `bf16` by arithmetic, since some backends lack the type: adding 2¹⁶ times the value and
/// subtracting it again leaves the upper 8 bits.
fn bf16<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let large = x.clone().mul_scalar(65537.0);
    large.clone() - (large - x)
}
