use burn::tensor::{Tensor, s};

/// The most values of a part of the hidden states of a large image: 4 MiB of them. Keys, values and what is inside of a
/// feed-forward block take several times as much, but only for one part at once.
pub(crate) const MOST_VALUES: usize = 1 << 20;

/// Computes rows in parts of about `most` values, and joins the results. The function gets a part and the index of its
/// first row. Under autodiff there is one part, since the graph keeps what all of them computed.
///
/// # Shapes
/// - x, output: `[rows, ..]`
pub(crate) fn in_parts<const D: usize>(
    x: Tensor<D>,
    most: usize,
    compute: impl Fn(Tensor<D>, usize) -> Tensor<D>,
) -> Tensor<D> {
    let dims = x.dims();
    let of_row: usize = dims[1..].iter().product();
    let part = (most / of_row.max(1)).max(1);
    if part >= dims[0] || x.device().is_autodiff() {
        return compute(x, 0);
    }
    let parts = (0..dims[0]).step_by(part).map(|first| {
        let last = dims[0].min(first + part);
        compute(x.clone().slice(s![first..last]), first)
    });
    Tensor::cat(parts.collect(), 0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn parts_together_are_the_whole() {
        let values: Vec<f32> = (0..14).map(|value| value as f32).collect();
        let data = TensorData::new(values, [7, 2]);
        let x = Tensor::<2>::from_data(data.clone(), &Device::flex());
        for (most, largest) in [(0, 1), (5, 2), (6, 3), (14, 7), (100, 7)] {
            let same = in_parts(x.clone(), most, |part, first| {
                let [rows, _] = part.dims();
                assert!(rows <= largest && first % largest == 0);
                let start = part.clone().slice(s![0, 0]).into_scalar::<f32>();
                assert_eq!(start, (2 * first) as f32);
                part
            });
            same.into_data().assert_eq(&data, true);
        }
    }
}
