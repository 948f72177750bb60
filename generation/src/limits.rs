//! The largest numbers and lists that options may ask for.
//!
//! Options come from files and users, so a mistyped or hostile number must neither exhaust the memory nor keep a
//! search busy for hours. Each limit is far above what a search for texts is good for; above it, an option is refused
//! by name before any work.

/// The most beams, samples or alternatives of a prompt: 1,024.
pub const ROWS: usize = 1024;

/// The most scores of a step of one prompt, its rows times the tokens of the vocabulary: 2^28, 1 GiB. The 1,024 rows
/// of a vocabulary of 250,000 tokens are below it.
pub const SCORES: usize = 1 << 28;

/// The most continuations that a beam search compares at a step, `num_beams` times one more than the end tokens: 2^17.
pub const CONTINUATIONS: usize = 1 << 17;

/// The most work that required phrases may make at each step, `num_beams` times the square of the number of their
/// alternatives: 2^16. So 4 beams may be asked for 128 alternatives, and 16 beams for 64.
pub const REQUIRED_WORK: usize = 1 << 16;

/// The most required and forbidden phrases of a prompt, alternatives counted: 1,024. Each is looked for in the whole
/// vocabulary. `bad_words_ids` are sequences of tokens and have no such limit.
pub const PHRASES: usize = 1024;

/// The most stop strings: 1,024. Each is looked for after each token.
pub const STOP_STRINGS: usize = 1024;
