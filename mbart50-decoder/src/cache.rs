use burn::tensor::{Int, Tensor, s};

/// Keys and values, each `[batch, heads, length, head_width]`.
#[derive(Clone, Debug)]
pub(crate) struct KeysValues {
    pub(crate) keys: Tensor<4>,
    pub(crate) values: Tensor<4>,
}

/// Keys and values of the tokens so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyValueCache {
    keys: Room,
    values: Room,
}

/// A tensor `[rows, heads, length, head_width]` that stands at the front of a longer one, so that
/// appending writes in place instead of copying what is there.
#[derive(Clone, Debug, Default)]
struct Room {
    /// `[rows, heads, capacity, head_width]`; `None` before the first token.
    tensor: Option<Tensor<4>>,
    length: usize,
}

/// Room for a short caption; longer ones double it.
const INITIAL_CAPACITY: usize = 16;

impl KeysValues {
    /// Batch item `i` of the result is item `indices[i]` of this.
    pub(crate) fn select(self, indices: &Tensor<1, Int>) -> Self {
        Self {
            keys: self.keys.select(0, indices.clone()),
            values: self.values.select(0, indices.clone()),
        }
    }
}

impl KeyValueCache {
    /// Appends and returns a view of everything so far. The write is in place as long as no view
    /// that this returned earlier is alive.
    pub(crate) fn append(&mut self, new: KeysValues) -> KeysValues {
        KeysValues {
            keys: self.keys.append(new.keys),
            values: self.values.append(new.values),
        }
    }

    /// Row `i` goes on from what was row `parents[i]`.
    pub(crate) fn select_rows(&mut self, parents: &Tensor<1, Int>) {
        self.keys.select_rows(parents);
        self.values.select_rows(parents);
    }

    /// Whether the next write is in place, where the backend can tell (Flex can).
    #[cfg(test)]
    pub(crate) fn is_unshared(&self) -> bool {
        [&self.keys, &self.values]
            .iter()
            .all(|room| room.tensor.as_ref().is_some_and(Tensor::can_mut))
    }
}

impl Room {
    fn append(&mut self, new: Tensor<4>) -> Tensor<4> {
        let start = self.length;
        self.length += new.dims()[2];
        // Moved out, so that nothing else holds the memory while it is written.
        let room = self.with_capacity(&new);
        let room = room.slice_assign(s![.., .., start..self.length, ..], new);
        self.tensor = Some(room.clone());
        room.slice(s![.., .., 0..self.length, ..])
    }

    /// The tensor, with room for `self.length` positions and copied only if it had less.
    fn with_capacity(&mut self, new: &Tensor<4>) -> Tensor<4> {
        let old = self.tensor.take();
        let capacity = old.as_ref().map_or(0, |tensor| tensor.dims()[2]);
        match old {
            Some(tensor) if self.length <= capacity => tensor,
            old => {
                let [rows, heads, _, head_width] = new.dims();
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

    fn select_rows(&mut self, parents: &Tensor<1, Int>) {
        self.tensor = self
            .tensor
            .take()
            .map(|tensor| tensor.select(0, parents.clone()));
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
            let view = cache.append(new);
            let expected = expected.clone().unwrap();
            assert_eq!(view.keys.into_data(), expected.into_data());
        }
    }

    #[test]
    fn rows_go_on_from_their_parents() {
        let device = Device::flex();
        device.seed(1);
        let mut cache = KeyValueCache::default();
        let first = cache.append(random(2, &device)).values;
        cache.select_rows(&Tensor::from_data([2, 0, 2], &device));
        let new = random(1, &device);
        let expected = Tensor::cat(
            vec![
                first.select(0, Tensor::from_data([2, 0, 2], &device)),
                new.values.clone(),
            ],
            2,
        );
        let view = cache.append(new).values;
        assert_eq!(view.into_data(), expected.into_data());
        assert!(cache.is_unshared());
    }
}
