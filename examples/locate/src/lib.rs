//! Locates the models that users name, for the programs of this workspace. A name is the path of a folder, that of a
//! repository on the Hugging Face Hub, which is downloaded with a progress bar, or the address of its page.
//!
//! The network is used only if there is no such folder and the name looks like
//! `owner/name[@revision][:subfolder]` or is an address.

use std::path::PathBuf;

use checkpoint::{Progress, locate_checkpoint, locate_tokenizer};
use report::{Program, Progress as Bar};

pub use checkpoint::LocateError;

const TEMPLATE: &str = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left  {msg}";

/// Returns the folder of a checkpoint.
///
/// # Errors
/// [`LocateError`], with the name and what is wrong with it.
pub fn checkpoint(program: &Program, name: &str) -> Result<PathBuf, LocateError> {
    with_bar(program, |progress| locate_checkpoint(name, progress))
}

/// Returns the folder of a tokenizer, which may be that of a whole checkpoint. From the Hub, only the
/// tokenizer is downloaded.
///
/// # Errors
/// [`LocateError`], with the name and what is wrong with it.
pub fn tokenizer(program: &Program, name: &str) -> Result<PathBuf, LocateError> {
    with_bar(program, |progress| locate_tokenizer(name, progress))
}

/// Shows the progress of a download on a terminal, and says on stderr if older files are used instead.
fn with_bar<R>(program: &Program, find: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> R) -> R {
    let mut bar: Option<Bar> = None;
    let found = find(&mut |progress: Progress<'_>| match progress {
        Progress::Transfer {
            file, done, total, ..
        } => {
            let bar = bar.get_or_insert_with(|| Bar::bar(0, TEMPLATE));
            bar.set(done, total);
            bar.set_message(file);
        }
        other => {
            let Some(line) = notice(&other) else { return };
            match &bar {
                Some(bar) => bar.suspend(|| program.message(line)),
                None => program.message(line),
            }
        }
    });
    if let Some(bar) = bar {
        bar.finish();
    }
    found
}

/// The line that says what a user should know.
fn notice(progress: &Progress<'_>) -> Option<String> {
    match progress {
        Progress::FromCache {
            name,
            commit,
            reason,
            ..
        } => Some(format!(
            "using the downloaded files of {name} at commit {commit}, which may be old: {reason}"
        )),
        _ => None,
    }
}
