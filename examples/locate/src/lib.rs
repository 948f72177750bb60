//! Finds the model that a user names, for the programs of this workspace: a folder, or a repository
//! on the Hugging Face Hub, which is downloaded with a progress bar.
//!
//! Nothing is asked of a network unless the name is not that of a folder and looks like
//! `owner/name[@revision][:subfolder]`.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use vision_encoder_decoder::hub::{Hub, HubError, HubModel, Progress};

/// Why a name leads to no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// Neither a folder nor a name on the Hub.
    #[error(
        "{0}: there is no such folder, and it is no name on the Hugging Face Hub, which would be owner/name[@revision][:subfolder]"
    )]
    NotFound(String),
    /// The Hub does not have it, or it could not be downloaded.
    #[error("{name} is no folder, and can't be downloaded from the Hugging Face Hub")]
    Hub {
        /// The name.
        name: String,
        /// What is wrong.
        source: HubError,
    },
}

/// The folder of a checkpoint.
///
/// # Errors
/// [`LocateError`], saying what was looked for.
pub fn checkpoint(name: &str) -> Result<PathBuf, LocateError> {
    locate(name, Hub::checkpoint)
}

/// The folder of a tokenizer, which may be that of a checkpoint; of a repository on the Hub only the
/// tokenizer is downloaded.
///
/// # Errors
/// [`LocateError`], likewise.
pub fn tokenizer(name: &str) -> Result<PathBuf, LocateError> {
    locate(name, Hub::tokenizer)
}

/// One of the downloads of [`Hub`].
type Download = fn(&Hub, &HubModel, &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf, HubError>;

fn locate(name: &str, download: Download) -> Result<PathBuf, LocateError> {
    let folder = Path::new(name);
    if folder.exists() {
        return Ok(folder.to_owned());
    }
    if !HubModel::looks_like(name) {
        return Err(LocateError::NotFound(name.into()));
    }
    let from_hub = || {
        let bar = progress_bar();
        let folder = download(&Hub::from_env()?, &name.parse()?, &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.file.to_owned());
        });
        bar.finish_and_clear();
        folder
    };
    from_hub().map_err(|source| LocateError::Hub {
        name: name.into(),
        source,
    })
}

/// Hides itself where stderr is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left  {msg}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_and_a_path_is_never_looked_for_on_the_hub() {
        let here = env!("CARGO_MANIFEST_DIR");
        assert_eq!(checkpoint(here).unwrap(), Path::new(here));
        assert_eq!(tokenizer("src").unwrap(), Path::new("src"));
        for path in [
            "./absent/folder",
            "/absent/folder",
            "absent",
            "a/b/c",
            "~/absent",
        ] {
            match checkpoint(path).unwrap_err() {
                LocateError::NotFound(name) => assert_eq!(name, path),
                other => panic!("{other}"),
            }
        }
    }
}
