use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Format, LinearWeight, PackedShape, PackedWeight};

/// A table whose rows are looked up by index, and which inputs can be multiplied by: token embeddings that
/// are tied to a language model's head.
#[derive(Module, Debug)]
pub struct PackedEmbedding {
    /// `[rows, width]` if it is ordinary.
    pub weight: LinearWeight,
}

impl PackedEmbedding {
    /// Creates a table, packed if there is a format. It is allocated when it is first used.
    pub fn new(
        rows: usize,
        width: usize,
        initializer: &Initializer,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let dims = [rows, width];
        let weight = match format {
            None => LinearWeight::Ordinary(initializer.init(dims, device)),
            Some(format) => {
                let initializer = initializer.clone();
                let shape = PackedShape::new(format, rows, width);
                let init = move |device: &Device| initializer.init(dims, device).val();
                LinearWeight::Packed(PackedWeight::uninitialized(shape, device, init))
            }
        };
        Self { weight }
    }

    /// An ordinary table.
    ///
    /// # Shapes
    /// - weight: `[rows, width]`
    pub fn from_tensor(weight: Tensor<2>) -> Self {
        Self {
            weight: LinearWeight::Ordinary(Param::from_tensor(weight)),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.weight {
            LinearWeight::Packed(packed) => packed.shape().outputs(),
            LinearWeight::Ordinary(weight) => weight.lazy_shape()[0],
        }
    }

    /// Looks up rows.
    ///
    /// # Shapes
    /// - ids: `[batch, length]`
    /// - output: `[batch, length, width]`
    ///
    /// # Panics
    /// If an id is negative or not less than [`rows`](Self::rows).
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        match &self.weight {
            LinearWeight::Packed(packed) => look_up(packed, ids),
            LinearWeight::Ordinary(weight) => embedding(weight.val(), ids),
        }
    }

    /// The dot products of each input and each row of the table.
    ///
    /// # Shapes
    /// - x: `[count, width]`
    /// - bias: `[rows]`
    /// - output: `[count, rows]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the table's width.
    pub fn scores(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        match &self.weight {
            LinearWeight::Packed(packed) => packed.multiply(x, bias, None),
            LinearWeight::Ordinary(weight) => {
                #[cfg(feature = "autodiff")]
                {
                    let layer = crate::autodiff::linear::Layer {
                        weight: weight.val(),
                        is_transposed: true,
                        bias: bias.clone(),
                    };
                    if let Some(scores) = crate::autodiff::linear::linear(&[layer], &x, None, None)
                    {
                        return scores;
                    }
                }
                // At rank 2 the transposed table is a view: nothing is copied.
                let scores = x.matmul(weight.val().transpose());
                match bias {
                    Some(bias) => scores + bias.unsqueeze(),
                    None => scores,
                }
            }
        }
    }

    /// A table of some of the rows, in the given order.
    ///
    /// # Panics
    /// If an index is not less than [`rows`](Self::rows).
    pub fn select(&self, rows: &[usize]) -> Self {
        let weight = match &self.weight {
            LinearWeight::Packed(packed) => LinearWeight::Packed(packed.select(rows)),
            LinearWeight::Ordinary(weight) => {
                let weight = weight.val();
                let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
                let count = rows.len();
                let rows =
                    Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &weight.device());
                LinearWeight::Ordinary(Param::from_tensor(weight.select(0, rows)))
            }
        };
        Self { weight }
    }
}

/// Looks up rows of a packed table.
///
/// # Panics
/// If an id is negative or too large.
fn look_up(packed: &PackedWeight, ids: Tensor<2, Int>) -> Tensor<3> {
    let [batch, length] = ids.dims();
    let device = ids.device();
    let ids = match ids.into_data().try_into_vec_as::<i64>() {
        Ok(ids) => ids,
        Err(error) => panic!("ids can't be read from the device: {error:?}"),
    };
    let rows: Vec<usize> = ids
        .iter()
        .map(|id| usize::try_from(*id).unwrap_or(usize::MAX))
        .collect();
    let width = packed.shape().inputs();
    let values = TensorData::new(packed.rows(&rows), [batch, length, width]);
    Tensor::from_data(values, &device)
}
