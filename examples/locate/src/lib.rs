//! Locates the models that users name, for the programs of this workspace. A name is the path of a folder, that of a
//! repository on the Hugging Face Hub, which is downloaded with a progress bar, or the address of its page.
//!
//! The network is used only if there is no such folder and the name looks like
//! `owner/name[@revision][:subfolder]` or is an address.

use std::io::{self, Write};
use std::path::PathBuf;

use checkpoint::{Progress, locate_checkpoint, locate_tokenizer};
use indicatif::{ProgressBar, ProgressStyle};

pub use checkpoint::LocateError;

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

/// Shows the progress of a download on a terminal, and says on stderr if older files are used instead.
fn with_bar<R>(find: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> R) -> R {
    let mut bar = None;
    let found = find(&mut |progress: Progress<'_>| match progress {
        Progress::Transfer {
            file, done, total, ..
        } => {
            let bar = bar.get_or_insert_with(progress_bar);
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(escaped(file));
        }
        other => {
            if let Some(line) = notice(&other) {
                // A closed stderr is no reason to end the program.
                let _ = writeln!(io::stderr(), "{}", escaped(&line));
            }
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
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

/// Names come from a server, and must not control the terminal.
fn escaped(text: &str) -> String {
    let is_bidirectional = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escape = |c: char| match c.is_control() || is_bidirectional(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// A progress bar, which is hidden if stderr is not a terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left  {msg}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
