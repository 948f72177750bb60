//! Image-text data sets: images with captions in one or several languages, in files of any size.
//!
//! A [`Dataset`] reads what people have: tables as the original project's ([`Format::Tsv`]), WebDataset shards, and Apache
//! Parquet (feature `parquet`). [`Dataset::examples`] goes through it in order; [`Dataset::index`] makes any example
//! readable by its position. A row that can't be used is a [`Skipped`] entry with a reason, and never ends the rest.
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
//!
//! A [`Loader`] makes batches for training: shuffled, decoded and processed ahead on threads, the same in every run, and
//! continued from any [`Position`]. It knows no tensor library; pixel values and texts come out.
//!
//! ```
//! use datasets::{CaptionChoice, Dataset, Loader, LoaderConfig, Options, Position};
//! use preprocess::image::{ImageProcessor, ImageProcessorConfig};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/made/pandas.tsv");
//! # let images = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/made/images");
//! let dataset = Dataset::open(path, &Options::default().with_image_folder(images))?.index()?;
//! let processor = ImageProcessor::new(ImageProcessorConfig::as_published(32))?;
//! let config = LoaderConfig {
//!     batch_size: 3,
//!     seed: 42,
//!     captions: CaptionChoice::AtMost(1),
//!     ..LoaderConfig::default()
//! };
//! let loader = Loader::new(dataset, processor, config)?;
//! let mut saved = Position::default();
//! for batch in loader.batches(saved, 2)? { // two epochs
//!     let batch = batch?;
//!     assert_eq!(batch.pixel_values.shape[1..], [3, 32, 32]);
//!     for caption in &batch.captions {
//!         let _prompt = (caption.image, caption.language.code, &caption.text);
//!     }
//!     saved = batch.next; // with a checkpoint
//! }
//! assert_eq!(saved, Position { epoch: 2, index: 0 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory
//! Ten million examples take no more memory than ten thousand. Where each begins is in a file of 16 bytes an example
//! ([`Options::index_folder`]), not in memory, and the random order of an epoch is not a list but a function: a
//! permutation that gives the example at any place. So an epoch needs neither a pass over a list nor a buffer of examples,
//! and an example may come at any place, other than with the buffers of a few thousand examples that stream readers
//! shuffle. What grows is a few hundred bytes for each file, and for each row group of Parquet. A few dozen files are open at
//! a time, however many a data set has.
//!
//! # Tables
//! The original read its tables with `pandas.read_csv(path, sep="\t")`, so quotation marks are read as pandas reads them
//! ([`Quoting`]). Paths of images start from [`Options::image_folder`]. Columns come in any order; others than those of
//! [`Columns`] are ignored. Languages are codes or names (`en`, `en_XX`, `English`).
//!
//! # Shards
//! Files of one name up to the first dot are one example: an image, and its captions in `.txt` (language:
//! [`Options::language`]), `.en.txt` and so on, or `.json` with `caption` or `captions`, a text, a list, or these under
//! languages.
//!
//! # Parquet
//! A row is one example. Images are paths, bytes, or Hugging Face's struct of both; captions are a text or a list, with a
//! column of languages beside them (one for all or one for each), or one column for each language such as `caption_en`.

mod augment;
#[cfg(feature = "cleaning")]
pub mod cleaning;
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
mod resources;
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
