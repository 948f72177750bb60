use std::fs;
use std::path::{Path, PathBuf};

/// The extensions of the files that are taken from a folder. A file that is named on the command line may
/// have any extension: its format is recognised by its content.
const EXTENSIONS: [&str; 16] = [
    "bmp", "gif", "ico", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "qoi",
    "tif", "tiff", "webp",
];

/// Why an argument has no pictures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("can't read the folder {folder}")]
    Folder {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error("the folder {0} has no pictures (extensions that are known: .{ends})", ends = EXTENSIONS.join(", ."))]
    Empty(PathBuf),
}

/// The pictures that the arguments name, in their order, and within a folder by name; and what is wrong with
/// some of the arguments.
pub(crate) fn pictures(arguments: &[PathBuf]) -> (Vec<PathBuf>, Vec<InputError>) {
    let mut pictures = Vec::new();
    let mut errors = Vec::new();
    for argument in arguments {
        if !argument.is_dir() {
            pictures.push(argument.clone());
            continue;
        }
        match in_folder(argument) {
            Ok(found) if found.is_empty() => errors.push(InputError::Empty(argument.clone())),
            Ok(found) => pictures.extend(found),
            Err(source) => errors.push(InputError::Folder {
                folder: argument.clone(),
                source,
            }),
        }
    }
    (pictures, errors)
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|end| end.to_str());
        let known =
            extension.is_some_and(|end| EXTENSIONS.contains(&end.to_ascii_lowercase().as_str()));
        if known && path.is_file() {
            pictures.push(path);
        }
    }
    pictures.sort();
    Ok(pictures)
}
