use std::ops::Range;

/// Texts of one length that are worth a batch of their own: attention to texts without padding has faster kernels.
const ENOUGH: usize = 8;

/// Most bytes of the logits of a step of the search, unless those of one text are more.
const LOGITS_BYTES: usize = 256 << 20;

/// Most texts of a batch, so that the logits of a step of the search stay within bounds: each text has a row for each
/// beam, however short it is.
pub(crate) fn most_texts(num_beams: usize, vocab_size: usize) -> usize {
    let text_bytes = num_beams
        .saturating_mul(vocab_size)
        .saturating_mul(size_of::<f32>());
    (LOGITS_BYTES / text_bytes.max(1)).max(1)
}

/// Puts texts of similar lengths together. Returns the indices of the texts by length, and the parts of them that are
/// batches: at most `texts` texts, which have at most `tokens` tokens together, padding included, but at least one text.
pub(crate) fn batches(
    lengths: &[usize],
    tokens: usize,
    texts: usize,
) -> (Vec<usize>, Vec<Range<usize>>) {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Stable, so that texts of one length stay in their order.
    order.sort_by_key(|index| lengths[*index]);
    let mut batches: Vec<Range<usize>> = Vec::new();
    for (place, index) in order.iter().enumerate() {
        let length = lengths[*index];
        match batches.last_mut() {
            Some(batch) if batch.len() < texts && fits(batch, &order, lengths, length, tokens) => {
                batch.end = place + 1;
            }
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
        let (order, parts) = batches(&[5, 1, 9, 5, 2], 10, 100);
        assert_eq!(order, [1, 4, 0, 3, 2]);
        assert_eq!(parts, [0..2, 2..4, 4..5]);
    }

    #[test]
    fn a_text_beyond_the_budget_is_a_batch_of_its_own() {
        let (_, parts) = batches(&[100, 100], 10, 100);
        assert_eq!(parts, [0..1, 1..2]);
        assert_eq!(batches(&[], 10, 100), (vec![], vec![]));
    }

    #[test]
    fn short_texts_are_limited_by_the_rows_of_the_search() {
        let (_, parts) = batches(&[2; 5], 1000, 2);
        assert_eq!(parts, [0..2, 2..4, 4..5]);
        let most = most_texts(6, 58_101);
        assert!(
            most * 6 * 58_101 * 4 <= LOGITS_BYTES && most > 100,
            "{most}"
        );
        assert_eq!(most_texts(usize::MAX, 2), 1);
        assert!(most_texts(0, 0) > 0);
    }

    #[test]
    fn many_texts_of_one_length_are_not_padded() {
        let lengths = [vec![4; ENOUGH], vec![5; 3]].concat();
        let (_, parts) = batches(&lengths, 1000, 100);
        assert_eq!(parts, [0..ENOUGH, ENOUGH..ENOUGH + 3]);
    }
}
