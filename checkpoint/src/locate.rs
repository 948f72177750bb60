use std::path::{Path, PathBuf};

/// Why a folder could not be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// The text is neither the path of a folder nor a name on the Hugging Face Hub.
    #[error(
        "{0}: there is no such folder, and it is not a name on the Hugging Face Hub, expected owner/name[@revision][:subfolder]"
    )]
    NotFound(String),
    /// The Hugging Face Hub does not have the name, or its files could not be downloaded.
    #[cfg(feature = "hub")]
    #[error("{name} is not a folder, and can't be downloaded from the Hugging Face Hub")]
    Hub {
        /// The name.
        name: String,
        /// The error of the download.
        source: hub::HubError,
    },
    /// There is no such folder. The text may be a name on the Hugging Face Hub, but this program was built
    /// without the feature `hub`.
    #[cfg(not(feature = "hub"))]
    #[error(
        "{0}: there is no such folder; if it is a name on the Hugging Face Hub, build this program with the feature \"hub\", or download it first"
    )]
    WithoutHub(String),
}

/// The progress of a download.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file that is being transferred.
    pub file: &'a str,
    /// Bytes of all files that have been transferred.
    pub done: u64,
    /// Bytes of all files.
    pub total: u64,
}

/// Returns the folder of a checkpoint, given its path or a name on the Hugging Face Hub,
/// `owner/name[@revision][:subfolder]`.
///
/// With the feature `hub`, the files that [`checkpoint_files`] selects are downloaded from the Hub unless
/// the cache has them. The network is used only if there is no such path and the text looks like a name on
/// the Hub.
///
/// # Errors
/// [`LocateError`] if there is no such path and the text is not a name on the Hub, if the download fails,
/// or if this program was built without the feature `hub`.
///
/// [`checkpoint_files`]: crate::files::checkpoint_files
pub fn locate_checkpoint(
    name: &str,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    locate(name, crate::files::checkpoint_files, progress)
}

/// Returns the folder of a tokenizer, given its path or a name on the Hugging Face Hub,
/// `owner/name[@revision][:subfolder]`. It may be the folder of a whole checkpoint.
///
/// With the feature `hub`, the files that [`tokenizer_files`] selects are downloaded from the Hub unless
/// the cache has them. The network is used only if there is no such path and the text looks like a name on
/// the Hub.
///
/// # Errors
/// [`LocateError`] if there is no such path and the text is not a name on the Hub, if the download fails,
/// or if this program was built without the feature `hub`.
///
/// [`tokenizer_files`]: crate::files::tokenizer_files
pub fn locate_tokenizer(
    name: &str,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    locate(name, crate::files::tokenizer_files, progress)
}

/// A function that selects files of a folder.
type Select = fn(&[String]) -> Result<Vec<String>, crate::files::MissingFiles>;

fn locate(
    name: &str,
    select: Select,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    let folder = Path::new(name);
    match folder.exists() {
        true => Ok(folder.to_owned()),
        false => on_hub(name, select, progress),
    }
}

#[cfg(feature = "hub")]
fn on_hub(
    name: &str,
    select: Select,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    if !hub::HubModel::looks_like(name) {
        return Err(LocateError::NotFound(name.into()));
    }
    let mut fetch = || {
        hub::Hub::from_env()?.fetch(&name.parse()?, select, &mut |now| {
            progress(Progress {
                file: now.file,
                done: now.done,
                total: now.total,
            });
        })
    };
    fetch().map_err(|source| LocateError::Hub {
        name: name.into(),
        source,
    })
}

#[cfg(not(feature = "hub"))]
fn on_hub(
    name: &str,
    _select: Select,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    let repository = name.split(['@', ':']).next().unwrap_or_default();
    let is_path = name.starts_with(['.', '/', '~']) || repository.split('/').count() != 2;
    match is_path {
        true => Err(LocateError::NotFound(name.into())),
        false => Err(LocateError::WithoutHub(name.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_and_a_path_is_never_looked_for_on_the_hub() {
        let here = env!("CARGO_MANIFEST_DIR");
        let ignore = &mut |_: Progress<'_>| ();
        assert_eq!(locate_checkpoint(here, ignore).unwrap(), Path::new(here));
        assert_eq!(locate_tokenizer("src", ignore).unwrap(), Path::new("src"));
        for path in [
            "./absent/folder",
            "/absent/folder",
            "absent",
            "a/b/c",
            "~/absent",
        ] {
            match locate_checkpoint(path, ignore).unwrap_err() {
                LocateError::NotFound(name) => assert_eq!(name, path),
                other => panic!("{other}"),
            }
        }
    }
}
