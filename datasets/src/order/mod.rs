//! The order in which the examples of an epoch come.

mod permutation;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::permutation::Permutation;
pub(crate) use self::permutation::mixed;

/// In which order examples come.
///
/// Neither takes memory that grows with the number of examples: the place of each is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shuffle {
    /// In an order that looks random, another one in each epoch: a permutation with a key of 64 bits, in which an example
    /// may come at any place. Parquet, whose row groups are read as a whole, is shuffled in [`Blocks`](Self::Blocks) of
    /// four instead.
    #[default]
    Auto,
    /// In the order of the data set.
    Off,
    /// In any order, even where each example costs reading a row group of Parquet.
    Full,
    /// Row groups come in any order, and examples in any order within this many row groups that come together. These
    /// are in memory, with their images; of a row group with more than 16,384 rows or 128 MiB, each part of at most that
    /// size counts as one. A table or shard beside Parquet files is one block.
    Blocks(u32),
}

/// Row groups that are mixed, unless said otherwise.
const WINDOW: u32 = 4;

/// The orders of all epochs.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    length: u64,
    seed: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Given,
    Full,
    Blocks { sizes: Arc<[u64]>, window: usize },
}

impl Order {
    pub(crate) fn new(
        length: u64,
        blocks: Option<&Arc<[u64]>>,
        shuffle: Shuffle,
        seed: u64,
    ) -> Self {
        let in_blocks = |sizes: &Arc<[u64]>, window: u32| Kind::Blocks {
            sizes: Arc::clone(sizes),
            window: window.max(1) as usize,
        };
        let kind = match (shuffle, blocks) {
            (Shuffle::Off, _) => Kind::Given,
            (Shuffle::Full, _) | (_, None) => Kind::Full,
            (Shuffle::Auto, Some(sizes)) => in_blocks(sizes, WINDOW),
            (Shuffle::Blocks(window), Some(sizes)) => in_blocks(sizes, window),
        };
        Self { length, seed, kind }
    }

    /// Row groups that are in use at a time.
    pub(crate) fn window(&self) -> usize {
        match &self.kind {
            Kind::Given => 1,
            Kind::Full => WINDOW as usize,
            Kind::Blocks { window, .. } => *window,
        }
    }

    /// The order of an epoch.
    pub(crate) fn epoch(&self, epoch: u64) -> EpochOrder {
        let key = mixed(self.seed ^ mixed(epoch ^ 0x6F72_6465_7200_0000));
        match &self.kind {
            Kind::Given => EpochOrder::Given,
            Kind::Full => EpochOrder::Full(Permutation::new(self.length, key)),
            Kind::Blocks { sizes, window } => EpochOrder::blocks(sizes, *window, key),
        }
    }
}

/// The order of one epoch.
#[derive(Clone, Debug)]
pub(crate) enum EpochOrder {
    Given,
    Full(Permutation),
    Windows(Vec<Window>),
}

/// Blocks that are mixed.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The place in the order of the first example.
    start: u64,
    /// The first position of each block, and how many examples of the window come before it.
    blocks: Vec<(u64, u64)>,
    permutation: Permutation,
}

impl EpochOrder {
    fn blocks(sizes: &[u64], window: usize, key: u64) -> Self {
        let mut starts = Vec::with_capacity(sizes.len());
        let mut end = 0;
        for size in sizes {
            starts.push(end);
            end += size;
        }
        let order = Permutation::new(sizes.len() as u64, key);
        let order: Vec<usize> = (0..sizes.len() as u64)
            .map(|place| order.at(place) as usize)
            .collect();
        let mut start = 0;
        let windows = order.chunks(window).enumerate().map(|(number, chunk)| {
            let mut length = 0;
            let blocks = chunk.iter().map(|block| {
                let before = length;
                length += sizes[*block];
                (starts[*block], before)
            });
            let blocks = blocks.collect();
            start += length;
            Window {
                start: start - length,
                blocks,
                permutation: Permutation::new(length, mixed(key ^ mixed(number as u64))),
            }
        });
        Self::Windows(windows.collect())
    }

    /// The position in the data set of the example that comes at this place of the epoch.
    pub(crate) fn at(&self, place: u64) -> u64 {
        match self {
            Self::Given => place,
            Self::Full(permutation) => permutation.at(place),
            Self::Windows(windows) => {
                // Windows without examples begin where the next one does.
                let number = windows.partition_point(|window| window.start <= place) - 1;
                let window = &windows[number];
                let within = window.permutation.at(place - window.start);
                let block = window
                    .blocks
                    .partition_point(|(_, before)| *before <= within)
                    - 1;
                let (first, before) = window.blocks[block];
                first + within - before
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(order: &EpochOrder, length: u64) -> Vec<u64> {
        (0..length).map(|place| order.at(place)).collect()
    }

    #[test]
    fn every_example_comes_once_in_each_order() {
        let sizes: Arc<[u64]> = [3, 0, 5, 1, 0, 0, 8, 2, 2].into();
        let shuffles = [
            Shuffle::Auto,
            Shuffle::Off,
            Shuffle::Full,
            Shuffle::Blocks(0),
            Shuffle::Blocks(1),
            Shuffle::Blocks(2),
            Shuffle::Blocks(100),
        ];
        for shuffle in shuffles {
            for blocks in [None, Some(&sizes)] {
                for epoch in 0..20 {
                    let order = Order::new(21, blocks, shuffle, 5).epoch(epoch);
                    let mut seen = all(&order, 21);
                    seen.sort();
                    assert!(seen.into_iter().eq(0..21), "{shuffle:?}");
                }
            }
        }
    }

    #[test]
    fn orders_differ_by_seed_and_by_epoch_and_are_the_same_again() {
        let of = |seed, epoch| all(&Order::new(50, None, Shuffle::Auto, seed).epoch(epoch), 50);
        assert_eq!(of(1, 0), of(1, 0));
        assert_ne!(of(1, 0), of(1, 1));
        assert_ne!(of(1, 0), of(2, 0));
        assert_ne!(of(1, 2), of(2, 1));
    }

    #[test]
    fn examples_of_a_window_are_from_its_blocks_only() {
        let sizes: Arc<[u64]> = [10; 12].into();
        let order = Order::new(120, Some(&sizes), Shuffle::Blocks(3), 9).epoch(4);
        for window in all(&order, 120).chunks(30) {
            let mut blocks: Vec<u64> = window.iter().map(|position| position / 10).collect();
            blocks.sort();
            blocks.dedup();
            assert_eq!(blocks.len(), 3);
        }
    }
}
