//! Locates the models that users name, for the programs of this workspace. A name is the path of a folder, or
//! that of a repository on the Hugging Face Hub, which is downloaded with a progress bar.
//!
//! The network is used only if there is no such folder and the name looks like
//! `owner/name[@revision][:subfolder]`.

use std::path::PathBuf;

use checkpoint::{Progress, locate_checkpoint, locate_tokenizer};
use report::Progress as Bar;

pub use checkpoint::LocateError;

const TEMPLATE: &str = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left  {msg}";

/// Returns the folder of a checkpoint.
///
/// # Errors
/// [`LocateError`], with the name and what is wrong with it.
pub fn checkpoint(name: &str) -> Result<PathBuf, LocateError> {
    with_bar(|progress| locate_checkpoint(name, progress))
}

/// Returns the folder of a tokenizer, which may be that of a whole checkpoint. From the Hub, only the
/// tokenizer is downloaded.
///
/// # Errors
/// [`LocateError`], with the name and what is wrong with it.
pub fn tokenizer(name: &str) -> Result<PathBuf, LocateError> {
    with_bar(|progress| locate_tokenizer(name, progress))
}

/// Shows the progress of a download on a terminal.
fn with_bar<R>(find: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> R) -> R {
    let mut bar = None;
    let found = find(&mut |progress: Progress<'_>| {
        let bar = bar.get_or_insert_with(|| Bar::bar(0, TEMPLATE));
        bar.set(progress.done, progress.total);
        bar.set_message(progress.file);
    });
    if let Some(bar) = bar {
        bar.finish();
    }
    found
}
