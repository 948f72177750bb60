//! The largest files of each kind that are read whole, in bytes, and the largest numbers of what they hold.
//!
//! Each is several times the largest file that is known to be published, so that only a mistake or an attack meets it.

/// Configurations, indices of shards and other small JSON files: 16 MiB. The index of a model of 100,000 tensors has
/// about 10 MB.
pub const JSON: u64 = 16 << 20;

/// The configuration of a model (`config.json`): 4 MiB. The largest that is published, with the names of 21,000 classes
/// twice, has about 2 MB.
pub const CONFIGURATION: u64 = 4 << 20;

/// Vocabularies (`tokenizer.json`, `sentencepiece.bpe.model`, `vocab.json`, `merges.txt`): 64 MiB. The largest
/// that is common, of 256,000 pieces, has about 35 MB.
pub const VOCABULARY: u64 = 64 << 20;

/// Options of preprocessing: 256 KiB. Those that are published have some 2 KB.
pub const PREPROCESSING: u64 = 256 << 10;

/// Pictures: 512 MiB. An uncompressed picture of 8 bits a channel has that size at 178 million pixels.
pub const PICTURE: u64 = 512 << 20;

/// Texts that a user names, such as a list of words: 64 MiB.
pub const TEXT: u64 = 64 << 20;

/// Files of one line, such as an access token or the commit of a branch: 4 KiB.
pub const LINE: u64 = 4 << 10;

/// Tensors of a checkpoint: 100,000. The largest that are published, mixtures of experts, have some 90,000.
pub const TENSORS: usize = 100_000;

/// The names of all tensors of a checkpoint: 16 MiB, as much as an index of shards may have.
pub const TENSOR_NAMES: usize = 16 << 20;

/// Dimensions of a tensor: 64, as in NumPy and PyTorch.
pub const DIMENSIONS: usize = 64;

/// Files that the weights of a checkpoint are distributed over: 10,000.
pub const SHARDS: usize = 10_000;

/// The description of the tensors in a PyTorch file, without their values: 16 MiB.
pub const PICKLE: u64 = 16 << 20;

/// The text of one value in a configuration of a model: 64 KiB. The longest are lists of a few numbers.
pub const CONFIGURATION_VALUE: usize = 64 << 10;
