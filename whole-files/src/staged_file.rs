use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::sync_folder;
use crate::write::{create_temporary, folder_of};

/// A file that is written piece by piece and appears as a whole.
///
/// It is written beside its destination, under the destination's name with the ending `.part`, and takes its place with
/// [`commit`](Self::commit). One that is dropped without that is deleted; one of a process that was killed stays, and can be
/// deleted.
#[derive(Debug)]
pub struct StagedFile {
    /// `None` once it is closed.
    file: Option<BufWriter<File>>,
    temporary: PathBuf,
    destination: PathBuf,
}

impl StagedFile {
    /// The ending of the names of files that are not complete.
    pub const ENDING: &str = "part";

    /// Begins a file in a folder that exists.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn new(destination: impl Into<PathBuf>) -> io::Result<Self> {
        let destination = destination.into();
        let (temporary, file) = create_temporary(&destination)?;
        Ok(Self {
            file: Some(BufWriter::with_capacity(1 << 16, file)),
            temporary,
            destination,
        })
    }

    /// Where the file will be.
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// Waits until the content is on the disk, and gives the file its name, in place of an older one.
    ///
    /// # Errors
    /// The error of the operating system. The older file is still there then.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            // Closed here, because Windows does not rename an open file.
        }
        fs::rename(&self.temporary, &self.destination)?;
        sync_folder(folder_of(&self.destination));
        self.temporary = PathBuf::new();
        Ok(())
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for StagedFile {
    /// Deletes the file unless it was committed.
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // What is in the buffer is not wanted any more.
            drop(file.into_parts());
        }
        if self.temporary != Path::new("") {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut file = StagedFile::new(&path).unwrap();
        file.write_all(b"dropped").unwrap();
        assert!(!path.exists());
        assert_eq!(names(), 1);
        drop(file);
        assert_eq!(names(), 0);

        for content in ["first", "second"] {
            let mut file = StagedFile::new(&path).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            file.commit().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(), 1);
    }

    #[test]
    fn a_file_that_can_not_take_its_place_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let file = StagedFile::new(&path).unwrap();
        fs::create_dir_all(path.join("inside")).unwrap();
        assert!(file.commit().is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
