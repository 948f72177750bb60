use burn::tensor::{Tensor, TensorData};

use super::product::{FlexLayer, Layer, Product};
use super::{own, recycle};
use crate::kernel::{Rows, multiply};
use crate::{Input, spare};

/// Two layers of one format, the second of what the first gives.
pub(crate) struct FeedForward<const D: usize> {
    first: Product<D, 1>,
    second: FlexLayer,
}

/// Numbers between the rows of what only the second layer reads: without them, the rows of a block would
/// share few lines of the first cache where their length is a multiple of many lines.
const BETWEEN_ROWS: usize = 16;

impl<const D: usize> FeedForward<D> {
    /// # Panics
    /// If a layer has not as many inputs as there are numbers.
    pub(crate) fn new([first, second]: [Layer<'_>; 2], x: &Input<'_, D>) -> Option<Self> {
        let first = Product::new([first], x)?;
        let [layer] = &first.layers;
        let second = FlexLayer::new(second, layer.shape.outputs())?;
        let is_alike = second.shape.format == layer.shape.format;
        is_alike.then_some(Self { first, second })
    }

    /// As [`Product::compute`].
    pub(crate) fn compute(self, x: Input<'_, D>, residual: Tensor<D>) -> Tensor<D> {
        let (kernel, rows) = (self.first.kernel(), self.first.rows());
        drop(self.first.x);
        let (mut dims, device) = (x.x.dims(), x.x.device());
        recycle(x.x);
        let [first] = &self.first.layers;
        let stride = first.shape.outputs().next_multiple_of(BETWEEN_ROWS) + BETWEEN_ROWS;
        let mut between = spare::take(rows.rows * stride);
        multiply(kernel, &rows, &mut [first.job(false, &mut between, stride)]);
        drop(rows); // whose memory is used again for the next
        let rows = Rows::new(self.second.shape, &between, stride, None, kernel);
        spare::give(between);
        let width = self.second.shape.outputs();
        dims[D - 1] = width;
        let mut output = own(residual, dims);
        multiply(
            kernel,
            &rows,
            &mut [self.second.job(true, &mut output, width)],
        );
        Tensor::from_data(TensorData::new(output, dims), &device)
    }
}
