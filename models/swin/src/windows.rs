use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::relative_positions::relative_index;

/// What is added to the score of two positions that are next to each other only because the image was shifted: as in
/// Hugging Face, a finite number.
const HIDDEN: f32 = -100.0;

/// How a grid of positions is cut into windows, and joined again. It is computed once for a size of the grid, and all
/// layers of a stage share it.
///
/// The grid is padded to whole windows at the right and the bottom and, in every second layer, shifted by half a window
/// to the top left. What is shifted out at one side comes in at the other, and may not be attended to across the seam.
///
/// Hugging Face: `window_partition`, `window_reverse`, `get_attn_mask`.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Positions of a window.
    positions: usize,
    /// For each position of each window its position in the grid; for padding, the number of positions of the grid.
    to_windows: Tensor<1, Int>,
    /// For each position of the grid its position in the windows.
    from_windows: Tensor<1, Int>,
    has_padding: bool,
    /// The row of the table of relative positions for each pair of positions, `[positions²]`.
    pub(crate) relative_index: Tensor<1, Int>,
    /// What hides positions across a seam: `[kinds, 1, positions, positions]`. `None` if nothing is shifted.
    pub(crate) masks: Option<Tensor<4>>,
    /// The kind of mask of each window of an image: 2 in the last row of windows, plus 1 in the last column.
    kinds: Arc<[u32]>,
}

impl Windows {
    /// Windows of `window` × `window` positions of a grid of these rows and columns, which is shifted by `shift`.
    /// `table_window` is the size of window that a model has relative positions for.
    pub(crate) fn new(
        [rows, columns]: [usize; 2],
        window: usize,
        shift: usize,
        table_window: usize,
        device: &Device,
    ) -> Self {
        let [window_rows, window_columns] = [rows.div_ceil(window), columns.div_ceil(window)];
        let [padded_rows, padded_columns] = [window_rows * window, window_columns * window];
        let count = rows * columns;
        let mut to_windows = Vec::with_capacity(padded_rows * padded_columns);
        let mut from_windows = vec![0; count];
        let mut kinds = Vec::with_capacity(window_rows * window_columns);
        for window_row in 0..window_rows {
            for window_column in 0..window_columns {
                let is_last = [
                    window_row + 1 == window_rows,
                    window_column + 1 == window_columns,
                ];
                kinds.push(2 * u32::from(is_last[0]) + u32::from(is_last[1]));
                for inner in 0..window * window {
                    let row = window_row * window + inner / window;
                    let column = window_column * window + inner % window;
                    let row = (row + shift) % padded_rows;
                    let column = (column + shift) % padded_columns;
                    let is_padding = row >= rows || column >= columns;
                    let place = to_windows.len() as i64;
                    to_windows.push(match is_padding {
                        true => count as i64,
                        false => {
                            from_windows[row * columns + column] = place;
                            (row * columns + column) as i64
                        }
                    });
                }
            }
        }
        let is_shifted = shift > 0;
        Self {
            positions: window * window,
            has_padding: to_windows.len() > count,
            to_windows: indices(to_windows, device),
            from_windows: indices(from_windows, device),
            relative_index: indices(relative_index(window, table_window), device),
            masks: is_shifted.then(|| {
                let positions = window * window;
                let data = TensorData::new(masks(window, shift), [4, 1, positions, positions]);
                Tensor::from_data(data, device)
            }),
            kinds: match is_shifted {
                true => kinds.into(),
                false => [0].into(),
            },
        }
    }

    /// The kinds of masks of some of the windows of a batch, from `first` on.
    pub(crate) fn kinds(&self, first: usize, count: usize) -> Vec<u32> {
        let kinds = self.kinds.iter().copied().cycle();
        let first = first % self.kinds.len();
        kinds.skip(first).take(count).collect()
    }

    /// Cuts grids into windows. Padding is 0.
    ///
    /// # Shapes
    /// - grids: `[batch, rows · columns, width]`
    /// - output: `[batch · windows, positions, width]`
    pub(crate) fn cut(&self, grids: Tensor<3>) -> Tensor<3> {
        let [batch, _, width] = grids.dims();
        let grids = match self.has_padding {
            true => {
                let padding = Tensor::zeros([batch, 1, width], &grids.device());
                Tensor::cat(vec![grids, padding], 1)
            }
            false => grids,
        };
        let windows = grids.select(1, self.to_windows.clone());
        let [_, all, _] = windows.dims();
        windows.reshape([batch * (all / self.positions), self.positions, width])
    }

    /// Joins windows to grids: undoes [`cut`](Self::cut).
    ///
    /// # Shapes
    /// - windows: `[batch · windows, positions, width]`
    /// - output: `[batch, rows · columns, width]`
    pub(crate) fn join(&self, windows: Tensor<3>) -> Tensor<3> {
        let [count, positions, width] = windows.dims();
        let [all] = self.to_windows.dims();
        let batch = count * positions / all;
        windows
            .reshape([batch, all, width])
            .select(1, self.from_windows.clone())
    }
}

/// The masks of the four kinds of windows, `[4, positions, positions]`. In the last row of windows, the last `shift`
/// rows are those that came in from the top, and the same holds for columns.
fn masks(window: usize, shift: usize) -> Vec<f32> {
    let positions = window * window;
    let seam = window - shift;
    let mut masks = Vec::with_capacity(4 * positions * positions);
    for kind in 0..4 {
        let (is_last_row, is_last_column) = (kind & 2 != 0, kind & 1 != 0);
        let region = |position: usize| {
            [
                is_last_row && position / window >= seam,
                is_last_column && position % window >= seam,
            ]
        };
        for query in 0..positions {
            for key in 0..positions {
                let is_hidden = region(query) != region(key);
                masks.push(if is_hidden { HIDDEN } else { 0.0 });
            }
        }
    }
    masks
}

fn indices(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of two grids, whose values say where they are.
    fn grids([rows, columns]: [usize; 2]) -> Tensor<3> {
        let values: Vec<f32> = (1..=2 * rows * columns).map(|value| value as f32).collect();
        let data = TensorData::new(values, [2, rows * columns, 1]);
        Tensor::from_data(data, &Device::flex())
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn windows_go_row_by_row() {
        let windows = Windows::new([2, 4], 2, 0, 2, &Device::flex());
        let cut = windows.cut(grids([2, 4]));
        assert_eq!(cut.dims(), [4, 4, 1]);
        let expected = [1.0, 2.0, 5.0, 6.0, 3.0, 4.0, 7.0, 8.0];
        assert_eq!(values(cut)[..8], expected);
        assert_eq!((windows.masks.is_none(), &*windows.kinds), (true, &[0][..]));
    }

    #[test]
    fn a_shifted_grid_is_padded_first() {
        let windows = Windows::new([3, 3], 2, 1, 2, &Device::flex());
        let cut = windows.cut(grids([3, 3]));
        #[rustfmt::skip]
        let expected = [
            5.0, 6.0, 8.0, 9.0,
            0.0, 4.0, 0.0, 7.0,
            0.0, 0.0, 2.0, 3.0,
            0.0, 0.0, 0.0, 1.0,
        ];
        assert_eq!(values(cut)[..16], expected);
        assert_eq!(windows.kinds(0, 4), [0, 1, 2, 3]);
        // Those of the next image follow.
        assert_eq!(windows.kinds(6, 3), [2, 3, 0]);
    }

    #[test]
    fn joined_windows_are_the_grid_again() {
        for size in [[4, 6], [5, 7], [6, 3], [2, 2]] {
            for (window, shift) in [(2, 0), (2, 1), (3, 1), (4, 2)] {
                let windows = Windows::new(size, window, shift, window, &Device::flex());
                let joined = windows.join(windows.cut(grids(size)));
                assert_eq!(
                    values(joined),
                    values(grids(size)),
                    "{size:?} {window} {shift}"
                );
            }
        }
    }

    #[test]
    fn only_neighbours_of_the_image_attend_to_each_other() {
        let (size, window, shift) = ([8, 12], 4, 2);
        let windows = Windows::new(size, window, shift, window, &Device::flex());
        let places = values(windows.cut(grids(size))); // 1 and up
        let masks = values(windows.masks.clone().unwrap());
        let positions = window * window;
        for (number, kind) in windows.kinds.iter().enumerate() {
            let place = |inner: usize| {
                let place = places[number * positions + inner] as usize - 1;
                [place / size[1], place % size[1]]
            };
            for query in 0..positions {
                for key in 0..positions {
                    let ([a, b], [c, d]) = (place(query), place(key));
                    let are_near = a.abs_diff(c) < window && b.abs_diff(d) < window;
                    let mask = masks[(*kind as usize * positions + query) * positions + key];
                    assert_eq!(mask, if are_near { 0.0 } else { HIDDEN });
                }
            }
        }
    }
}
