use burn::tensor::TensorData;
use packed_linear::{Layout, PackedShape};

use crate::LoadError;
use crate::Precision;
use crate::placement::read_as;

/// The tensors of a checkpoint, by name. They are read as `f32`, whatever type they are stored in.
///
/// Names are PyTorch's: parts joined by dots, with `weight` or `bias` at the end.
pub trait TensorSource: Send + Sync {
    /// Where the tensors come from, for messages: usually a path.
    fn origin(&self) -> &str;

    /// The names of all tensors.
    fn names(&self) -> Vec<&str>;

    /// The shape, layout and precision of a tensor; `None` if there is no tensor of that name.
    fn info(&self, name: &str) -> Option<TensorInfo<'_>>;

    /// Reads `values.len()` elements of a tensor, in row-major order as they are stored, beginning with
    /// element `start`.
    ///
    /// # Errors
    /// [`LoadError`] if there is no such tensor, or its values can't be read or are not floating-point
    /// values.
    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError>;

    /// Reads a whole tensor. For some sources this is faster than reading it in parts.
    ///
    /// # Errors
    /// [`LoadError`] if there is no such tensor, or its values can't be read or are not floating-point
    /// values.
    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let info = self.info(name).ok_or_else(|| self.missing(name))?;
        let mut values = vec![0.0; info.shape.iter().product()];
        self.read(name, 0, &mut values)?;
        Ok(values)
    }

    /// The packed shape and the words, `[panels, words of a panel]`, of a tensor that is stored packed;
    /// `None` for other tensors. The methods [`read`](Self::read) and [`read_all`](Self::read_all) unpack
    /// it.
    ///
    /// # Errors
    /// [`LoadError`] if there is no such tensor, or its words can't be read.
    fn packed(&self, _name: &str) -> Result<Option<(PackedShape, TensorData)>, LoadError> {
        Ok(None)
    }

    /// Whether a tensor is stored packed: [`packed`](Self::packed) returns its words.
    fn is_packed(&self, _name: &str) -> bool {
        false
    }

    /// Whether two tensors have the same shape, in the order of [`Layout::OutputFirst`], and equal values. As in
    /// PyTorch's `torch.equal`, a value that is not a number is equal to none.
    ///
    /// # Errors
    /// [`LoadError`] if there are no such tensors, or their values can't be read or are not floating-point values.
    fn are_equal(&self, first: &str, second: &str) -> Result<bool, LoadError> {
        are_equal_in_blocks(self, first, second)
    }

    /// The error for a tensor that does not exist.
    fn missing(&self, name: &str) -> LoadError {
        LoadError::MissingTensor {
            origin: self.origin().into(),
            name: name.into(),
        }
    }
}

/// Compares two tensors of a source block by block.
pub(super) fn are_equal_in_blocks<S: TensorSource + ?Sized>(
    source: &S,
    first: &str,
    second: &str,
) -> Result<bool, LoadError> {
    let info = |name: &str| source.info(name).ok_or_else(|| source.missing(name));
    let (a, b) = (info(first)?, info(second)?);
    if a.output_first_shape() != b.output_first_shape() {
        return Ok(false);
    }
    equal_values(source, (first, a), (second, b))
}

/// Compares tensors whose shapes are equal.
fn equal_values<S: TensorSource + ?Sized>(
    source: &S,
    (first, a): (&str, TensorInfo<'_>),
    (second, b): (&str, TensorInfo<'_>),
) -> Result<bool, LoadError> {
    const BLOCK_VALUES: usize = 1 << 20;
    if a.layout == b.layout || a.shape.len() < 2 {
        let values: usize = a.shape.iter().product();
        let mut blocks = [(); 2].map(|()| vec![0.0; values.min(BLOCK_VALUES)]);
        for start in (0..values).step_by(BLOCK_VALUES) {
            let length = BLOCK_VALUES.min(values - start);
            let [a, b] = blocks.each_mut().map(|block| &mut block[..length]);
            source.read(first, start, a)?;
            source.read(second, start, b)?;
            if a != b {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let whole = |name, info| read_as(source, name, info, Layout::OutputFirst);
    Ok(whole(first, a)? == whole(second, b)?)
}

/// Shape, layout and precision of a tensor of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    /// The shape in which it is stored.
    pub shape: &'a [usize],
    /// The order of the dimensions: `OutputFirst` or `OutputLast`.
    pub layout: Layout,
    /// The precision that its values are stored in, or the lowest precision that keeps them unchanged.
    pub precision: Precision,
}

impl TensorInfo<'_> {
    /// The shape that the tensor has in [`Layout::OutputFirst`].
    pub fn output_first_shape(&self) -> Vec<usize> {
        match self.layout {
            Layout::OutputFirst | Layout::Conv1d => self.shape.to_vec(),
            Layout::OutputLast => output_first(self.shape),
        }
    }

    /// The same tensor if its dimensions are in the other order than its source says.
    pub(crate) fn swapped(self) -> Self {
        let layout = match self.layout {
            Layout::OutputFirst => Layout::OutputLast,
            Layout::OutputLast | Layout::Conv1d => Layout::OutputFirst,
        };
        Self { layout, ..self }
    }
}

/// `[height, width, input, output]` as `[output, input, height, width]`.
fn output_first(shape: &[usize]) -> Vec<usize> {
    match shape {
        [spatial @ .., input, output] => [&[*output, *input], spatial].concat(),
        _ => shape.to_vec(),
    }
}
