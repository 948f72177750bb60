use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Format, PackedShape, PackedWeight};

/// A table of which rows are looked up by number, and which may be multiplied by as a whole: token
/// embeddings that are a language model's head too.
#[derive(Module, Debug)]
pub struct PackedEmbedding {
    /// `[rows, width]`; none if the table is packed.
    pub weight: Option<Param<Tensor<2>>>,
    /// None if the table is ordinary.
    pub packed: Option<PackedWeight>,
}

impl PackedEmbedding {
    /// A fresh table, packed if there is a format, for which nothing is allocated until it is used.
    pub fn new(
        rows: usize,
        width: usize,
        initializer: &Initializer,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        match format {
            None => Self {
                weight: Some(initializer.init([rows, width], device)),
                packed: None,
            },
            Some(format) => Self {
                weight: None,
                packed: Some({
                    let initializer = initializer.clone();
                    let shape = PackedShape::new(format, rows, width);
                    PackedWeight::uninitialized(shape, device, move |device| {
                        initializer.init([rows, width], device).val()
                    })
                }),
            },
        }
    }

    /// An ordinary table.
    ///
    /// # Shapes
    /// - weight: `[rows, width]`
    pub fn from_tensor(weight: Tensor<2>) -> Self {
        Self {
            weight: Some(Param::from_tensor(weight)),
            packed: None,
        }
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        match (&self.packed, &self.weight) {
            (Some(packed), _) => packed.shape().outputs(),
            (None, Some(weight)) => weight.lazy_shape()[0],
            (None, None) => 0,
        }
    }

    /// Looks rows up.
    ///
    /// # Shapes
    /// - ids: `[batch, length]`
    /// - output: `[batch, length, width]`
    ///
    /// # Panics
    /// If there is no such row.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        match (&self.packed, &self.weight) {
            (Some(packed), _) => look_up(packed, ids),
            (None, Some(weight)) => embedding(weight.val(), ids),
            (None, None) => panic!("an embedding needs a table"),
        }
    }

    /// Multiplies by the whole table: the product with each row.
    ///
    /// # Shapes
    /// - x: `[count, width]`
    /// - bias: `[rows]`
    /// - output: `[count, rows]`
    pub fn scores(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        match (&self.packed, &self.weight) {
            (Some(packed), _) => packed.multiply(x, bias, None),
            (None, Some(weight)) => {
                // A view of what is stored, since the rank is 2: nothing is transposed in memory.
                let scores = x.matmul(weight.val().transpose());
                match bias {
                    Some(bias) => scores + bias.unsqueeze(),
                    None => scores,
                }
            }
            (None, None) => panic!("an embedding needs a table"),
        }
    }

    /// A table of some of the rows.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        let weight = self.weight.as_ref().map(|weight| {
            let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
            let rows = TensorData::new(rows.clone(), [rows.len()]);
            let weight = weight.val();
            let rows = Tensor::<1, Int>::from_data(rows, &weight.device());
            Param::from_tensor(weight.select(0, rows))
        });
        let packed = self.packed.as_ref().map(|packed| packed.select(rows));
        Self { weight, packed }
    }
}

fn look_up(packed: &PackedWeight, ids: Tensor<2, Int>) -> Tensor<3> {
    let [batch, length] = ids.dims();
    let device = ids.device();
    let ids = match ids.into_data().try_into_vec_as::<i64>() {
        Ok(ids) => ids,
        Err(error) => panic!("rows can't be read from the device: {error:?}"),
    };
    let rows: Vec<usize> = ids
        .iter()
        .map(|id| usize::try_from(*id).unwrap_or(usize::MAX))
        .collect();
    let width = packed.shape().inputs();
    let values = TensorData::new(packed.rows(&rows), [batch, length, width]);
    Tensor::from_data(values, &device)
}
