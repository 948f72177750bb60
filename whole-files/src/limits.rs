//! The largest files of each kind that are read whole, in bytes.
//!
//! Each is several times the largest file that is known to be published, so that only a mistake or an attack meets it.

/// Configurations, indices of shards and other small JSON files: 16 MiB. The index of a model of 100,000 tensors has
/// about 10 MB.
pub const JSON: u64 = 16 << 20;

/// Vocabularies (`tokenizer.json`, `sentencepiece.bpe.model`, `vocab.json`, `merges.txt`): 64 MiB. The largest
/// that is common, of 256,000 pieces, has about 35 MB.
pub const VOCABULARY: u64 = 64 << 20;

/// Pictures: 512 MiB. An uncompressed picture of 8 bits a channel has that size at 178 million pixels.
pub const PICTURE: u64 = 512 << 20;

/// Texts that a user names, such as a list of words: 64 MiB.
pub const TEXT: u64 = 64 << 20;

/// Files of one line, such as an access token or the commit of a branch: 4 KiB.
pub const LINE: u64 = 4 << 10;
