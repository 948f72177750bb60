use burn::tensor::{Device, Int, Tensor, TensorData};

/// Which source each row attends to, and how to bring the rows of one source together.
///
/// A source is an encoded image or text. Attention over sources needs the rows grouped by source, with
/// the same number of rows for each: they are then more queries of one source, whose keys and values are
/// read in place and not copied per row. A search usually keeps its rows in this order, and grouping
/// is free. Otherwise the missing places are filled with row 0 and dropped again afterwards.
///
/// A part of a decoder's state, useful to any decoder that attends to sources.
#[derive(Clone, Debug)]
pub struct RowSources {
    row_sources: Vec<usize>,
    sources: usize,
    reordering: Option<Reordering>,
    device: Device,
}

/// What a selection of rows does to the tensors of a decoder's state.
#[derive(Clone, Debug)]
pub struct RowSelection {
    /// The old row that each new row continues: what to `select` in a tensor whose first dimension is
    /// rows.
    pub parents: Tensor<1, Int>,
    /// The sources to keep, if some are dropped: what to `select` in a tensor whose first dimension is
    /// sources.
    pub kept_sources: Option<Tensor<1, Int>>,
}

#[derive(Clone, Debug)]
struct Reordering {
    row_of_place: Tensor<1, Int>, // [sources · places]
    place_of_row: Tensor<1, Int>, // [rows]
    places: usize,
}

impl RowSources {
    /// Row `r` attends to source `row_sources[r]` of `sources`.
    ///
    /// # Panics
    /// If there are no rows, or one attends to a source that does not exist.
    pub fn new(row_sources: Vec<usize>, sources: usize, device: &Device) -> Self {
        assert!(!row_sources.is_empty(), "decoding needs at least one row");
        if let Some(source) = row_sources.iter().find(|source| **source >= sources) {
            panic!("a row attends to source {source}, but there are {sources}");
        }
        let per_source = row_sources.len() / sources;
        let grouped = row_sources.len().is_multiple_of(sources)
            && row_sources
                .iter()
                .enumerate()
                .all(|(row, source)| *source == row / per_source);
        let reordering = (!grouped).then(|| Reordering::new(&row_sources, sources, device));
        Self {
            row_sources,
            sources,
            reordering,
            device: device.clone(),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.row_sources.len()
    }

    /// The number of sources whose keys and values are kept.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Where its indices are kept.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Reorders, repeats or drops rows: row `i` continues what was row `parents[i]`.
    ///
    /// Sources that no row attends to are dropped once they are at least half of all, so that all
    /// copies together cost no more than the first one.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that does not exist.
    pub fn select_rows(&mut self, parents: &[usize]) -> RowSelection {
        let row_sources: Vec<usize> = parents.iter().map(|row| self.row_sources[*row]).collect();
        let mut kept = row_sources.clone();
        kept.sort_unstable();
        kept.dedup();
        let dropping = 2 * kept.len() <= self.sources;
        let kept_sources = dropping.then(|| indices(&kept, &self.device));
        *self = if dropping {
            let renumbered = row_sources
                .iter()
                .map(|source| kept.partition_point(|other| other < source))
                .collect();
            Self::new(renumbered, kept.len(), &self.device)
        } else {
            Self::new(row_sources, self.sources, &self.device)
        };
        RowSelection {
            parents: indices(parents, &self.device),
            kept_sources,
        }
    }

    /// Brings the rows of each source together: `[rows · new, width]` to
    /// `[sources · places · new, width]`.
    pub fn group(&self, states: Tensor<2>) -> Tensor<2> {
        match &self.reordering {
            None => states,
            Some(order) => select_rows(states, self.rows(), &order.row_of_place),
        }
    }

    /// Undoes [`group`](Self::group): `[sources · places · new, width]` to `[rows · new, width]`.
    pub fn ungroup(&self, states: Tensor<2>) -> Tensor<2> {
        match &self.reordering {
            None => states,
            Some(order) => {
                let places = self.sources * order.places;
                select_rows(states, places, &order.place_of_row)
            }
        }
    }
}

impl Reordering {
    fn new(row_sources: &[usize], sources: usize, device: &Device) -> Self {
        let mut rows_of_source = vec![Vec::new(); sources];
        for (row, source) in row_sources.iter().enumerate() {
            rows_of_source[*source].push(row);
        }
        let places = rows_of_source.iter().map(Vec::len).max().unwrap_or(0);
        let mut row_of_place = vec![0; sources * places];
        let mut place_of_row = vec![0; row_sources.len()];
        for (source, rows) in rows_of_source.iter().enumerate() {
            for (place, row) in rows.iter().enumerate() {
                row_of_place[source * places + place] = *row;
                place_of_row[*row] = source * places + place;
            }
        }
        Self {
            row_of_place: indices(&row_of_place, device),
            place_of_row: indices(&place_of_row, device),
            places,
        }
    }
}

/// Indices as a tensor.
fn indices(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    let length = rows.len();
    Tensor::from_data(TensorData::new(rows, [length]), device)
}

fn select_rows(states: Tensor<2>, rows: usize, order: &Tensor<1, Int>) -> Tensor<2> {
    let [flat, width] = states.dims();
    let new = flat / rows;
    let [selected] = order.dims();
    states
        .reshape([rows, new * width])
        .select(0, order.clone())
        .reshape([selected * new, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_the_order_of_their_sources_are_grouped_for_free() {
        let device = Device::flex();
        assert!(
            RowSources::new(vec![0, 0, 1, 1], 2, &device)
                .reordering
                .is_none()
        );
        for rows in [vec![0, 1, 0, 1], vec![0, 0, 1], vec![1, 1], vec![1]] {
            assert!(RowSources::new(rows, 2, &device).reordering.is_some());
        }
    }

    #[test]
    fn ungrouping_undoes_grouping() {
        let device = Device::flex();
        let rows = RowSources::new(vec![2, 0, 2, 2, 0], 3, &device);
        let states = Tensor::<1>::from_data([0., 1., 2., 3., 4., 5., 6., 7., 8., 9.], &device)
            .reshape([10, 1]); // two new tokens a row
        let grouped = rows.group(states.clone());
        assert_eq!(grouped.dims(), [3 * 3 * 2, 1]);
        let first: Vec<f32> = grouped.clone().into_data().try_into_vec().unwrap();
        assert_eq!(first[..4], [2., 3., 8., 9.]); // rows 1 and 4 attend to source 0
        assert_eq!(rows.ungroup(grouped).into_data(), states.into_data());
    }

    #[test]
    fn sources_without_rows_are_dropped_when_they_are_half() {
        let device = Device::flex();
        let mut rows = RowSources::new(vec![0, 1, 2, 3], 4, &device);
        let selection = rows.select_rows(&[0, 1, 3]);
        assert_eq!(rows.sources(), 4);
        assert!(selection.kept_sources.is_none());
        let selection = rows.select_rows(&[2, 0, 2]);
        assert_eq!(rows.sources(), 2);
        assert_eq!(rows.row_sources, [1, 0, 1]);
        let kept = selection.kept_sources.unwrap().into_data();
        assert_eq!(kept.try_into_vec_as::<i64>().unwrap(), [0, 3]);
    }
}
