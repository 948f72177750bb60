use burn::tensor::{Int, Tensor, TensorData, s};

use crate::attention::KeysValues;
use crate::slots::Slots;

/// Keys and values of the tokens so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyValueCache {
    keys: Growing,
    values: Growing,
}

/// A tensor `[rows, heads, length, head_width]` with spare capacity, so that appending writes in place
/// instead of copying.
#[derive(Clone, Debug, Default)]
struct Growing {
    /// `[rows, heads, capacity, head_width]`; `None` before the first token.
    tensor: Option<Tensor<4>>,
    length: usize,
}

/// Positions of a short caption; the capacity doubles when it is full.
const INITIAL_CAPACITY: usize = 16;

impl KeyValueCache {
    /// Appends to the first rows, as many as are new. The write is in place as long as no view that
    /// this returned earlier is alive.
    pub(crate) fn append(&mut self, new: KeysValues) {
        self.keys.append(new.keys);
        self.values.append(new.values);
    }

    /// All slots with their spare capacity: `[slots, heads, capacity, head_width]`.
    ///
    /// # Panics
    /// If nothing was appended.
    pub(crate) fn all(&self) -> KeysValues {
        KeysValues {
            keys: self.keys.all(),
            values: self.values.all(),
        }
    }

    /// The keys and values of each row so far: a view if every row uses its own slot, otherwise a copy.
    pub(crate) fn of_rows(&self, rows: usize, slots: &Slots) -> KeysValues {
        KeysValues {
            keys: self.keys.of_rows(rows, slots),
            values: self.values.of_rows(rows, slots),
        }
    }

    /// Whether nothing was appended yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.tensor.is_none()
    }

    /// Tokens of each row.
    pub(crate) fn length(&self) -> usize {
        self.keys.length
    }

    /// Rows for which there are slots.
    pub(crate) fn slots(&self) -> usize {
        self.keys
            .tensor
            .as_ref()
            .map_or(0, |tensor| tensor.dims()[0])
    }

    /// Moves keys and values: row `i` of the result, in its own slot, is row `parents[i]` of what
    /// `slots` says.
    pub(crate) fn select_rows(&mut self, parents: &Tensor<1, Int>, rows: usize, slots: &Slots) {
        self.keys.select_rows(parents, rows, slots);
        self.values.select_rows(parents, rows, slots);
    }

    /// Whether the next write is in place, where the backend can tell (Flex can).
    #[cfg(test)]
    pub(crate) fn is_unshared(&self) -> bool {
        [&self.keys, &self.values]
            .iter()
            .all(|growing| growing.tensor.as_ref().is_some_and(Tensor::can_mut))
    }
}

impl Growing {
    fn append(&mut self, new: Tensor<4>) {
        let start = self.length;
        let [rows, _, count, _] = new.dims();
        self.length += count;
        if self.tensor.is_none() && new.device().is_autodiff() {
            // A text in training is not continued: room for more would cost a copy, forward and backward.
            self.tensor = Some(new);
            return;
        }
        // Moved out, so that nothing else holds the memory while it is written.
        let tensor = self.with_capacity(&new);
        self.tensor = Some(tensor.slice_assign(s![0..rows, .., start..self.length, ..], new));
    }

    fn all(&self) -> Tensor<4> {
        match &self.tensor {
            Some(tensor) => tensor.clone(),
            None => panic!("nothing is in the cache yet"),
        }
    }

    /// `[rows, heads, length, head_width]`
    fn of_rows(&self, rows: usize, slots: &Slots) -> Tensor<4> {
        let all = self.all();
        let Some(table) = slots.table() else {
            return all.slice(s![0..rows, .., 0..self.length, ..]);
        };
        let [slots, heads, capacity, head_width] = all.dims();
        // A vector of all heads for each slot and position.
        let vectors = all
            .swap_dims(1, 2)
            .reshape([slots * capacity, heads * head_width]);
        let places: Vec<i64> = table
            .iter()
            .enumerate()
            .map(|(place, slot)| (*slot as usize * capacity + place % self.length) as i64)
            .collect();
        let places = TensorData::new(places, [table.len()]);
        let places = Tensor::<1, Int>::from_data(places, &vectors.device());
        vectors
            .select(0, places)
            .reshape([rows, self.length, heads, head_width])
            .swap_dims(1, 2)
    }

    /// The tensor with a capacity of at least `self.length`, copied only if it has less.
    fn with_capacity(&mut self, new: &Tensor<4>) -> Tensor<4> {
        let old = self.tensor.take();
        let capacity = old.as_ref().map_or(0, |tensor| tensor.dims()[2]);
        match old {
            Some(tensor) if self.length <= capacity => tensor,
            old => {
                let [rows, heads, _, head_width] = new.dims();
                let rows = old.as_ref().map_or(rows, |tensor| tensor.dims()[0]);
                let larger = self.length.next_power_of_two().max(INITIAL_CAPACITY);
                let shape = [rows, heads, larger, head_width];
                let empty = Tensor::zeros(shape, (&new.device(), new.dtype()));
                match old {
                    Some(old) => empty.slice_assign(s![.., .., 0..capacity, ..], old),
                    None => empty,
                }
            }
        }
    }

    fn select_rows(&mut self, parents: &Tensor<1, Int>, rows: usize, slots: &Slots) {
        let Some(tensor) = self.tensor.take() else {
            return;
        };
        if slots.table().is_none() {
            self.tensor = Some(tensor.select(0, parents.clone()));
            return;
        }
        let capacity = tensor.dims()[2];
        self.tensor = Some(tensor);
        let selected = self.of_rows(rows, slots).select(0, parents.clone());
        let [rows, heads, length, head_width] = selected.dims();
        let shape = [rows, heads, capacity, head_width];
        let empty = Tensor::zeros(shape, (&selected.device(), selected.dtype()));
        self.tensor = Some(empty.slice_assign(s![.., .., 0..length, ..], selected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    fn random(length: usize, device: &Device) -> KeysValues {
        let tensor = || Tensor::random([3, 2, length, 4], Distribution::Default, device);
        KeysValues {
            keys: tensor(),
            values: tensor(),
        }
    }

    #[test]
    fn appending_is_the_same_as_concatenating_and_in_place_on_flex() {
        let device = Device::flex();
        device.seed(1);
        let mut cache = KeyValueCache::default();
        let mut expected: Option<Tensor<4>> = None;
        for step in [5, 1, 1, 9, 1, 40, 1] {
            if expected.is_some() {
                assert!(cache.is_unshared(), "a write before step {step} would copy");
            }
            let new = random(step, &device);
            expected = Some(match expected {
                Some(so_far) => Tensor::cat(vec![so_far, new.keys.clone()], 2),
                None => new.keys.clone(),
            });
            cache.append(new);
            let view = cache.of_rows(3, &Slots::default());
            let expected = expected.clone().unwrap();
            assert_eq!(view.keys.into_data(), expected.into_data());
        }
    }

    #[test]
    fn rows_go_on_from_their_parents() {
        let device = Device::flex();
        device.seed(1);
        let mut cache = KeyValueCache::default();
        let slots = Slots::default();
        cache.append(random(2, &device));
        let first = cache.of_rows(3, &slots).values;
        cache.select_rows(&Tensor::from_data([2, 0, 2], &device), 3, &slots);
        let new = random(1, &device);
        let expected = Tensor::cat(
            vec![
                first.select(0, Tensor::from_data([2, 0, 2], &device)),
                new.values.clone(),
            ],
            2,
        );
        cache.append(new);
        let view = cache.of_rows(3, &slots).values;
        assert_eq!(view.into_data(), expected.into_data());
        assert!(cache.is_unshared());
    }

    #[test]
    fn slots_give_what_moving_gives() {
        let device = Device::flex();
        device.seed(1);
        let mut moved = KeyValueCache::default();
        let mut kept = KeyValueCache::default();
        let (own, mut slots) = (Slots::default(), Slots::default());
        let mut length = 0;
        for (step, parents) in [[1, 1, 0], [2, 0, 1], [0, 1, 2], [0, 2, 2]]
            .iter()
            .enumerate()
        {
            let new = random(1 + step % 2, &device);
            let count = new.keys.dims()[2];
            moved.append(new.clone());
            kept.append(new);
            slots.append(3, count);
            length += count;
            let indices = Tensor::<1, Int>::from_data(parents.map(|p| p as i64), &device);
            moved.select_rows(&indices, 3, &own);
            slots.select_rows(parents, length);
            let (moved, kept) = (moved.of_rows(3, &own), kept.of_rows(3, &slots));
            assert_eq!(moved.keys.into_data(), kept.keys.into_data());
            assert_eq!(moved.values.into_data(), kept.values.into_data());
        }
        let one = Tensor::<1, Int>::from_data([2, 0], &device);
        moved.select_rows(&one, 3, &own);
        kept.select_rows(&one, 3, &slots);
        let (moved, kept) = (moved.of_rows(2, &own), kept.of_rows(2, &own));
        assert_eq!(moved.keys.into_data(), kept.keys.into_data());
    }
}
