use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};

/// A bias for each offset between two positions of a window, which is added to the scores of attention.
///
/// Hugging Face: `SwinRelativePositionBias`.
#[derive(Module, Debug)]
pub(crate) struct RelativePositions {
    table: Param<Tensor<2>>, // [(2 window - 1)², heads]
}

impl RelativePositions {
    pub(crate) fn new(window: usize, heads: usize, device: &Device) -> Self {
        let offsets = 2 * window - 1;
        Self {
            table: Initializer::Zeros.init([offsets * offsets, heads], device),
        }
    }

    /// The biases of all pairs of positions. `index` is a [`relative_index`].
    ///
    /// # Shapes
    /// - index: `[positions²]`
    /// - output: `[1, heads, positions, positions]`
    pub(crate) fn bias(&self, index: Tensor<1, Int>) -> Tensor<4> {
        let [pairs] = index.dims();
        let positions = pairs.isqrt();
        let bias = self.table.val().select(0, index); // [positions², heads]
        let [_, heads] = bias.dims();
        bias.transpose().reshape([1, heads, positions, positions])
    }
}

/// For each pair of positions of a window, the row of the table that has the bias of their offset. The table may be
/// that of a larger window: a window that is larger than a small image shrinks, and its offsets are some of the
/// table's.
pub(crate) fn relative_index(window: usize, table_window: usize) -> Vec<i64> {
    let offsets = 2 * table_window - 1;
    let positions = window * window;
    let mut index = Vec::with_capacity(positions * positions);
    for query in 0..positions {
        for key in 0..positions {
            let offset = |query: usize, key: usize| table_window - 1 + query - key;
            let rows = offset(query / window, key / window);
            let columns = offset(query % window, key % window);
            index.push((rows * offsets + columns) as i64);
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_small_window_is_that_of_the_paper() {
        #[rustfmt::skip]
        let expected = [
            4, 3, 1, 0,
            5, 4, 2, 1,
            7, 6, 4, 3,
            8, 7, 5, 4,
        ];
        assert_eq!(relative_index(2, 2), expected);
    }

    #[test]
    fn a_smaller_window_uses_the_offsets_that_it_has() {
        // In a table of 5 × 5 offsets, no offset is in the middle.
        assert_eq!(relative_index(1, 3), [12]);
        assert_eq!(relative_index(2, 3)[..4], [12, 11, 7, 6]);
    }

    #[test]
    fn pairs_with_the_same_offset_have_the_same_bias() {
        let (window, positions) = (3, 9);
        let index = relative_index(window, window);
        for (pair, row) in index.iter().enumerate() {
            let (query, key) = (pair / positions, pair % positions);
            let offset = |position: usize| [position / window, position % window];
            let [[a, b], [c, d]] = [offset(query), offset(key)];
            assert_eq!(*row as usize, (a + 2 - c) * 5 + (b + 2 - d));
        }
    }
}
