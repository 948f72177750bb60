use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use report::name;

use super::picture::STANDARD_INPUT;
use super::{is_shard, list};

/// The extensions of the files that are taken from a folder. A file that is named on the command line may
/// have any extension: its format is recognised by its content.
const EXTENSIONS: [&str; 16] = [
    "bmp", "gif", "ico", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "qoi",
    "tif", "tiff", "webp",
];

/// Why an argument has no pictures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("can't read the folder {}", name(.folder))]
    Folder {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "the folder {} has no pictures (extensions that are known: .{}){}",
        name(.folder),
        EXTENSIONS.join(", ."),
        if *.has_folders { "; --recursive also looks into its folders" } else { "" }
    )]
    Empty { folder: PathBuf, has_folders: bool },
    #[error("can't read the list {}", name(.list))]
    List {
        list: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Read(whole_files::ReadError),
}

/// Looks for the files that arguments name.
#[derive(Debug, Default)]
pub(super) struct Search {
    recursive: bool,
    pictures: Vec<PathBuf>,
    errors: Vec<InputError>,
    /// With `recursive`, the files and folders that were found, without links: a file or folder may have several
    /// paths, and a link to a folder above would lead around without an end.
    seen: HashSet<PathBuf>,
}

/// What a folder contains, by name.
struct Content {
    folders: Vec<PathBuf>,
    pictures: Vec<PathBuf>,
}

impl Search {
    pub(super) fn new(recursive: bool) -> Self {
        Self {
            recursive,
            ..Self::default()
        }
    }

    /// The files in the order of the arguments, and within a folder by name; and what is wrong with some of the arguments.
    pub(super) fn found(self) -> (Vec<PathBuf>, Vec<InputError>) {
        (self.pictures, self.errors)
    }

    /// Takes what an argument names.
    pub(super) fn argument(&mut self, argument: &Path) {
        // A folder of that name is `./-`.
        let is_standard_input = argument.as_os_str() == STANDARD_INPUT;
        match !is_standard_input && argument.is_dir() {
            true => self.folder(argument),
            false => self.file(argument),
        }
    }

    /// Takes what the lines of a list name.
    pub(super) fn list(&mut self, list: &Path) {
        match list::read(list) {
            Ok(paths) => paths.iter().for_each(|path| self.argument(path)),
            Err(error) => self.errors.push(error),
        }
    }

    /// Takes a file that was named.
    fn file(&mut self, path: &Path) {
        if self.is_new(path) {
            self.pictures.push(path.to_owned());
        }
    }

    /// Takes the pictures of a folder.
    fn folder(&mut self, root: &Path) {
        let (mut found, errors_before) = (Vec::new(), self.errors.len());
        let (mut has_folders, mut was_seen) = (false, false);
        let (mut folders, mut links) = (vec![root.to_owned()], Vec::new());
        // Links last, so that a file is taken by its own path if it has one here.
        while let Some(folder) = folders.pop().or_else(|| links.pop()) {
            if !self.is_new(&folder) {
                was_seen = true;
                continue;
            }
            match Content::read(&folder) {
                Ok(content) => {
                    has_folders |= !content.folders.is_empty();
                    found.extend(content.pictures);
                    if self.recursive {
                        let all = content.folders.into_iter().rev();
                        let (linked, own): (Vec<_>, Vec<_>) =
                            all.partition(|path| path.is_symlink());
                        folders.extend(own);
                        links.extend(linked);
                    }
                }
                Err(source) => self.errors.push(InputError::Folder { folder, source }),
            }
        }
        if found.is_empty() && !was_seen && self.errors.len() == errors_before {
            self.errors.push(InputError::Empty {
                folder: root.to_owned(),
                has_folders: has_folders && !self.recursive,
            });
        }
        found.sort_by_cached_key(|path| (path.is_symlink(), path.clone()));
        found.retain(|path| self.is_new(path));
        found.sort();
        self.pictures.extend(found);
    }

    /// Remembers a path, and returns whether the search should go on with it.
    fn is_new(&mut self, path: &Path) -> bool {
        if !self.recursive {
            return true;
        }
        match path.canonicalize() {
            Ok(path) => self.seen.insert(path),
            Err(_) => true, // a link to nothing, for example, which is reported when it is opened
        }
    }
}

impl Content {
    fn read(folder: &Path) -> std::io::Result<Self> {
        let (mut folders, mut pictures) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Hidden files, among them `._NAME`, in which a Mac's archive keeps what else it knows of a file.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if has_known_extension(&path) {
                pictures.push(path);
            }
        }
        folders.sort();
        Ok(Self { folders, pictures })
    }
}

fn has_known_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(|end| end.to_str());
    let is_known = |end: &str| EXTENSIONS.contains(&end.to_ascii_lowercase().as_str());
    is_shard(path) || extension.is_some_and(is_known)
}
