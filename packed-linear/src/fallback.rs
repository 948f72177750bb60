//! Packed weights on devices that have no kernels, with Burn's own operations.

use burn::tensor::Tensor;
use burn::tensor::module::linear;

use crate::{Activation, PackedWeight, Precision};

pub(crate) fn multiply<const D: usize>(
    weight: &PackedWeight,
    x: Tensor<D>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
) -> Tensor<D> {
    let x = rounded(x, weight.shape().format().precision());
    let y = linear(x.clone(), weight.unpacked(&x.device()).transpose(), bias);
    match activation {
        Some(activation) => activation.forward(y),
        None => y,
    }
}

/// What the kernels round their input to, so that results are the same wherever they are computed.
fn rounded<const D: usize>(x: Tensor<D>, precision: Precision) -> Tensor<D> {
    let rounded = match precision {
        Precision::F32 => return x,
        Precision::BF16 => bf16(x.clone().detach()),
        Precision::Int8 | Precision::Int4 => {
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
    // Gradients pass as if nothing were rounded.
    x.clone() + (rounded - x.detach())
}

/// The nearest `bf16`, by arithmetic, since some backends lack the type: adding and taking away 2¹⁶
/// times as much as the number itself leaves its upper 8 bits.
fn bf16<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let much = x.clone().mul_scalar(65537.0);
    much.clone() - (much - x)
}
