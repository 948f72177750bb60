use burn::tensor::Tensor;

use crate::LayerNorm;

/// What linear layers are applied to: a tensor, perhaps normalised first, which kernels do while they
/// prepare its rows.
#[derive(Clone, Debug)]
pub struct Input<'a, const D: usize> {
    pub(crate) x: Tensor<D>,
    pub(crate) norm: Option<&'a LayerNorm>,
}

impl<'a, const D: usize> Input<'a, D> {
    /// What a norm makes of a tensor.
    ///
    /// # Shapes
    /// - x: `[.., width of the norm]`
    pub fn normed(norm: &'a LayerNorm, x: Tensor<D>) -> Self {
        Self {
            x,
            norm: Some(norm),
        }
    }

    /// The numbers that are multiplied.
    pub(crate) fn into_tensor(self) -> Tensor<D> {
        match self.norm {
            Some(norm) => norm.forward(self.x),
            None => self.x,
        }
    }
}

impl<const D: usize> From<Tensor<D>> for Input<'_, D> {
    fn from(x: Tensor<D>) -> Self {
        Self { x, norm: None }
    }
}
