use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

/// Writes the file `name` into `folder`, which is made if there is none.
///
/// Whoever opens the file finds the old content or the new one, whole, even after a crash on the way.
///
/// # Errors
/// [`Error::Write`] inside [`Error::File`], which names the file.
pub(crate) fn save(folder: &Path, name: &str, content: &str) -> Result<(), Error> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| replace(&path, content.as_bytes()))
        .map_err(|error| Error::Write(error).in_file(&path))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let (temporary, file) = create_beside(path)?;
    let result = fill(file, content).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    result
}

/// How many temporary files this process has named.
static COUNT: AtomicU64 = AtomicU64::new(0);

fn temporary(path: &Path, count: u64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{count}.part", process::id()));
    path.with_file_name(name)
}

/// A new, empty file in the same folder, for a rename is atomic within one file system only.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let temporary = temporary(path, COUNT.fetch_add(1, Ordering::Relaxed));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            // Left by a process of the same id that was killed, or in use by one on another machine.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => return Ok((temporary, opened?)),
        }
    }
}

/// Takes the file, so that it is closed before the rename, as Windows wants it.
fn fill(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    // Else a crash could leave the new name with content that never reached the disk.
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_folder_is_made_and_an_older_file_replaced() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = place.path().join("a/b");
        for content in ["a longer text", "short"] {
            save(&folder, "file.json", content).unwrap();
            let found = fs::read_to_string(folder.join("file.json")).unwrap();
            assert_eq!(found, content);
        }
        assert_eq!(names(&folder), ["file.json"]);
    }

    #[test]
    fn a_failure_names_the_file_and_leaves_nothing_behind() {
        let place = tempfile::TempDir::new().unwrap();
        // No file can take the place of a folder.
        fs::create_dir_all(place.path().join("file.json/inside")).unwrap();
        let error = save(place.path(), "file.json", "text").unwrap_err();
        assert!(matches!(error.cause(), Error::Write(_)), "{error}");
        assert!(error.to_string().contains("file.json"), "{error}");
        assert_eq!(names(place.path()), ["file.json"]);
    }

    #[test]
    fn what_a_killed_process_left_behind_is_no_obstacle() {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("file.json");
        let next = COUNT.load(Ordering::Relaxed);
        for count in next..next + 50 {
            fs::write(temporary(&path, count), "left").unwrap();
        }
        save(place.path(), "file.json", "text").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "text");
    }

    #[test]
    fn readers_see_whole_files_while_threads_write() {
        let place = tempfile::TempDir::new().unwrap();
        let contents = ["a".repeat(100_000), "b".repeat(200_000)];
        save(place.path(), "file.json", &contents[0]).unwrap();
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| {
                    for _ in 0..20 {
                        save(place.path(), "file.json", content).unwrap();
                    }
                });
            }
            for _ in 0..100 {
                let found = fs::read_to_string(place.path().join("file.json")).unwrap();
                assert!(contents.contains(&found));
            }
        });
        assert_eq!(names(place.path()), ["file.json"]);
    }
}
