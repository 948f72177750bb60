use burn::tensor::TensorData;
use packed_linear::PackedShape;

use crate::LoadError;
use crate::checkpoint::Precision;

/// The tensors of a checkpoint by name, read as `f32`.
///
/// Names are PyTorch's: parts joined by dots, `weight` and `bias` at the end.
pub trait TensorSource: Send + Sync {
    /// Where the tensors come from, for messages: a path.
    fn origin(&self) -> &str;

    /// The names of all tensors.
    fn names(&self) -> Vec<&str>;

    /// What a tensor looks like, or nothing if there is none of that name.
    fn info(&self, name: &str) -> Option<TensorInfo<'_>>;

    /// Reads `values.len()` elements of a tensor, in its own row-major order, from element `start`
    /// on.
    ///
    /// # Errors
    /// [`LoadError`] if they can't be read or are no floating-point numbers.
    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError>;

    /// Reads a whole tensor. A source that can't read parts cheaply does better here than with
    /// [`read`](Self::read).
    ///
    /// # Errors
    /// [`LoadError`], likewise.
    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let info = self.info(name).ok_or_else(|| self.missing(name))?;
        let mut values = vec![0.0; info.shape.iter().product()];
        self.read(name, 0, &mut values)?;
        Ok(values)
    }

    /// The words of a tensor that is stored packed, `[panels, words of a panel]`, and what they mean.
    /// Reading it otherwise unpacks it.
    ///
    /// # Errors
    /// [`LoadError`] if they can't be read.
    fn packed(&self, _name: &str) -> Result<Option<(PackedShape, TensorData)>, LoadError> {
        Ok(None)
    }

    /// The error for a tensor that is not there.
    fn missing(&self, name: &str) -> LoadError {
        LoadError::MissingTensor {
            origin: self.origin().into(),
            name: name.into(),
        }
    }
}

/// What a tensor of a checkpoint looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    /// Its dimensions, as they are stored.
    pub shape: &'a [usize],
    /// What they mean.
    pub layout: Layout,
    /// The precision that keeps its values.
    pub precision: Precision,
}

/// In what order a linear layer's or a convolution's weight has its dimensions. Of other tensors
/// there is one order only, [`OutputFirst`](Self::OutputFirst).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[output, input]` and `[output, input, height, width]`, as PyTorch has them.
    OutputFirst,
    /// `[input, output]` and `[height, width, input, output]`, as Flax's kernels and the weights of
    /// Burn's linear layers have them.
    OutputLast,
}

impl TensorInfo<'_> {
    /// The dimensions in the order of [`Layout::OutputFirst`].
    pub fn output_first_shape(&self) -> Vec<usize> {
        match self.layout {
            Layout::OutputFirst => self.shape.to_vec(),
            Layout::OutputLast => output_first(self.shape),
        }
    }
}

/// `[height, width, input, output]` as `[output, input, height, width]`.
fn output_first(shape: &[usize]) -> Vec<usize> {
    match shape {
        [spatial @ .., input, output] => [&[*output, *input], spatial].concat(),
        _ => shape.to_vec(),
    }
}
