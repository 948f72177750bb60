use std::collections::HashSet;
use std::ops::Range;

use super::normalizer::{Normalizer, SPACE};
use crate::Error;
use crate::text::limits;
use crate::text::quoted::quoted;
use crate::text::sentencepiece::{BYTE, CONTROL, Model, NORMAL, Piece, UNUSED, USER_DEFINED};

/// A SentencePiece file: texts to pieces and back.
///
/// It finds the most probable pieces itself, since the `tokenizers` crate adds scores in double precision: where
/// two paths are nearly equal, only single precision finds the one that SentencePiece does.
///
/// Reference: Kudo, "Subword Regularization: Improving Neural Network Translation Models with Multiple Subword
/// Candidates", 2018.
#[derive(Clone, Debug)]
pub(super) struct SentencePieces {
    normalizer: Normalizer,
    /// The pieces that texts are split into, in alphabetical order, with their scores.
    pieces: Vec<(Box<str>, Score)>,
    /// Pieces that are not text, such as `</s>`.
    control: HashSet<Box<str>>,
    unknown_score: f32,
}

/// How much a piece adds to the score of a path.
#[derive(Clone, Copy, Debug)]
enum Score {
    Normal(f32),
    /// Of pieces that are always taken: for each byte.
    UserDefined(f32),
}

/// What a path loses for each character without a piece, below the score of the least probable piece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// What decoding gives for the piece of unknown characters.
const UNKNOWN_TEXT: &str = " ⁇ ";

/// The best path to a place in a text.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    start: usize,
    is_unknown: bool,
}

impl SentencePieces {
    /// Reads the bytes of a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let model = Model::read(bytes)?;
        model.check_unigram()?;
        let normal = |piece: &&Piece<'_>| matches!(piece.kind, None | Some(NORMAL));
        let scores = || model.pieces.iter().filter(normal).map(|piece| piece.score);
        let least = scores().fold(f32::MAX, f32::min);
        // SentencePiece begins with the smallest positive number.
        let greatest = scores().fold(f32::MIN_POSITIVE, f32::max);
        let mut pieces = Vec::with_capacity(model.pieces.len());
        let mut control = HashSet::new();
        for piece in &model.pieces {
            check(piece)?;
            let text: Box<str> = piece.text.into();
            match piece.kind.unwrap_or(NORMAL) {
                NORMAL => pieces.push((text, Score::Normal(piece.score))),
                USER_DEFINED => pieces.push((text, Score::UserDefined(greatest))),
                CONTROL => {
                    control.insert(text);
                }
                UNUSED => {}
                // That of unknown characters.
                _ => {}
            }
        }
        pieces.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(pair) = pieces.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::tokenizer_file(
                "pieces that are all different",
                format!("{} twice", quoted(&pair[0].0)),
            ));
        }
        Ok(Self {
            normalizer: Normalizer::new(&model)?,
            pieces,
            control,
            unknown_score: least - UNKNOWN_PENALTY,
        })
    }

    /// Calls a function with each piece of a text. Characters without a piece that stand together are one.
    pub(super) fn encode(&self, text: &str, mut each: impl FnMut(&str)) {
        let text = self.normalizer.normalize(text);
        for piece in self.split(&text) {
            each(&text[piece]);
        }
    }

    /// The most probable pieces of a normalised text.
    fn split(&self, text: &str) -> Vec<Range<usize>> {
        let mut best: Vec<Option<Best>> = vec![None; text.len() + 1];
        for (start, first) in text.char_indices() {
            let so_far = best[start].map_or(0.0, |best| best.score);
            let mut has_first = false;
            for (length, score) in self.beginnings(&text[start..]) {
                has_first |= length == first.len_utf8();
                // In SentencePiece, this sum is in double precision and then rounded.
                let score = match score {
                    Score::Normal(score) => f64::from(score),
                    Score::UserDefined(greatest) => f64::from(length as f32 * greatest) - 0.1,
                };
                let end = &mut best[start + length];
                let score = score + f64::from(so_far);
                if end.is_none_or(|end| score > f64::from(end.score)) {
                    *end = Some(Best {
                        score: score as f32,
                        start,
                        is_unknown: false,
                    });
                }
            }
            if !has_first {
                let end = &mut best[start + first.len_utf8()];
                let score = self.unknown_score + so_far;
                if end.is_none_or(|end| score > end.score) {
                    *end = Some(Best {
                        score,
                        start,
                        is_unknown: true,
                    });
                }
            }
        }
        let mut pieces: Vec<Range<usize>> = Vec::new();
        let mut end = text.len();
        let mut after_unknown = false;
        while let Some(Best {
            start, is_unknown, ..
        }) = best[end]
        {
            match pieces.last_mut() {
                Some(last) if is_unknown && after_unknown => last.start = start,
                _ => pieces.push(start..end),
            }
            after_unknown = is_unknown;
            end = start;
        }
        pieces.reverse();
        pieces
    }

    /// The lengths and scores of the pieces that a text begins with, the shortest first.
    fn beginnings<'s>(&'s self, text: &'s str) -> impl Iterator<Item = (usize, Score)> + 's {
        // The pieces that begin like the text. The shortest of them comes first.
        let mut range = &self.pieces[..];
        let beginnings = text.bytes().enumerate().map_while(move |(index, byte)| {
            let at = |piece: &(Box<str>, Score)| piece.0.as_bytes().get(index).copied();
            let first = range.partition_point(|piece| at(piece) < Some(byte));
            let count = range[first..].partition_point(|piece| at(piece) == Some(byte));
            range = &range[first..first + count];
            let (piece, score) = range.first()?;
            Some((piece.len() == index + 1).then_some((index + 1, *score)))
        });
        beginnings.flatten()
    }

    /// The text of pieces.
    pub(super) fn decode(&self, pieces: &[&str]) -> String {
        let whitespace = self.normalizer.whitespace;
        let strips = whitespace.add_dummy_prefix || whitespace.remove_extra;
        let mut text = String::new();
        let mut was_stripped = false;
        for piece in pieces {
            if self.control.contains(*piece) {
                continue;
            }
            // Pieces of another vocabulary are kept as they are.
            if self.position(piece).is_none() {
                text += if *piece == "<unk>" {
                    UNKNOWN_TEXT
                } else {
                    piece
                };
                continue;
            }
            let at_start = text.is_empty() && !was_stripped;
            let stripped = piece.strip_prefix(SPACE).filter(|_| at_start && strips);
            was_stripped = stripped.is_some() && !whitespace.remove_extra;
            text.extend(
                stripped
                    .unwrap_or(piece)
                    .chars()
                    .map(|one| if one == SPACE { ' ' } else { one }),
            );
        }
        text
    }

    fn position(&self, piece: &str) -> Option<usize> {
        self.pieces
            .binary_search_by(|(text, _)| (**text).cmp(piece))
            .ok()
    }
}

/// Checks what the search relies on.
fn check(piece: &Piece<'_>) -> Result<(), Error> {
    let Piece { text, score, kind } = piece;
    if text.is_empty() || text.len() > limits::PIECE_BYTES {
        return Err(Error::tokenizer_file(
            format!("pieces of 1 to {} bytes", limits::PIECE_BYTES),
            format!("one of {}", text.len()),
        ));
    }
    if !score.is_finite() {
        return Err(Error::tokenizer_file(
            "finite scores",
            format!("{score} for the piece {}", quoted(text)),
        ));
    }
    if kind.is_some_and(|kind| kind == BYTE) {
        return Err(Error::tokenizer_file(
            "a vocabulary without byte pieces, as Marian's are",
            format!("the byte piece {}", quoted(text)),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a protocol buffer.
    fn field(number: u8, kind: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | kind];
        if kind == 2 {
            field.push(u8::try_from(bytes.len()).unwrap());
        }
        field.extend(bytes);
        field
    }

    fn model(pieces: &[(&str, f32, i32)], normalizer: &[u8]) -> Result<SentencePieces, Error> {
        let pieces = pieces.iter().flat_map(|(text, score, kind)| {
            let mut piece = field(1, 2, text.as_bytes());
            piece.extend(field(2, 5, &score.to_le_bytes()));
            piece.extend(field(3, 0, &[u8::try_from(*kind).unwrap()]));
            field(1, 2, &piece)
        });
        let mut bytes: Vec<u8> = pieces.collect();
        bytes.extend(field(3, 2, normalizer));
        SentencePieces::read(&bytes)
    }

    const PIECES: [(&str, f32, i32); 9] = [
        ("<unk>", 0.0, 2),
        ("</s>", 0.0, CONTROL),
        ("▁", -3.0, NORMAL),
        ("▁a", -2.0, NORMAL),
        ("b", -4.0, NORMAL),
        ("ab", -1.0, NORMAL),
        ("a", -4.0, NORMAL),
        ("▁ab", -9.0, UNUSED),
        ("[xy]", 0.0, USER_DEFINED),
    ];

    fn pieces(model: &SentencePieces, text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        model.encode(text, |piece| pieces.push(piece.to_owned()));
        pieces
    }

    #[test]
    fn the_most_probable_pieces_are_found_and_unknown_characters_stand_together() {
        let model = model(&PIECES, &[]).unwrap();
        for (text, expected) in [
            ("", &[][..]),
            ("  ", &[]),
            ("ab", &["▁", "ab"]),
            (" a  b ", &["▁a", "▁", "b"]),
            ("aqüb", &["▁a", "qü", "b"]),
            ("</s>", &["▁", "</s>"]),
            ("b[xy]b", &["▁", "b", "[xy]", "b"]),
        ] {
            assert_eq!(pieces(&model, text), expected, "{text:?}");
        }
    }

    #[test]
    fn white_space_is_kept_if_the_file_says_so() {
        // Neither a dummy prefix nor removed spaces.
        let model = model(&PIECES, &[3 << 3, 0, 4 << 3, 0]).unwrap();
        assert_eq!(pieces(&model, " a b"), ["▁a", "▁", "b"]);
        assert_eq!(pieces(&model, "ab "), ["ab", "▁"]);
    }

    #[test]
    fn pieces_of_texts_and_of_other_vocabularies_decode() {
        let model = model(&PIECES, &[]).unwrap();
        for (pieces, expected) in [
            (&["▁a", "▁", "b"][..], "a b"),
            (&["</s>", "▁", "▁a"], "a"),
            (&["▁foreign", "▁a"], "▁foreign a"),
        ] {
            assert_eq!(model.decode(pieces), expected);
        }
    }

    #[test]
    fn damaged_vocabularies_are_refused() {
        for (piece, message) in [
            (("", 0.0, NORMAL), "1 to 256 bytes"),
            (("x", f32::NAN, NORMAL), "finite scores"),
            (("<0x41>", 0.0, BYTE), "byte piece"),
            (("ab", 0.0, NORMAL), "twice"),
        ] {
            let error = model(&[&PIECES[..], &[piece]].concat(), &[]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
