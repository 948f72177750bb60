use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Why a folder could not be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// The text is neither the path of a folder nor a name on the Hugging Face Hub.
    #[error(
        "{0}: there is no such folder, and it is not a name on the Hugging Face Hub, expected owner/name[@revision][:subfolder]"
    )]
    NotFound(String),
    /// There is a file of this name, and a folder was expected.
    #[error("{0} is a file; expected the folder that it is in")]
    File(String),
    /// The operating system does not say whether there is such a folder.
    #[error("can't open the folder {name}")]
    Io {
        /// The path.
        name: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The Hugging Face Hub does not have the name, or its files could not be downloaded.
    #[cfg(feature = "hub")]
    #[error("{name} is not a folder here, and can't be downloaded from the Hugging Face Hub")]
    Hub {
        /// The name, without user and password if it is an address.
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

/// What a download has to tell while it runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Some bytes have been transferred.
    #[non_exhaustive]
    Transfer {
        /// The file that is being transferred.
        file: &'a str,
        /// Bytes of all files that have been transferred.
        done: u64,
        /// Bytes of all files.
        total: u64,
    },
    /// Files that were downloaded before are used, because the Hub can't be reached or refuses access. They may be older
    /// than what the Hub has now.
    #[non_exhaustive]
    FromCache {
        /// The name of the model.
        name: &'a str,
        /// The commit whose files are used.
        commit: &'a str,
        /// Why the Hub was not used.
        reason: &'a (dyn Error + 'static),
    },
}

/// Returns the folder of a checkpoint, given its path or a name on the Hugging Face Hub,
/// `owner/name[@revision][:subfolder]`. The address of the model's page on the Hub is a name too.
///
/// With the feature `hub`, the files that [`checkpoint_files`] selects are downloaded from the Hub unless
/// the cache has them. The network is used only if there is no such path and the text looks like a name on
/// the Hub.
///
/// # Errors
/// [`LocateError`] if there is no such path and the text is not a name on the Hub, if the path is that of a file, if the
/// download fails, or if this program was built without the feature `hub`.
///
/// [`checkpoint_files`]: crate::files::checkpoint_files
pub fn locate_checkpoint(
    name: &str,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, LocateError> {
    locate(name, crate::files::checkpoint_files, progress)
}

/// Returns the folder of a tokenizer, given its path or a name on the Hugging Face Hub,
/// `owner/name[@revision][:subfolder]`. It may be the folder of a whole checkpoint. The address of the model's page on
/// the Hub is a name too.
///
/// With the feature `hub`, the files that [`tokenizer_files`] selects are downloaded from the Hub unless
/// the cache has them. The network is used only if there is no such path and the text looks like a name on
/// the Hub.
///
/// # Errors
/// [`LocateError`] if there is no such path and the text is not a name on the Hub, if the path is that of a file, if the
/// download fails, or if this program was built without the feature `hub`.
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
    match fs::metadata(name) {
        Ok(found) if found.is_dir() => Ok(PathBuf::from(name)),
        Ok(_) => Err(LocateError::File(name.into())),
        Err(error) if is_absent(&error) => on_hub(name, select, progress),
        Err(source) => Err(LocateError::Io {
            name: name.into(),
            source,
        }),
    }
}

/// Whether an error says that there is no such path, or that the text can't be a path.
fn is_absent(error: &io::Error) -> bool {
    use ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidInput | InvalidFilename
    )
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
    fetch(name, select, progress).map_err(|source| LocateError::Hub {
        name: hub::HubModel::shown(name),
        source,
    })
}

#[cfg(feature = "hub")]
fn fetch(
    name: &str,
    select: Select,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, hub::HubError> {
    let hub = hub::Hub::from_env()?;
    let model = hub.model(name)?;
    hub.fetch(&model, select, &mut |now| match now {
        hub::Progress::Transfer {
            file, done, total, ..
        } => progress(Progress::Transfer { file, done, total }),
        hub::Progress::FromCache {
            model,
            commit,
            reason,
            ..
        } => progress(Progress::FromCache {
            name: &model.to_string(),
            commit,
            reason,
        }),
        _ => (),
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
    let is_path = is_path && !name.contains("://");
    match is_path {
        true => Err(LocateError::NotFound(name.into())),
        false => Err(LocateError::WithoutHub(name.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_file_in_place_of_a_folder_is_named() {
        let error = locate_checkpoint("Cargo.toml", &mut |_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Cargo.toml is a file; expected the folder that it is in"
        );
        // A path below a file does not exist, nor does one that no system allows.
        for path in ["./Cargo.toml/a", "./a\0b"] {
            let error = locate_checkpoint(path, &mut |_| ()).unwrap_err();
            assert!(matches!(error, LocateError::NotFound(_)), "{error}");
        }
    }

    #[cfg(feature = "hub")]
    #[test]
    fn an_address_on_another_server_is_refused_without_the_network_and_without_its_password() {
        let address = "https://user:secret@example.com/owner/name";
        let error = locate_checkpoint(address, &mut |_| ()).unwrap_err();
        let text = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(text.contains("example.com/owner/name"), "{text}");
        assert!(text.contains("HF_ENDPOINT"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

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
