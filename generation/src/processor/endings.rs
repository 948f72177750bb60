use std::collections::{BTreeMap, HashMap};

/// Finds, of many sequences of tokens, those that a text ends with all but the last token of.
///
/// Sequences are looked up by their beginnings, so what a step costs depends on the length of the text and not on the
/// number of sequences.
#[derive(Clone, Debug)]
pub(super) struct Endings<T> {
    /// For each length of a beginning, what belongs to each beginning: the last token and its value, in the order of
    /// the sequences.
    by_length: BTreeMap<usize, Beginnings<T>>,
}

/// The last tokens of the sequences with each beginning, all of the same length.
type Beginnings<T> = HashMap<Box<[u32]>, Vec<Last<T>>>;

/// The last token of a sequence.
#[derive(Clone, Debug)]
struct Last<T> {
    /// Position of the sequence in the list.
    position: usize,
    token: u32,
    value: T,
}

impl<T: Copy> Endings<T> {
    /// Sequences of at least one token, with a value each. If a sequence is given twice, the last value counts, and it
    /// has the later position.
    pub(super) fn new<'a>(sequences: impl IntoIterator<Item = (&'a [u32], T)>) -> Self {
        let mut latest: HashMap<&[u32], (usize, T)> = HashMap::new();
        for (position, (sequence, value)) in sequences.into_iter().enumerate() {
            latest.insert(sequence, (position, value));
        }
        let mut by_length: BTreeMap<usize, Beginnings<T>> = BTreeMap::new();
        for (sequence, (position, value)) in latest {
            if let Some((token, beginning)) = sequence.split_last() {
                let of_length = by_length.entry(beginning.len()).or_default();
                let last = Last {
                    position,
                    token: *token,
                    value,
                };
                match of_length.get_mut(beginning) {
                    Some(known) => known.push(last),
                    None => drop(of_length.insert(beginning.into(), vec![last])),
                }
            }
        }
        let lists = by_length.values_mut().flat_map(HashMap::values_mut);
        lists.for_each(|list| list.sort_unstable_by_key(|last| last.position));
        Self { by_length }
    }

    /// Calls a function with the last token and the value of each sequence whose other tokens a text ends with, in the
    /// order of the sequences.
    pub(super) fn for_each(&self, tokens: &[u32], mut call: impl FnMut(u32, T)) {
        let of_length = self.by_length.range(..=tokens.len());
        let found = of_length.filter_map(|(length, beginnings)| {
            let end = &tokens[tokens.len() - length..];
            beginnings.get(end)
        });
        let mut found: Vec<&[Last<T>]> = found.map(Vec::as_slice).collect();
        if let [only] = found.as_slice() {
            return only.iter().for_each(|last| call(last.token, last.value));
        }
        // Each list is in order, so a sort finds runs.
        let mut all: Vec<&Last<T>> = found.drain(..).flatten().collect();
        all.sort_by_key(|last| last.position);
        all.into_iter()
            .for_each(|last| call(last.token, last.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_found_by_what_a_text_ends_with_in_their_order() {
        let sequences: [(&[u32], u8); 6] = [
            (&[2, 3], 1),
            (&[9], 2),
            (&[1, 2, 4], 3),
            (&[3, 2, 4], 4),
            (&[9], 5),
            (&[2, 3, 1], 6),
        ];
        let endings = Endings::new(sequences);
        let found = |tokens: &[u32]| {
            let mut found = Vec::new();
            endings.for_each(tokens, |token, value| found.push((token, value)));
            found
        };
        assert_eq!(found(&[1, 2]), [(3, 1), (4, 3), (9, 5)]);
        assert_eq!(found(&[2]), [(3, 1), (9, 5)]);
        assert_eq!(found(&[]), [(9, 5)]);
        assert_eq!(found(&[2, 3]), [(9, 5), (1, 6)]);
    }
}
