use burn::tensor::Tensor;

use crate::{Activation, Input, PackedLinear};

/// Two linear layers with an activation between them, whose result is added to a residual: kernels write
/// what is between them where they read it best.
///
/// # Shapes
/// - x: `[.., inputs of the first]`
/// - residual, output: `[.., outputs of the second]`
///
/// # Panics
/// If a layer has not as many inputs as there are numbers, or the residual has not the shape of the
/// output.
pub fn feed_forward<'a, const D: usize>(
    layers: [&PackedLinear; 2],
    activation: Activation,
    x: impl Into<Input<'a, D>>,
    residual: Tensor<D>,
) -> Tensor<D> {
    let x = x.into();
    let [first, second] = layers;
    #[cfg(feature = "flex")]
    if let (Some(one), Some(two)) = (&first.packed, &second.packed) {
        let one = (
            one,
            first.bias.as_ref().map(|bias| bias.val()),
            Some(activation),
        );
        let two = (two, second.bias.as_ref().map(|bias| bias.val()), None);
        if let Some(layers) = crate::flex::FeedForward::new([one, two], &x) {
            return layers.compute(x, residual);
        }
    }
    let between = first.forward_activated(x, activation);
    second.forward_added(between, residual)
}
