/// Where the keys and values of each row's tokens are in the cache.
///
/// A token's keys and values are written into the slot of the row that computes them, and stay there.
/// When rows are reordered, as in every step of a beam search, only this table of a few hundred indices
/// changes, not the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    /// The slot of each token of each row, `[rows, length]`; `None` if every row uses its own slot.
    table: Option<Vec<u32>>,
}

impl Slots {
    /// `[rows, length]`; `None` if all tokens are in their rows' own slots.
    pub(crate) fn table(&self) -> Option<&[u32]> {
        self.table.as_deref()
    }

    /// Appends `new` tokens to each of `rows` rows, in their own slots.
    pub(crate) fn append(&mut self, rows: usize, new: usize) {
        if let Some(table) = &mut self.table {
            let length = table.len() / rows;
            let mut longer = Vec::with_capacity(rows * (length + new));
            for (row, slots) in table.chunks(length).enumerate() {
                longer.extend_from_slice(slots);
                longer.extend(std::iter::repeat_n(row as u32, new));
            }
            *table = longer;
        }
    }

    /// Row `i` continues what was row `parents[i]`; every row has `length` tokens.
    pub(crate) fn select_rows(&mut self, parents: &[usize], length: usize) {
        let table = self.table.take();
        let is_own = table.is_none() && parents.iter().enumerate().all(|(row, p)| row == *p);
        if is_own || length == 0 {
            return;
        }
        let selected = parents.iter().flat_map(|parent| match &table {
            Some(table) => table[parent * length..(parent + 1) * length].to_vec(),
            None => vec![*parent as u32; length],
        });
        self.table = Some(selected.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_where_they_were_written() {
        let mut slots = Slots::default();
        slots.append(3, 2);
        slots.select_rows(&[0, 1, 2], 2);
        assert_eq!(slots.table(), None);
        slots.select_rows(&[2, 2, 0], 2);
        assert_eq!(slots.table(), Some(&[2, 2, 2, 2, 0, 0][..]));
        slots.append(3, 1);
        slots.select_rows(&[1, 0], 3);
        assert_eq!(slots.table(), Some(&[2, 2, 1, 2, 2, 0][..]));
        slots.append(2, 1);
        assert_eq!(slots.table(), Some(&[2, 2, 1, 0, 2, 2, 0, 1][..]));
    }
}
