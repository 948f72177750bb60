/// Where the keys and values of each row's tokens stand in the cache.
///
/// A token's keys and values are written into the slot of the row that they are computed for, and stay
/// there. When rows change places, as those of a beam search do at every step, only these numbers
/// are moved: a few hundred, instead of all that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    /// Of each row the slots of its tokens, one row after the other: `[rows, length]`. Nothing if
    /// every row has its own.
    table: Option<Vec<u32>>,
}

impl Slots {
    /// `[rows, length]`, if some token is not in its row's own slot.
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

    /// Row `i` goes on from what was row `parents[i]` of `rows` rows, with `length` tokens each.
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
