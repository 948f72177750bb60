use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use datasets::ImageSource;
use datasets::cleaning::{CheckError, Unusable};
use whole_files::limits;

use crate::error::CleanError;
use crate::output::IMAGES;
use crate::table;

/// Images that are kept: where tables find them, and copies of those that need one.
///
/// A copy is named by the image's content, so that the tables of an earlier run and of this one name the same copy, and what is
/// there needs no second copy.
pub(crate) struct Copies {
    folder: PathBuf,
    copy_all: bool,
    /// The folder that relative paths start from.
    here: PathBuf,
    named: Vec<Name>,
}

/// The content of a copy and its extension.
type Name = ([u8; 16], [u8; LONGEST_EXTENSION]);

const LONGEST_EXTENSION: usize = 5;
/// What is not complete.
const PART: &str = ".part";

/// Why there is no copy.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// The image can't be read any more, though it could when it was checked.
    Source(Unusable),
    Failed(CleanError),
}

impl Copies {
    pub(crate) fn new(output: &Path, copy_all: bool) -> Self {
        Self {
            folder: output.join(IMAGES),
            copy_all,
            here: std::env::current_dir().unwrap_or_default(),
            named: Vec::new(),
        }
    }

    /// What a table says for an image: its absolute path, or that of its copy from the output folder on.
    pub(crate) fn place(
        &mut self,
        image: &ImageSource,
        identity: [u8; 16],
    ) -> Result<String, CopyError> {
        let path = match image {
            ImageSource::File(path) => {
                let absolute = self.here.join(path);
                match table::field(&absolute) {
                    Some(text) if !self.copy_all => return Ok(text.to_owned()),
                    // A name that no table can hold.
                    _ => path,
                }
            }
            ImageSource::Bytes { name, .. } => Path::new(name),
        };
        let extension = extension(path);
        let (folder, name) = place_of(identity, &extension);
        let copy = self.folder.join(&folder).join(&name);
        self.write(image, &copy)?;
        let mut padded = [0; LONGEST_EXTENSION];
        padded[..extension.len()].copy_from_slice(extension.as_bytes());
        self.named.push((identity, padded));
        Ok(format!("{IMAGES}/{folder}/{name}"))
    }

    /// Deletes the copies that are not named by this run's tables, which are in place.
    pub(crate) fn delete_others(mut self) -> Result<(), CleanError> {
        self.named.sort_unstable();
        let delete = || -> io::Result<()> {
            for folder in entries(&self.folder)? {
                if !folder.is_dir() {
                    continue;
                }
                for file in entries(&folder)? {
                    let is_named =
                        name_of(&file).is_none_or(|name| self.named.binary_search(&name).is_ok());
                    if !is_named {
                        remove(&file)?;
                    }
                }
                // It stays if it is not empty.
                let _ = fs::remove_dir(&folder);
            }
            // What a run that was killed has left.
            remove(&self.folder.join(PART))?;
            let _ = fs::remove_dir(&self.folder);
            Ok(())
        };
        delete().map_err(CleanError::write(&self.folder))
    }

    /// Writes a copy unless there is one of the same length, which its name makes the same.
    fn write(&self, image: &ImageSource, copy: &Path) -> Result<(), CopyError> {
        let failed = |source| CopyError::Failed(CleanError::write(copy)(source));
        let length = match fs::metadata(copy) {
            Ok(metadata) => Some(metadata.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let content;
        let bytes = match image {
            ImageSource::Bytes { bytes, .. } => bytes,
            ImageSource::File(path) => {
                if length.is_some() && fs::metadata(path).ok().map(|file| file.len()) == length {
                    return Ok(());
                }
                content =
                    whole_files::read(path, limits::PICTURE).map_err(
                        |error| match CheckError::new(image, error.into()) {
                            Ok(error) => CopyError::Failed(error.into()),
                            Err(error) => CopyError::Source(Unusable::from(&error)),
                        },
                    )?;
                &content
            }
        };
        if length == Some(bytes.len() as u64) {
            return Ok(());
        }
        // Renamed when it is complete. Not synced, since that would take most of the time; a copy that a crash of the
        // machine has cut short has another length. A new file, so that it is not as protected as the image may be.
        let part = self.folder.join(PART);
        let write = || {
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder)?;
            }
            remove(&part)?;
            fs::write(&part, bytes)?;
            fs::rename(&part, copy)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&part);
            failed(error)
        })
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The folder of a copy and its name there.
fn place_of(identity: [u8; 16], extension: &str) -> (String, String) {
    let hex: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
    (hex[..2].to_owned(), format!("{hex}.{extension}"))
}

/// What a file is a copy of. `None` if it is none.
fn name_of(file: &Path) -> Option<Name> {
    let (hex, extension) = file.file_name()?.to_str()?.split_once('.')?;
    if hex.len() != 32 || extension.len() > LONGEST_EXTENSION {
        return None;
    }
    let identity = u128::from_str_radix(hex, 16).ok()?.to_be_bytes();
    let mut padded = [0; LONGEST_EXTENSION];
    padded[..extension.len()].copy_from_slice(extension.as_bytes());
    Some((identity, padded))
}

/// The extension of a name, if it is an ordinary one.
fn extension(name: &Path) -> String {
    let end = name
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let is_ordinary = (1..=LONGEST_EXTENSION).contains(&end.len())
        && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_ordinary {
        true => end.to_ascii_lowercase(),
        false => "image".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_vanishes_after_it_was_checked_is_no_failure() {
        let place = tempfile::tempdir().unwrap();
        let mut copies = Copies::new(place.path(), true);
        let path = place.path().join("a.png");
        let image = ImageSource::File(path.clone());
        let Err(CopyError::Source(unusable)) = copies.place(&image, [1; 16]) else {
            panic!()
        };
        assert_eq!(unusable.problem.rule(), "missing_image");
        fs::write(path, "a picture").unwrap();
        let copy = copies.place(&image, [1; 16]).unwrap();
        assert_eq!(fs::read(place.path().join(copy)).unwrap(), b"a picture");
    }

    #[test]
    fn copies_are_known_by_their_names() {
        let identity = *b"\x00\x01\xfe0123456789abc";
        for (image, end) in [("a.JPG", "jpg"), ("b", "image"), ("c.a_b", "image")] {
            let (folder, name) = place_of(identity, &extension(Path::new(image)));
            assert_eq!(
                (folder.as_str(), name.rsplit_once('.').unwrap().1),
                ("00", end)
            );
            assert_eq!(name_of(Path::new(&name)).unwrap().0, identity);
        }
        for other in ["holiday.jpg", "00.jpg", &"g".repeat(32)] {
            assert_eq!(name_of(Path::new(other)), None, "{other}");
        }
    }
}
