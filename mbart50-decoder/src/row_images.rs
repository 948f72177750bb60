use burn::tensor::{Device, Int, Tensor, TensorData};

/// Which image each row looks at, and how to bring the rows of one image together.
///
/// Attention over images wants the rows grouped by image, with equally many for each, so that they
/// become more queries of one image, whose keys and values are then read where they are, without a
/// copy per row. Search usually keeps rows so, and grouping is then free; otherwise the missing
/// places are filled with row 0 and left out again afterwards.
///
/// Part of a decoder's state; useful to any decoder that attends to images.
#[derive(Clone, Debug)]
pub struct RowImages {
    row_images: Vec<usize>,
    images: usize,
    reordering: Option<Reordering>,
    device: Device,
}

/// What a selection of rows means for the tensors of a decoder's state.
#[derive(Clone, Debug)]
pub struct RowSelection {
    /// The old row that each new row continues: what to `select` in a tensor that begins with rows.
    pub parents: Tensor<1, Int>,
    /// The images to keep, where images have become superfluous: what to `select` in a tensor that
    /// begins with images.
    pub kept_images: Option<Tensor<1, Int>>,
}

#[derive(Clone, Debug)]
struct Reordering {
    row_of_place: Tensor<1, Int>, // [images · places]
    place_of_row: Tensor<1, Int>, // [rows]
    places: usize,
}

impl RowImages {
    /// Row `r` looks at image `row_images[r]` of `images`.
    ///
    /// # Panics
    /// If a row looks at an image that is not there, or there is no row.
    pub fn new(row_images: Vec<usize>, images: usize, device: &Device) -> Self {
        assert!(!row_images.is_empty(), "decoding needs at least one row");
        if let Some(image) = row_images.iter().find(|image| **image >= images) {
            panic!("a row looks at image {image}, but there are {images}");
        }
        let per_image = row_images.len() / images;
        let grouped = row_images.len().is_multiple_of(images)
            && row_images
                .iter()
                .enumerate()
                .all(|(row, image)| *image == row / per_image);
        let reordering = (!grouped).then(|| Reordering::new(&row_images, images, device));
        Self {
            row_images,
            images,
            reordering,
            device: device.clone(),
        }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.row_images.len()
    }

    /// Images that keys and values are held of.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Row `i` goes on from what was row `parents[i]`.
    ///
    /// Images that nobody looks at any more are dropped when they are at least half of all, so that
    /// all copies of what is kept cost no more together than the first.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that is not there.
    pub fn select_rows(&mut self, parents: &[usize]) -> RowSelection {
        let row_images: Vec<usize> = parents.iter().map(|row| self.row_images[*row]).collect();
        let mut kept = row_images.clone();
        kept.sort_unstable();
        kept.dedup();
        let dropping = 2 * kept.len() <= self.images;
        let kept_images = dropping.then(|| indices(&kept, &self.device));
        *self = if dropping {
            let renumbered = row_images
                .iter()
                .map(|image| kept.partition_point(|other| other < image))
                .collect();
            Self::new(renumbered, kept.len(), &self.device)
        } else {
            Self::new(row_images, self.images, &self.device)
        };
        RowSelection {
            parents: indices(parents, &self.device),
            kept_images,
        }
    }

    /// `[rows · new, width]` to `[images · places · new, width]`, rows of an image together.
    pub fn group(&self, states: Tensor<2>) -> Tensor<2> {
        match &self.reordering {
            None => states,
            Some(order) => select_rows(states, self.rows(), &order.row_of_place),
        }
    }

    /// Undoes [`group`](Self::group).
    pub fn ungroup(&self, states: Tensor<2>) -> Tensor<2> {
        match &self.reordering {
            None => states,
            Some(order) => {
                let places = self.images * order.places;
                select_rows(states, places, &order.place_of_row)
            }
        }
    }
}

impl Reordering {
    fn new(row_images: &[usize], images: usize, device: &Device) -> Self {
        let mut rows_of_image = vec![Vec::new(); images];
        for (row, image) in row_images.iter().enumerate() {
            rows_of_image[*image].push(row);
        }
        let places = rows_of_image.iter().map(Vec::len).max().unwrap_or(0);
        let mut row_of_place = vec![0; images * places];
        let mut place_of_row = vec![0; row_images.len()];
        for (image, rows) in rows_of_image.iter().enumerate() {
            for (place, row) in rows.iter().enumerate() {
                row_of_place[image * places + place] = *row;
                place_of_row[*row] = image * places + place;
            }
        }
        Self {
            row_of_place: indices(&row_of_place, device),
            place_of_row: indices(&place_of_row, device),
            places,
        }
    }
}

/// Numbers of rows or images as a tensor.
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
    fn rows_in_image_order_are_grouped_for_free() {
        let device = Device::flex();
        assert!(
            RowImages::new(vec![0, 0, 1, 1], 2, &device)
                .reordering
                .is_none()
        );
        for rows in [vec![0, 1, 0, 1], vec![0, 0, 1], vec![1, 1], vec![1]] {
            assert!(RowImages::new(rows, 2, &device).reordering.is_some());
        }
    }

    #[test]
    fn ungrouping_undoes_grouping() {
        let device = Device::flex();
        let rows = RowImages::new(vec![2, 0, 2, 2, 0], 3, &device);
        let states = Tensor::<1>::from_data([0., 1., 2., 3., 4., 5., 6., 7., 8., 9.], &device)
            .reshape([10, 1]); // two new tokens a row
        let grouped = rows.group(states.clone());
        assert_eq!(grouped.dims(), [3 * 3 * 2, 1]);
        let first: Vec<f32> = grouped.clone().into_data().try_into_vec().unwrap();
        assert_eq!(first[..4], [2., 3., 8., 9.]); // rows 1 and 4 look at image 0
        assert_eq!(rows.ungroup(grouped).into_data(), states.into_data());
    }

    #[test]
    fn images_that_nobody_looks_at_are_dropped_when_they_are_half() {
        let device = Device::flex();
        let mut rows = RowImages::new(vec![0, 1, 2, 3], 4, &device);
        let selection = rows.select_rows(&[0, 1, 3]);
        assert_eq!(rows.images(), 4);
        assert!(selection.kept_images.is_none());
        let selection = rows.select_rows(&[2, 0, 2]);
        assert_eq!(rows.images(), 2);
        assert_eq!(rows.row_images, [1, 0, 1]);
        let kept = selection.kept_images.unwrap().into_data();
        assert_eq!(kept.try_into_vec_as::<i64>().unwrap(), [0, 3]);
    }
}
