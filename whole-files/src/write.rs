use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file. Its folder is created if it does not exist.
///
/// A reader of the file finds either the old or the new content, complete, even if the program or the machine stops
/// while it is written.
///
/// # Errors
/// The error of the operating system. The old file is still there then.
pub fn replace(path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let (temporary, file) = create_temporary(path)?;
    let result = write_and_close(file, content).and_then(|()| fs::rename(&temporary, path));
    match result {
        // Otherwise the new name could be lost again.
        Ok(()) => sync_folder(folder),
        // The first error is the one to report.
        Err(_) => drop(fs::remove_file(&temporary)),
    }
    result
}

/// Creates a file and waits until it is on the disk.
///
/// # Errors
/// The error of the operating system, also if the file exists.
pub fn write_new(path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
    write_and_close(File::create_new(path)?, content)
}

/// Waits until the names in a folder are on the disk, on systems that support this.
pub fn sync_folder(folder: impl AsRef<Path>) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Number of temporary files that this process has named.
static COUNT: AtomicU64 = AtomicU64::new(0);

fn temporary_path(path: &Path, count: u64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{count}.part", process::id()));
    path.with_file_name(name)
}

/// Creates an empty file in the folder of `path`, because a rename is atomic only within one file system.
pub(crate) fn create_temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let temporary = temporary_path(path, COUNT.fetch_add(1, Ordering::Relaxed));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            // A killed process with the same id left it, or a process on another machine is using it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => return Ok((temporary, opened?)),
        }
    }
}

/// Closes the file, because Windows does not rename an open one.
fn write_and_close(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    // Otherwise a crash after the rename could leave the new name with content that never reached the disk.
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
    fn the_folder_is_created_and_an_older_file_replaced() {
        let directory = tempfile::TempDir::new().unwrap();
        let folder = directory.path().join("a/b");
        for content in ["a longer text", "short"] {
            replace(folder.join("file.json"), content.as_bytes()).unwrap();
            let found = fs::read_to_string(folder.join("file.json")).unwrap();
            assert_eq!(found, content);
        }
        assert_eq!(names(&folder), ["file.json"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let directory = tempfile::TempDir::new().unwrap();
        // A file can't replace a folder.
        fs::create_dir_all(directory.path().join("file.json/inside")).unwrap();
        assert!(replace(directory.path().join("file.json"), b"text").is_err());
        assert_eq!(names(directory.path()), ["file.json"]);
    }

    #[test]
    fn temporary_files_of_a_killed_process_are_no_obstacle() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("file.json");
        let next = COUNT.load(Ordering::Relaxed);
        for count in next..next + 50 {
            fs::write(temporary_path(&path, count), "left").unwrap();
        }
        replace(&path, b"text").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "text");
    }

    #[test]
    fn readers_see_whole_files_while_threads_write() {
        let directory = tempfile::TempDir::new().unwrap();
        let contents = ["a".repeat(100_000), "b".repeat(200_000)];
        let path = directory.path().join("file.json");
        replace(&path, contents[0].as_bytes()).unwrap();
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| {
                    for _ in 0..20 {
                        replace(&path, content.as_bytes()).unwrap();
                    }
                });
            }
            for _ in 0..100 {
                let found = fs::read_to_string(&path).unwrap();
                assert!(contents.contains(&found));
            }
        });
        assert_eq!(names(directory.path()), ["file.json"]);
    }
}
