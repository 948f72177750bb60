use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use preprocess::text::{Language, language};

use crate::{Caption, Example, ImageSource, Origin};

/// The extensions of pictures that are looked for. Others are left alone, since a folder may hold anything.
const EXTENSIONS: [&str; 16] = [
    "bmp", "gif", "ico", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "qoi",
    "tif", "tiff", "webp",
];

/// The largest text file of captions, as in a shard: 1 MiB.
const MAX_TEXT: u64 = 1 << 20;

/// The largest number of captions of a picture, as in a table.
const MAX_CAPTIONS: usize = 1024;

/// The pictures of a folder and of those within it, with captions in text files beside them: `cat.txt` for `cat.jpg`, in
/// one language for all, and `cat.fr.txt` (a code of mBART-50, its first part or an English name) in another. Each line that is
/// not empty is a caption. A picture without such a file has none. A file of more than 1 MiB, or more than 1,024 captions of
/// a picture, are an error in its place.
///
/// Pictures come in the order of their names, those of a folder before those of folders in it. Hidden files and links to
/// folders are left out. Only the names of one folder at a time are in memory.
#[derive(Debug)]
pub struct FolderExamples {
    language: Option<Language>,
    leave_out: Option<PathBuf>,
    folders: Vec<PathBuf>,
    listed: VecDeque<Listed>,
    row: u64,
}

/// A picture and its text files.
#[derive(Debug)]
struct Listed {
    picture: PathBuf,
    texts: Vec<(PathBuf, Option<Language>)>,
}

/// Why a folder, or captions in it, can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A folder can't be listed.
    #[error("can't read the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The captions of a picture can't be read, or are not UTF-8.
    #[error("can't use captions")]
    Captions(#[from] whole_files::ReadError),
    /// A picture has more captions than any should.
    #[error("expected at most {limit} captions of a picture, found more in {}", path.display())]
    TooManyCaptions {
        /// The text file with the first that is too many.
        path: PathBuf,
        /// How many there may be.
        limit: usize,
    },
    /// A text file names no language, and none was given for all.
    #[error(
        "expected a language for the captions in {}: name it for all such files, or in the file's name, as in cat.en.txt",
        path.display()
    )]
    Language {
        /// The file.
        path: PathBuf,
    },
}

impl FolderExamples {
    /// The pictures of a folder. `language` is that of text files that name none.
    pub fn new(root: impl Into<PathBuf>, language: Option<Language>) -> Self {
        Self {
            language,
            leave_out: None,
            folders: vec![root.into()],
            listed: VecDeque::new(),
            row: 0,
        }
    }

    /// Leaves out a folder, for example one for results.
    pub fn without(mut self, folder: &Path) -> Self {
        self.leave_out = folder.canonicalize().ok();
        self
    }

    /// Lists a folder: pictures and their texts into `listed`, folders into `folders`.
    fn list(&mut self, folder: &Path) -> Result<(), FolderError> {
        let fail = |source| FolderError::Folder {
            path: folder.to_owned(),
            source,
        };
        let (mut folders, mut pictures, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let is_folder = entry.file_type().map_err(fail)?.is_dir();
            match extension(&name).as_deref() {
                _ if is_folder => folders.push(entry.path()),
                Some("txt") => texts.push(name),
                Some(end) if EXTENSIONS.contains(&end) => pictures.push(name),
                _ => {}
            }
        }
        if let Some(out) = &self.leave_out {
            folders.retain(|folder| folder.canonicalize().ok().as_ref() != Some(out));
        }
        folders.sort();
        pictures.sort();
        texts.sort();
        self.folders.extend(folders.into_iter().rev());
        self.listed.extend(pictures.into_iter().map(|picture| {
            Listed {
                texts: texts_of(&picture, &texts)
                    .map(|(text, language)| (folder.join(text), language))
                    .collect(),
                picture: folder.join(picture),
            }
        }));
        Ok(())
    }

    fn example(&self, listed: Listed) -> Result<Example, FolderError> {
        let mut captions = Vec::new();
        for (path, language) in listed.texts {
            let text = whole_files::read_text(&path, MAX_TEXT)?;
            let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
            let lines = lines.filter(|line| !line.trim().is_empty());
            let Some(language) = language.or(self.language) else {
                return Err(FolderError::Language { path });
            };
            let room = MAX_CAPTIONS - captions.len();
            captions.extend(lines.take(room + 1).map(|line| Caption {
                language,
                text: line.to_owned(),
            }));
            if captions.len() > MAX_CAPTIONS {
                return Err(FolderError::TooManyCaptions {
                    path,
                    limit: MAX_CAPTIONS,
                });
            }
        }
        Ok(Example {
            origin: Origin {
                file: listed.picture.clone(),
                row: self.row,
            },
            image: ImageSource::File(listed.picture),
            captions,
            url: None,
        })
    }
}

impl Iterator for FolderExamples {
    type Item = Result<Example, FolderError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.listed.is_empty() {
            let folder = self.folders.pop()?;
            if let Err(error) = self.list(&folder) {
                return Some(Err(error));
            }
        }
        let listed = self.listed.pop_front()?;
        self.row += 1;
        Some(self.example(listed))
    }
}

fn extension(name: &OsString) -> Option<String> {
    let end = Path::new(name).extension()?.to_str()?;
    Some(end.to_ascii_lowercase())
}

/// The text files of a picture, among sorted names: those that begin with its name up to its extension and a full stop, and go
/// on with `txt` or a language and `.txt`.
fn texts_of<'a>(
    picture: &OsString,
    texts: &'a [OsString],
) -> impl Iterator<Item = (&'a OsString, Option<Language>)> {
    let mut start = Path::new(picture)
        .file_stem()
        .unwrap_or_default()
        .to_owned();
    start.push(".");
    let first = texts.partition_point(|text| *text < start);
    let begins = |text: &&OsString| {
        text.as_encoded_bytes()
            .starts_with(start.as_encoded_bytes())
    };
    let near: Vec<&OsString> = texts[first..].iter().take_while(begins).collect();
    near.into_iter().filter_map(move |text| {
        let end = str::from_utf8(&text.as_encoded_bytes()[start.len()..]).ok()?;
        match end.rsplit_once('.') {
            None => Some((text, None)),
            Some((code, _)) => Some((text, Some(language(code)?))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_without_measure_are_errors_in_the_place_of_their_picture() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        for name in ["a.png", "b.png", "c.png"] {
            write(name, "");
        }
        write("a.en.txt", &"x".repeat(MAX_TEXT as usize + 1));
        write("b.de.txt", "x\n");
        write("b.en.txt", &"x\n".repeat(MAX_CAPTIONS));
        write("c.en.txt", &"x\n".repeat(MAX_CAPTIONS));
        let found: Vec<_> = FolderExamples::new(folder.path(), None).collect();
        assert!(matches!(
            found[0],
            Err(FolderError::Captions(
                whole_files::ReadError::TooLarge { .. }
            ))
        ));
        let message = found[1].as_ref().unwrap_err().to_string();
        assert!(message.contains("b.en.txt"), "{message}");
        assert_eq!(found[2].as_ref().unwrap().captions.len(), MAX_CAPTIONS);
    }

    #[test]
    fn pictures_come_by_name_with_the_captions_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (name, text) in [
            ("b.jpg", ""),
            ("b.txt", "\u{feff}a boat\r\n\nboats\n"),
            ("b.fr.txt", "un bateau"),
            ("b.draft.txt", "no language"),
            ("bb.txt", "of another picture"),
            ("a.PNG", ""),
            (".hidden.png", ""),
            ("notes.pdf", ""),
            ("in/c.webp", ""),
            ("in/c.German.txt", "ein Haus"),
            ("out/d.webp", ""),
        ] {
            write(name, text);
        }
        let english = language("en");
        let examples =
            FolderExamples::new(folder.path(), english).without(&folder.path().join("out"));
        let found: Vec<String> = examples
            .map(|example| {
                let example = example.unwrap();
                let ImageSource::File(path) = &example.image else {
                    panic!()
                };
                let captions = example
                    .captions
                    .iter()
                    .map(|c| format!("{} {}", &c.language.code[..2], c.text));
                let name = path
                    .strip_prefix(folder.path())
                    .unwrap()
                    .display()
                    .to_string();
                format!("{name}: {}", captions.collect::<Vec<_>>().join(", "))
            })
            .collect();
        assert_eq!(
            found,
            [
                "a.PNG: ",
                "b.jpg: fr un bateau, en a boat, en boats",
                "in/c.webp: de ein Haus"
            ]
        );
        let without: Vec<_> = FolderExamples::new(folder.path(), None).collect();
        let message = without[1].as_ref().unwrap_err().to_string();
        assert!(
            message.contains("b.txt") && message.contains("cat.en.txt"),
            "{message}"
        );
        let missing = FolderExamples::new(folder.path().join("none"), None).next();
        assert!(matches!(missing, Some(Err(FolderError::Folder { .. }))));
    }
}
