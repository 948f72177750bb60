//! Files from outside, read whole or refused, and files written whole or not at all.
//!
//! A path that comes from a user, an archive or a download may name anything: a pipe that never ends, a device, a file
//! larger than memory, the pointer that Git LFS leaves in place of a large file, a web page that a download saved
//! instead of the file. [`read`] and [`read_text`] accept regular files up to a [limit](limits) and refuse
//! everything else with a [`ReadError`] that names it. [`replace`] writes a file so that a reader finds the old
//! or the new content, never a part; [`StagedFile`] does so piece by piece. [`StagedFolder`] does the same for
//! several files of a folder, with a lock against a second writer, which [`lock`] takes alone.
//!
//! ```
//! use whole_files::{ReadError, limits};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("config.json");
//! whole_files::replace(&path, b"{}")?;
//! assert_eq!(whole_files::read_text(&path, limits::JSON)?, "{}");
//! assert!(matches!(whole_files::read(&path, 1), Err(ReadError::TooLarge { bytes: 2, limit: 1, .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod limits;
mod lock;
pub mod python_json;
mod read;
mod staged;
mod staged_file;
mod stand_in;
mod write;

pub use lock::{Guard, Locked, lock};
pub use read::{ReadError, open, read, read_text};
pub use staged::{
    Rules, StageError, StagedFolder, complete_interrupted_commit, interrupted_commit,
};
pub use staged_file::StagedFile;
pub use stand_in::StandIn;
pub use write::{replace, sync_folder, write_new};
