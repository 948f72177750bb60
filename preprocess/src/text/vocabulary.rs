use tokenizers::models::unigram::Unigram;

use super::limits;
use super::quoted::quoted;
use crate::Error;

/// The unigram model of these pieces and scores, which are in the order of their ids.
pub(super) fn unigram(
    pieces: Vec<(String, f64)>,
    unknown: usize,
    byte_fallback: bool,
) -> Result<Unigram, Error> {
    if pieces.is_empty() {
        return Err(Error::tokenizer_file("pieces", "an empty vocabulary"));
    }
    check_count(pieces.len())?;
    if unknown >= pieces.len() {
        return Err(Error::tokenizer_file(
            format!("an unk_id below the number of pieces, {}", pieces.len()),
            unknown.to_string(),
        ));
    }
    for (id, (piece, score)) in pieces.iter().enumerate() {
        if piece.len() > limits::PIECE_BYTES {
            return Err(Error::tokenizer_file(
                format!("pieces of at most {} bytes", limits::PIECE_BYTES),
                format!("{} bytes at id {id}", piece.len()),
            ));
        }
        // The search for the best path compares scores, which NaN makes impossible.
        if !score.is_finite() {
            return Err(Error::tokenizer_file(
                "finite scores",
                format!("{score} for the piece {} at id {id}", quoted(piece)),
            ));
        }
    }
    check_trie(&pieces)?;
    Unigram::from(pieces, Some(unknown), byte_fallback)
        .map_err(|error| Error::tokenizer_file("a unigram vocabulary", error.to_string()))
}

/// Checks the number of pieces.
pub(super) fn check_count(count: usize) -> Result<(), Error> {
    match count > limits::PIECES {
        true => Err(Error::tokenizer_file(
            format!("a vocabulary of at most {} pieces", limits::PIECES),
            "more",
        )),
        false => Ok(()),
    }
}

/// Checks how large the trie of the pieces becomes, and how many of its pieces one text can begin with.
fn check_trie(pieces: &[(String, f64)]) -> Result<(), Error> {
    let mut sorted: Vec<&str> = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
    sorted.sort_unstable();
    let (mut nodes, mut nested_bytes) = (0, 0);
    // The pieces that the current one begins with, the shortest first.
    let mut nested: Vec<&str> = Vec::new();
    let mut previous = "";
    for piece in sorted {
        nodes += piece.len() - common(previous, piece);
        while let Some(last) = nested.pop_if(|last| !piece.starts_with(*last)) {
            nested_bytes -= last.len();
        }
        nested.push(piece);
        nested_bytes += piece.len();
        if nested_bytes > limits::NESTED_BYTES {
            return Err(Error::tokenizer_file(
                format!(
                    "at most {} bytes of pieces that one piece begins with",
                    limits::NESTED_BYTES
                ),
                format!("more in {}", quoted(piece)),
            ));
        }
        previous = piece;
    }
    let limit = limits::NODES.min(pieces.len() * limits::NODES_PER_PIECE + limits::MORE_NODES);
    match nodes > limit {
        true => Err(Error::tokenizer_file(
            format!(
                "{} pieces with at most {limit} different beginnings, as trained vocabularies have",
                pieces.len()
            ),
            format!("{nodes} beginnings"),
        )),
        false => Ok(()),
    }
}

/// Number of bytes that both begin with.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(one, other)| one == other).count()
}
