//! Cleaning: which images and captions of a data set are worth training with, and why the others are not.
//!
//! - Rules are values: [`CleaningConfig`], with limits for pictures and captions, duplicates, languages and the split.
//! - A [`PictureCheck`] looks at pictures, on any number of threads ([`Checked`]), and finds [`Facts`]. A [`Journal`] keeps
//!   them on disk, so that a run that was killed goes on where it was, and other rules need no second look.
//! - A [`Cleaner`] decides on examples in the order of the data: [`Verdict`]. The same data and the same rules give the same
//!   decisions on any number of threads.
//! - A [`Tally`] counts: captions and images per language and part, and why the others were dropped.
//!
//! ```
//! use datasets::cleaning::{CheckError, Checked, Cleaner, CleaningConfig, FolderExamples, JournalError, Tally};
//!
//! #[derive(Debug, thiserror::Error)]
//! enum Error {
//!     #[error(transparent)]
//!     Folder(#[from] datasets::cleaning::FolderError),
//!     #[error(transparent)]
//!     Check(#[from] CheckError),
//!     #[error(transparent)]
//!     Journal(#[from] JournalError),
//! }
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../preprocess/tests/data/images");
//! let mut cleaner = Cleaner::new(CleaningConfig::default())?;
//! let examples = FolderExamples::new(folder, preprocess::text::language("en"));
//! let examples = examples.map(|example| example.map_err(Error::from));
//! let mut tally = Tally::default();
//! for checked in Checked::new(examples, cleaner.picture_check(), 2, None)? {
//!     let checked = checked?;
//!     tally.add(&cleaner.decide(checked.example, checked.facts));
//! }
//! assert_eq!(tally.dropped_examples, tally.examples); // no picture there has a caption
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod captions;
mod check;
mod checked;
mod cleaner;
mod config;
mod duplicates;
mod facts;
mod folder;
mod journal;
mod known;
mod normalise;
mod pictures;
mod reason;
mod record;
mod split;
mod surveyed;
mod tally;
mod validate;
mod workers;

pub use captions::CaptionRule;
pub use check::{CheckError, PictureCheck};
pub use checked::{Checked, CheckedExample};
pub use cleaner::{Cleaner, Dropped, DroppedCaption, Kept, Verdict};
pub use config::{CaptionLimits, CleaningConfig, DuplicateRules, Identity, PictureLimits};
pub use facts::{Facts, Problem, Sound, Unusable};
pub use folder::{FolderError, FolderExamples};
pub use journal::{Journal, JournalError};
pub use reason::{RULES, Reason, explanation};
pub use split::{Split, split};
pub use tally::{Counts, Part, Tally};
pub use validate::ConfigError;
