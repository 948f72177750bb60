use burn::nn::Dropout;
use burn::tensor::Tensor;
use packed_linear::{Input, PackedLinear};

/// `residual + dropout(linear(x))`. Without dropout, a kernel adds the residual while it writes the
/// product; with it, the product has to exist first.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - residual, output: `[.., outputs]`
pub(crate) fn add_projected<'a, const D: usize>(
    linear: &PackedLinear,
    x: impl Into<Input<'a, D>>,
    dropout: &Dropout,
    residual: Tensor<D>,
) -> Tensor<D> {
    match is_active(dropout, &residual) {
        true => residual + dropout.forward(linear.forward(x)),
        false => linear.forward_added(x, residual),
    }
}

/// Whether dropout would change a tensor: in training, with a rate above 0.
pub(crate) fn is_active<const D: usize>(dropout: &Dropout, tensor: &Tensor<D>) -> bool {
    dropout.prob > 0.0 && dropout.training.is_enabled() && tensor.device().is_autodiff()
}
