use std::ops::Range;

/// Texts of one length that are worth a batch of their own: attention to texts without padding has faster kernels.
const ENOUGH: usize = 8;

/// Puts texts of similar lengths together. Returns the indices of the texts by length, and the parts of them that are
/// batches: as many texts as have at most `tokens` tokens together, padding included, but at least one.
pub(crate) fn batches(lengths: &[usize], tokens: usize) -> (Vec<usize>, Vec<Range<usize>>) {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Stable, so that texts of one length stay in their order.
    order.sort_by_key(|index| lengths[*index]);
    let mut batches: Vec<Range<usize>> = Vec::new();
    for (place, index) in order.iter().enumerate() {
        let length = lengths[*index];
        match batches.last_mut() {
            Some(batch) if fits(batch, &order, lengths, length, tokens) => batch.end = place + 1,
            _ => batches.push(place..place + 1),
        }
    }
    (order, batches)
}

/// Whether a batch takes one more text of this length, which is no shorter than the others.
fn fits(
    batch: &Range<usize>,
    order: &[usize],
    lengths: &[usize],
    length: usize,
    tokens: usize,
) -> bool {
    let shortest = lengths[order[batch.start]];
    let longest = lengths[order[batch.end - 1]];
    let is_pure = shortest == longest && batch.len() >= ENOUGH;
    (batch.len() + 1).saturating_mul(length) <= tokens && !(is_pure && length > longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_lengths_stand_together_within_the_budget() {
        let (order, parts) = batches(&[5, 1, 9, 5, 2], 10);
        assert_eq!(order, [1, 4, 0, 3, 2]);
        assert_eq!(parts, [0..2, 2..4, 4..5]);
    }

    #[test]
    fn a_text_beyond_the_budget_is_a_batch_of_its_own() {
        let (_, parts) = batches(&[100, 100], 10);
        assert_eq!(parts, [0..1, 1..2]);
        assert_eq!(batches(&[], 10), (vec![], vec![]));
    }

    #[test]
    fn many_texts_of_one_length_are_not_padded() {
        let lengths = [vec![4; ENOUGH], vec![5; 3]].concat();
        let (_, parts) = batches(&lengths, 1000);
        assert_eq!(parts, [0..ENOUGH, ENOUGH..ENOUGH + 3]);
    }
}
