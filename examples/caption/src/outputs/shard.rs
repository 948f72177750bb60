use std::io::{self, Cursor};
use std::path::{Component, Path};

use captioning::Language;
use tar::{Builder, EntryType, Header};
use whole_files::StagedFile;

use super::Sink;
use super::row::Row;
use crate::inputs::Picture;

/// A tar archive of pictures with their captions beside them, as WebDataset has them.
///
/// The pictures are read once more: those that are on their way through the model are many, and may be large.
pub(super) struct Shard<'a> {
    archive: Builder<StagedFile>,
    pictures: Box<dyn Iterator<Item = Picture> + Send + 'a>,
    languages: &'a [Language],
    number: u64,
}

impl<'a> Shard<'a> {
    /// Begins an archive of these pictures.
    pub(super) fn new(
        file: StagedFile,
        pictures: Box<dyn Iterator<Item = Picture> + Send + 'a>,
        languages: &'a [Language],
    ) -> Self {
        Self {
            archive: Builder::new(file),
            pictures,
            languages,
            number: 0,
        }
    }

    fn member(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        let content = Cursor::new(content);
        self.archive.append_data(&mut header, name, content)
    }
}

impl Sink for Shard<'_> {
    fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        let again = self.pictures.next();
        let again = again.filter(|picture| picture.path() == row.picture.path());
        let again = again.ok_or_else(|| {
            let problem = "the pictures have changed since they were captioned";
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })?;
        let key = match row.picture.place() {
            Some(_) => key(row.picture.path()),
            // Files of different folders may have one name.
            None => None,
        };
        let key = key.unwrap_or_else(|| format!("{:08}", self.number));
        self.number += 1;
        // What can't be read has an error beside its place.
        if let Ok(bytes) = again.bytes() {
            let ending = again.path().extension().and_then(|end| end.to_str());
            let ending = ending.filter(|end| end.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            self.member(&format!("{key}.{}", ending.unwrap_or("jpg")), &bytes)?;
        }
        self.member(&format!("{key}.json"), row.json()?.as_bytes())?;
        for (cell, language) in row.cells(self.languages).iter().zip(self.languages) {
            if let Some(text) = cell.text {
                let code = match *language == captioning::UNDETERMINED {
                    true => String::new(),
                    false => format!(".{}", language.code),
                };
                self.member(&format!("{key}{code}.txt"), text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<StagedFile> {
        self.archive.into_inner()
    }
}

/// The name of a member up to the first dot of its file name, as WebDataset splits it; `None` if it could lead anywhere else.
fn key(path: &Path) -> Option<String> {
    let is_plain = |part| matches!(part, Component::Normal(_));
    let (text, name) = (path.to_str()?, path.file_name()?.to_str()?);
    if !path.components().all(is_plain) {
        return None;
    }
    let (folder, start) = (text.strip_suffix(name)?, name.split('.').next()?);
    (!start.is_empty() && start != name).then(|| format!("{folder}{start}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_members_and_stay_within_the_archive() {
        let found = |path: &str| key(Path::new(path));
        assert_eq!(found("00/000000012.jpg").as_deref(), Some("00/000000012"));
        assert_eq!(found("a.b/c.png.jpg").as_deref(), Some("a.b/c"));
        for path in ["/etc/passwd.png", "../a.png", "row 5", ".png"] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
