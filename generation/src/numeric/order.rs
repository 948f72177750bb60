/// Items ordered by a key, largest first, and sorted lazily.
///
/// Sampling needs the few most likely tokens of a vocabulary, and learns how many only by looking at
/// them. Items with equal keys are in the order of their tokens.
#[derive(Debug)]
pub(crate) struct LargestFirst {
    items: Vec<(f32, u32)>,
    /// Number of items at the front that are sorted.
    sorted: usize,
}

/// Number of items that are sorted first. Each further time doubles the sorted part.
const FIRST: usize = 256;

impl LargestFirst {
    /// Items of a key and a token, without those whose key is NaN or minus infinity.
    pub(crate) fn new(items: impl Iterator<Item = (f32, u32)>) -> Self {
        Self {
            items: items.filter(|(key, _)| *key > f32::NEG_INFINITY).collect(),
            sorted: 0,
        }
    }

    /// The item of this rank; rank 0 is the largest.
    pub(crate) fn get(&mut self, rank: usize) -> Option<(f32, u32)> {
        while rank >= self.sorted && self.sorted < self.items.len() {
            self.sort_more();
        }
        self.items.get(rank).copied()
    }

    fn sort_more(&mut self) {
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let rest = &mut self.items[self.sorted..];
        let more = self.sorted.max(FIRST).min(rest.len());
        if more < rest.len() {
            rest.select_nth_unstable_by(more, order);
        }
        rest[..more].sort_unstable_by(order);
        self.sorted += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_a_sorted_list() {
        let keys: Vec<f32> = (0..3000u32)
            .map(|i| (i.wrapping_mul(2654435761) >> 22) as f32)
            .collect();
        let items = keys.iter().copied().zip(0..);
        let mut sorted: Vec<(f32, u32)> = items.clone().collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0)); // stable
        let mut order = LargestFirst::new(items);
        for rank in [0, 5, 255, 256, 257, 2000, 2999] {
            assert_eq!(order.get(rank), Some(sorted[rank]), "{rank}");
        }
        assert_eq!(order.get(3000), None);
    }

    #[test]
    fn impossible_items_are_left_out() {
        let items = [(f32::NEG_INFINITY, 0), (1.0, 1), (f32::NAN, 2)];
        let mut order = LargestFirst::new(items.into_iter());
        assert_eq!(order.get(0), Some((1.0, 1)));
        assert_eq!(order.get(1), None);
    }
}
