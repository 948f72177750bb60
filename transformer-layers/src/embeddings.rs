//! What the embeddings of decoders share: tokens, and the positions of rows that began at different times.

use burn::tensor::{Bool, Int, Tensor, s};
use packed_linear::PackedEmbedding;

/// Looks tokens up. In training, the embedding of the padding token gets no gradient, as in PyTorch's `Embedding` with
/// a `padding_idx`.
///
/// # Shapes
/// - table: `[vocabulary, width]`
/// - tokens: `[rows, new]`
/// - output: `[rows, new, width]`
///
/// # Panics
/// If a token is negative or not in the table.
pub fn embed_tokens(
    table: &PackedEmbedding,
    tokens: Tensor<2, Int>,
    padding: Option<usize>,
) -> Tensor<3> {
    let embedded = table.forward(tokens.clone());
    match padding {
        Some(padding) => without_gradient(embedded, tokens.equal_elem(padding as i64)),
        None => embedded,
    }
}

/// The same values, which get no gradient at some places, `[rows, new]`.
pub fn without_gradient(embedded: Tensor<3>, places: Tensor<2, Bool>) -> Tensor<3> {
    if !embedded.device().is_autodiff() {
        return embedded;
    }
    let places = places.unsqueeze_dim::<3>(2).expand(embedded.dims());
    let constant = embedded.clone().detach();
    embedded.mask_where(places, constant)
}

/// The rows of a table of positions for `new` tokens of every row. `cohorts` are, in the order of the rows, numbers of
/// rows that begin at the same position, and that position; see [`DecoderState::cohorts`]. The first `offset` rows of the
/// table are those of no position.
///
/// # Shapes
/// - table: `[offset + longest, width]`
/// - output: `[rows, new, width]`; for one cohort `[1, new, width]`
///
/// # Panics
/// If a position is beyond the table.
///
/// [`DecoderState::cohorts`]: crate::DecoderState::cohorts
pub fn embed_positions(
    table: &Tensor<2>,
    offset: usize,
    cohorts: impl Iterator<Item = (usize, usize)>,
    new: usize,
) -> Tensor<3> {
    let longest = table.dims()[0] - offset;
    let of_cohort = |start: usize| -> Tensor<3> {
        check_length(start + new, longest);
        let first = start + offset;
        table.clone().slice(s![first..first + new, ..]).unsqueeze()
    };
    positions_of_cohorts(cohorts, of_cohort)
}

/// The positions of every row, from those of rows that begin at the same position, which `of_cohort` computes,
/// `[1, new, width]`. `cohorts` are those of [`embed_positions`].
///
/// # Shapes
/// - output: `[rows, new, width]`; for one cohort `[1, new, width]`
pub fn positions_of_cohorts(
    cohorts: impl Iterator<Item = (usize, usize)>,
    of_cohort: impl Fn(usize) -> Tensor<3>,
) -> Tensor<3> {
    let mut positions: Vec<_> = cohorts
        .map(|(rows, start)| (rows, of_cohort(start)))
        .collect();
    match positions.len() {
        1 => positions.swap_remove(0).1,
        _ => {
            let of_rows = |(rows, of_row): (usize, Tensor<3>)| of_row.repeat_dim(0, rows);
            Tensor::cat(positions.into_iter().map(of_rows).collect(), 0)
        }
    }
}

/// Positions that leave padding tokens out: those are at the position `padding`, the others are counted from
/// `padding + 1`. `cohorts` are those of [`embed_positions`]. Tokens of earlier calls count in any case.
///
/// Hugging Face: `create_position_ids_from_input_ids`, after fairseq's `make_positions`.
///
/// # Shapes
/// - tokens, output: `[rows, new]`
///
/// # Panics
/// If a row becomes longer than `longest`.
pub fn positions_beside_padding(
    tokens: Tensor<2, Int>,
    padding: usize,
    cohorts: impl Iterator<Item = (usize, usize)>,
    longest: usize,
) -> Tensor<2, Int> {
    let [_, new] = tokens.dims();
    let device = tokens.device();
    let starts = cohorts.flat_map(|(rows, start)| {
        check_length(start + new, longest);
        std::iter::repeat_n(start as i64, rows)
    });
    let starts: Vec<i64> = starts.collect();
    let starts = Tensor::<1, Int>::from_data(starts.as_slice(), &device).unsqueeze_dim::<2>(1);
    let counts = tokens.not_equal_elem(padding as i64).int(); // 0 for padding
    let numbers = counts.clone().cumsum(1) + starts;
    numbers * counts + padding as i64
}

fn check_length(length: usize, longest: usize) {
    assert!(
        length <= longest,
        "{length} tokens exceed the {longest} positions of the decoder"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn padding_has_a_position_of_its_own_and_is_not_counted() {
        let device = Device::flex();
        let tokens = Tensor::<2, Int>::from_data([[5, 1, 6, 7], [1, 5, 6, 1]], &device);
        let cohorts = [(1, 0), (1, 10)];
        let positions = positions_beside_padding(tokens, 1, cohorts.into_iter(), 20);
        let positions: Vec<i64> = positions.try_into_vec_as().unwrap();
        assert_eq!(positions, [2, 1, 3, 4, 1, 12, 13, 1]);
    }
}
