use std::fmt;

use super::decoding::Decoding;
use super::{Tokenizer, cleanup};
use crate::Error;

/// The text of tokens that arrive one after the other, such as those of a caption while it is generated.
///
/// Each [`push`](Self::push) decodes only the new tokens. [`text`](Self::text) is always what
/// [`Tokenizer::decode`] gives for all tokens so far, except that a character of which only some bytes have arrived is
/// left out until it is complete (byte-level BPE, and vocabularies with byte pieces such as `<0xE2>`).
///
/// The text has two parts. [`settled`](Self::settled) only ever grows, so it can be printed at once.
/// [`pending`](Self::pending), after it, may still change: in a run of byte pieces, an invalid byte later on turns the
/// whole run into U+FFFD. mBART-50's own vocabulary has no byte pieces, so there all text is settled. If
/// `clean_up_tokenization_spaces` takes spaces out of texts, the last word may still change too.
///
/// ```
/// use preprocess::text::Tokenizer;
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
/// let tokenizer = Tokenizer::from_folder(folder)?;
/// let ids = tokenizer.encode("a dog on a beach", "en_XX", None)?;
///
/// let mut stream = tokenizer.text_stream(true);
/// let mut printed = String::new();
/// for id in ids {
///     printed += stream.push(&[id])?;
/// }
/// printed += stream.pending(); // nothing more is to come
/// assert_eq!(printed, "a dog on a beach");
/// # Ok::<(), preprocess::Error>(())
/// ```
///
/// In a beam search, push the tokens that all hypotheses have in common, and show the best hypothesis with
/// [`text_with`](Self::text_with), which leaves the stream as it is.
///
/// With a decoder that may look at any other token (unusual sequences in a `tokenizer.json`), nothing is ever settled and
/// each push decodes all tokens again.
#[derive(Clone)]
pub struct TextStream<'t> {
    decoding: Decoding<'t>,
    skip_special_tokens: bool,
    cleans_up: bool,
    token_count: usize,
    /// The tokens after those whose text no later token changes.
    open: Vec<String>,
    /// The text before that of the open tokens which cleaning up may still change.
    held: String,
    /// The settled text, then the text of the open tokens.
    text: String,
    /// Length of the settled text in bytes.
    settled: usize,
}

/// What more tokens change in a stream.
struct Change {
    open: Vec<String>,
    held: String,
    settled: String,
    pending: String,
}

impl Tokenizer {
    /// Starts to decode tokens as they come, with or without the text of special tokens.
    pub fn text_stream(&self, skip_special_tokens: bool) -> TextStream<'_> {
        TextStream {
            decoding: Decoding::new(&self.inner),
            skip_special_tokens,
            cleans_up: self.cleans_up,
            token_count: 0,
            open: Vec::new(),
            held: String::new(),
            text: String::new(),
            settled: 0,
        }
    }
}

impl TextStream<'_> {
    /// Adds tokens, and returns the text that became settled: possibly none, possibly more than that of these tokens.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails; the stream is then unchanged.
    pub fn push(&mut self, ids: &[u32]) -> Result<&str, Error> {
        let change = self.change(ids)?;
        let before = self.settled;
        self.token_count += ids.len();
        self.open = change.open;
        self.held = change.held;
        self.text.truncate(before);
        self.text += &change.settled;
        self.settled = self.text.len();
        self.text += &change.pending;
        Ok(&self.text[before..self.settled])
    }

    /// The text of all tokens so far followed by others, without adding these.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails.
    pub fn text_with(&self, ids: &[u32]) -> Result<String, Error> {
        let change = self.change(ids)?;
        Ok([self.settled(), &change.settled, &change.pending].concat())
    }

    /// The text of all tokens so far: [`settled`](Self::settled), then [`pending`](Self::pending).
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that no later token changes: everything that [`push`](Self::push) has returned.
    pub fn settled(&self) -> &str {
        &self.text[..self.settled]
    }

    /// The text after the settled one, which later tokens may change.
    pub fn pending(&self) -> &str {
        &self.text[self.settled..]
    }

    /// Number of tokens that were added, including those without a text.
    pub fn token_count(&self) -> usize {
        self.token_count
    }

    fn change(&self, ids: &[u32]) -> Result<Change, Error> {
        let mut open = self.open.clone();
        let tokens = ids.iter().filter_map(|id| self.decoding.token(*id));
        open.extend(
            tokens.filter(|token| !self.skip_special_tokens || !self.decoding.is_special(token)),
        );

        let settling = self.decoding.settled(&open);
        let mut begins = self.settled == 0 && self.held.is_empty();
        let settled = self.decode(&open[..settling], begins)?;
        // Decoders strip spaces from the beginning, which lasts until there is some text.
        begins &= settled.is_empty();
        if !begins {
            open.drain(..settling);
        }
        let complete = self.decoding.complete(&open);
        let pending = self.decode(&open[..complete], begins)?;
        let pending = self.decoding.without_incomplete(&open, pending);
        Ok(match self.cleans_up {
            true => self.cleaned(open, settled, &pending),
            false => Change {
                open,
                held: String::new(),
                settled,
                pending,
            },
        })
    }

    /// The change with spaces taken out of the texts.
    fn cleaned(&self, open: Vec<String>, settled: String, pending: &str) -> Change {
        let mut settled = self.held.clone() + &settled;
        let held = settled.split_off(cleanup::settled(&settled));
        Change {
            open,
            settled: cleanup::clean_up(&settled),
            pending: cleanup::clean_up(&[&held, pending].concat()),
            held,
        }
    }

    fn decode(&self, tokens: &[String], begins: bool) -> Result<String, Error> {
        match begins {
            true => self.decoding.first(tokens),
            false => self.decoding.later(tokens),
        }
    }
}

impl fmt::Debug for TextStream<'_> {
    /// Leaves out the tokenizer, which would fill pages.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TextStream")
            .field("token_count", &self.token_count)
            .field("settled", &self.settled())
            .field("pending", &self.pending())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_can_move_to_another_thread() {
        fn movable<T: Send + Sync>() {}
        movable::<TextStream>();
    }
}
