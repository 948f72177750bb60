//! The largest vocabularies and tables that are read.
//!
//! The `tokenizers` crate needs up to some hundred bytes of memory for each byte of a vocabulary, and follows a
//! normalisation table byte by byte. These limits keep time and memory in proportion to the file, with numbers that are
//! several times those of the largest published tokenizers.

/// Pieces of a vocabulary, and tokens that a file adds to one. The largest published vocabulary of this kind has
/// 256,000.
pub(super) const PIECES: usize = 1 << 20;

/// Bytes of a piece or an added token. The longest of mBART-50 has 48. The model is a trie with one level for each byte,
/// which is followed from each character of a text and freed recursively.
pub(super) const PIECE_BYTES: usize = 256;

/// Nodes of the trie of all pieces, each of which takes about 350 bytes: so many for each piece, and some more for
/// small vocabularies. mBART-50 has three for each of its 250,000 pieces.
pub(super) const NODES_PER_PIECE: usize = 16;
pub(super) const MORE_NODES: usize = 4096;
pub(super) const NODES: usize = 4 << 20;

/// Bytes of all the pieces that one text begins with: `a`, `an` and `and` are six for "and". Each character of a text
/// is compared with so many. mBART-50 has at most 156.
pub(super) const NESTED_BYTES: usize = 4 << 10;

/// Bytes of all added tokens together, as they are looked for in a text.
pub(super) const ADDED_BYTES: usize = 4 << 20;

/// Special tokens of a Marian tokenizer, each of which is compared with each character of a text. Published ones have
/// three.
pub(super) const SPECIAL_TOKENS: usize = 256;

/// By how much normalisation may make the added tokens longer: this factor, and some more bytes.
pub(super) const ADDED_GROWTH: usize = 4;
pub(super) const ADDED_MORE_BYTES: usize = 64 << 10;

/// Bytes of a normalisation table. SentencePiece's largest has 320,000.
pub(super) const TABLE_BYTES: usize = 4 << 20;

/// Bytes that the normalisation table replaces at once. The longest of Unicode's decompositions are below 20.
pub(super) const KEY_BYTES: usize = 64;

/// Bytes of a replacement in the table for each byte that it replaces. Unicode's longest is 11, for U+FDFA.
pub(super) const REPLACEMENT_GROWTH: usize = 16;

/// Bytes of the JSON of a normaliser, pre-tokenizer or decoder, which may hold a normalisation table in base64.
pub(super) const STEP_BYTES: usize = TABLE_BYTES / 3 * 4 + (64 << 10);

/// Steps of a normaliser, pre-tokenizer or decoder. Published ones have four.
pub(super) const STEPS: usize = 16;

/// Characters of a text that a step replaces or strips. Published steps have one.
pub(super) const STEP_CHARACTERS: usize = 64;

/// Characters of a word that WordPiece splits, in most files, and in any file: longer words are unknown. The time of a word
/// grows with the square of its length.
pub(super) const WORD_CHARACTERS: usize = 100;
pub(super) const MOST_WORD_CHARACTERS: usize = 256;

/// Bytes of the JSON of a post-processor, and pieces of a template in it. Published ones have some hundred bytes and six
/// pieces.
pub(super) const TEMPLATE_BYTES: usize = 64 << 10;
pub(super) const TEMPLATE_PIECES: usize = 16;
