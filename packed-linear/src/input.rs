use burn::tensor::Tensor;

use crate::LayerNorm;

/// The input of linear layers: a tensor and, optionally, a layer norm that is applied to it first. Kernels
/// normalise rows while they prepare them.
#[derive(Clone, Debug)]
pub struct Input<'a, const D: usize> {
    pub(crate) x: Tensor<D>,
    pub(crate) norm: Option<&'a LayerNorm>,
}

impl<'a, const D: usize> Input<'a, D> {
    /// A tensor that is normalised first.
    ///
    /// # Shapes
    /// - x: `[.., width of the norm]`
    pub fn normed(norm: &'a LayerNorm, x: Tensor<D>) -> Self {
        Self {
            x,
            norm: Some(norm),
        }
    }

    /// Applies the norm.
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
