use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use datasets::ImageSource;

use crate::error::CleanError;
use crate::output::IMAGES;
use crate::table;

/// Images that are kept: where tables find them, and copies of those that need one.
pub(crate) struct Copies {
    folder: PathBuf,
    copy_all: bool,
    /// The folder that relative paths start from.
    here: PathBuf,
    belongs: String,
}

/// What copies belong to, in the folder of copies.
const BELONGS: &str = ".rules";
/// What is not complete.
const PART: &str = ".part";

impl Copies {
    /// Copies go to a folder in the output folder. Those of earlier runs with other rules or inputs stay: their names are
    /// their content, and the tables of that run name them until they are replaced.
    pub(crate) fn new(output: &Path, copy_all: bool, belongs: &str) -> Result<Self, CleanError> {
        let folder = output.join(IMAGES);
        if !folder.join(BELONGS).exists() && has_pictures(&folder) {
            return Err(CleanError::OtherFiles {
                output: output.to_owned(),
                others: vec![IMAGES.to_owned()],
            });
        }
        if copy_all {
            begin(&folder, belongs)?;
        }
        Ok(Self {
            folder,
            copy_all,
            here: std::env::current_dir().unwrap_or_default(),
            belongs: belongs.to_owned(),
        })
    }

    /// What a table says for an image: its absolute path, or that of its copy from the output folder on.
    pub(crate) fn place(
        &self,
        image: &ImageSource,
        identity: [u8; 16],
    ) -> Result<String, CleanError> {
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
        begin(&self.folder, &self.belongs)?;
        let hex: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{hex}.{}", extension(path));
        let folder = self.folder.join(&hex[..2]);
        let copy = folder.join(&name);
        self.write(image, &folder, &copy)
            .map_err(CleanError::write(copy))?;
        Ok(format!("{IMAGES}/{}/{name}", &hex[..2]))
    }

    /// Writes a copy unless there is one of the same length, which its name makes the same.
    fn write(&self, image: &ImageSource, folder: &Path, copy: &Path) -> io::Result<()> {
        let length = match image {
            ImageSource::File(path) => fs::metadata(path)?.len(),
            ImageSource::Bytes { bytes, .. } => bytes.len() as u64,
        };
        match fs::metadata(copy) {
            Ok(metadata) if metadata.len() == length => return Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(folder)?;
        // Renamed when it is complete. Not synced, since that would take most of the time; a copy that a crash of the
        // machine has cut short has another length.
        let part = self.folder.join(PART);
        let written = match image {
            ImageSource::File(path) => fs::copy(path, &part).map(|_| ()),
            ImageSource::Bytes { bytes, .. } => fs::write(&part, bytes),
        };
        let renamed = written.and_then(|()| fs::rename(&part, copy));
        if renamed.is_err() {
            let _ = fs::remove_file(&part);
        }
        renamed
    }
}

/// Whether a folder has files that are not hidden. One that was begun by a run that was killed has none.
fn has_pictures(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| !name.as_encoded_bytes().starts_with(b"."))
}

fn begin(folder: &Path, belongs: &str) -> Result<(), CleanError> {
    let path = folder.join(BELONGS);
    if path.exists() {
        return Ok(());
    }
    let write = || {
        fs::create_dir_all(folder)?;
        let part = folder.join(PART);
        fs::write(&part, belongs)?;
        fs::rename(part, &path)
    };
    write().map_err(CleanError::write(&path))
}

/// The extension of a name, if it is an ordinary one.
fn extension(name: &Path) -> String {
    let end = name
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let is_ordinary =
        (1..=5).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_ordinary {
        true => end.to_ascii_lowercase(),
        false => "image".to_owned(),
    }
}
