//! Image-text data sets: images with captions in one or several languages.
//!
//! ```
//! use datasets::{Dataset, Entry, Options};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("captions.tsv");
//! let table = "image_file\tcaption\turl\tlang_id\n\
//!              dog.jpg\ta dog\thttps://example.org/1\ten\n\
//!              dog.jpg\tun perro\thttps://example.org/1\tes\n\
//!              cat.jpg\ta cat\thttps://example.org/2\ten\n";
//! std::fs::write(&path, table)?;
//!
//! let dataset = Dataset::open(&path, &Options::default())?;
//! let mut captions = Vec::new();
//! for entry in dataset.examples() {
//!     match entry? {
//!         Entry::Example(example) => captions.push(example.captions.len()),
//!         Entry::Skipped(skipped) => eprintln!("{skipped}"),
//!     }
//! }
//! assert_eq!(captions, [2, 1]); // consecutive rows of one image are one example
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augment;
mod dataset;
mod error;
mod example;
mod files;
mod index;
mod indexed;
mod loader;
mod options;
mod order;
#[cfg(feature = "parquet")]
mod parquet;
mod positioned;
mod shard;
mod skipped;
mod source;
mod table;

pub use augment::{Augmentations, ColorJitter, GaussianBlur, RandomAffine, RandomResizedCrop};
pub use dataset::{Dataset, Entry, Examples};
pub use error::Error;
pub use example::{Caption, Example, ImageSource, Origin};
pub use indexed::IndexedDataset;
pub use loader::{Batch, BatchCaption, Batches, CaptionChoice, Loader, LoaderConfig, Position};
pub use options::{Columns, Format, Options, Quoting};
pub use order::Shuffle;
pub use skipped::{SkipCounts, SkipReason, Skipped};
