use tokenizers::models::unigram::Unigram;

use crate::Error;

/// Length in bytes of the longest piece that is accepted. Real pieces have some dozens at most. The model is a trie with
/// one level per byte that is freed recursively, so a piece of megabytes in a damaged file would overflow the stack.
const MAX_PIECE_BYTES: usize = 1024;

/// The unigram model of these pieces and scores, which are in the order of their ids.
pub(super) fn unigram(
    pieces: Vec<(String, f64)>,
    unknown: usize,
    byte_fallback: bool,
) -> Result<Unigram, Error> {
    if pieces.is_empty() {
        return Err(Error::tokenizer_file("pieces", "an empty vocabulary"));
    }
    for (id, (piece, score)) in pieces.iter().enumerate() {
        if piece.len() > MAX_PIECE_BYTES {
            return Err(Error::tokenizer_file(
                format!("pieces of at most {MAX_PIECE_BYTES} bytes"),
                format!("{} bytes at id {id}", piece.len()),
            ));
        }
        // The search for the best path compares scores, which NaN makes impossible.
        if !score.is_finite() {
            return Err(Error::tokenizer_file(
                "finite scores",
                format!("{score} for the piece {piece:?} at id {id}"),
            ));
        }
    }
    Unigram::from(pieces, Some(unknown), byte_fallback)
        .map_err(|error| Error::tokenizer_file("a unigram vocabulary", error.to_string()))
}
