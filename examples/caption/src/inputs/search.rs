use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use report::name;

use crate::picture::{Picture, STANDARD_INPUT};

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
}

/// The pictures that the arguments name, in their order, and within a folder by name; and what is wrong with
/// some of the arguments.
pub(crate) fn pictures(arguments: &[PathBuf], recursive: bool) -> (Vec<Picture>, Vec<InputError>) {
    let mut search = Search {
        recursive,
        ..Search::default()
    };
    for argument in arguments {
        // A folder of that name is `./-`.
        let is_standard_input = argument.as_os_str() == STANDARD_INPUT;
        match !is_standard_input && argument.is_dir() {
            true => search.folder(argument),
            false => search.file(argument),
        }
    }
    let pictures = search.pictures.into_iter().map(Picture::new);
    (pictures.collect(), search.errors)
}

#[derive(Default)]
struct Search {
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
    extension.is_some_and(|end| EXTENSIONS.contains(&end.to_ascii_lowercase().as_str()))
}
