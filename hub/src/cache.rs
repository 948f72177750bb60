//! The cache, with the layout of Python's `huggingface_hub`:
//!
//! ```text
//! models--owner--name/refs/<revision>                       the commit of a branch or tag
//! models--owner--name/blobs/<entity tag>                    the content of a file
//! models--owner--name/snapshots/<commit>/<path>             links to the contents
//! .locks/models--owner--name/<entity tag>.lock
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::io_error;
use crate::etag::Etag;
use crate::{HubError, HubModel};

/// The cache of one repository.
pub(crate) struct RepositoryCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepositoryCache {
    pub(crate) fn new(cache_folder: &Path, model: &HubModel) -> Self {
        let name = format!("models--{}", model.repository().replace('/', "--"));
        Self {
            locks: cache_folder.join(".locks").join(&name),
            folder: cache_folder.join(name),
        }
    }

    /// The commit of a revision when it was last downloaded.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.into());
        }
        let commit = fs::read_to_string(self.reference(revision)).ok()?;
        let commit = commit.trim();
        is_commit(commit).then(|| commit.into())
    }

    /// Records the commit of a revision.
    pub(crate) fn record(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_parent(&path)?;
        let write = || {
            let mut file = temporary_file(&path, |path| File::create_new(path))?;
            file.as_file_mut().write_all(commit.as_bytes())?;
            file.persist(&path).map_err(|error| error.error)
        };
        write().map(drop).map_err(io_error("write", &path))
    }

    /// The folder with the files of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The path of a content.
    pub(crate) fn blob(&self, etag: &Etag) -> PathBuf {
        self.folder.join("blobs").join(etag.as_str())
    }

    /// The path of a content that is not complete.
    pub(crate) fn incomplete(&self, etag: &Etag) -> PathBuf {
        self.folder
            .join("blobs")
            .join(format!("{}.incomplete", etag.as_str()))
    }

    /// Waits until no other process downloads this content, and keeps others from doing so until the file is
    /// dropped.
    pub(crate) fn lock(&self, etag: &Etag) -> Result<File, HubError> {
        let path = self.locks.join(format!("{}.lock", etag.as_str()));
        create_parent(&path)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error("write", &path))?;
        match file.lock() {
            Ok(()) => Ok(file),
            // Some network file systems can't lock. Two processes then write the same bytes.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(file),
            Err(error) => Err(io_error("lock", &path)(error)),
        }
    }

    /// Makes a checked content visible as a file of a commit.
    pub(crate) fn publish(&self, etag: &Etag, commit: &str, path: &str) -> Result<(), HubError> {
        let pointer = self.snapshot(commit).join(path);
        create_parent(&pointer)?;
        // From the folder of the file up to that of the repository, then down to the content.
        let up = "../".repeat(path.split('/').count() + 1);
        let target = format!("{up}blobs/{}", etag.as_str());
        let blob = self.blob(etag);
        let link = |path: &Path| symbolic_link(&target, path).or_else(|_| copy(&blob, path));
        // Links are created in the folder of the contents and then moved, because every file in a snapshot
        // counts as complete.
        temporary_file(&blob, link)
            .and_then(|link| Ok(link.into_temp_path().persist(&pointer)?))
            .map_err(io_error("write", &pointer))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }
}

/// Whether a text is the full hash of a git commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn create_parent(path: &Path) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io_error("create the folder", folder))
}

/// Creates a temporary file in the folder of `path`, to be renamed to it. Unlike other temporary files it
/// has the permissions that the user gives to new files, because users may share a cache.
fn temporary_file<T>(
    path: &Path,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<T>> {
    let folder = path.parent().unwrap_or(path);
    Builder::new().suffix(".tmp").make_in(folder, make)
}

#[cfg(unix)]
fn symbolic_link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symbolic_link(target: &str, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target.replace('/', "\\"), path)
}

#[cfg(not(any(unix, windows)))]
fn symbolic_link(_target: &str, _path: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Replaces a symbolic link where the system has none or the user may not create them.
fn copy(blob: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(blob, path).or_else(|_| fs::copy(blob, path).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> RepositoryCache {
        RepositoryCache::new(folder, &HubModel::new("owner/name").unwrap())
    }

    #[test]
    fn revisions_are_remembered_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(cache.commit("refs/pr/1"), None);
        cache.record("refs/pr/1", commit).unwrap();
        assert_eq!(cache.commit("refs/pr/1").as_deref(), Some(commit));
        let path = folder.path().join("models--owner--name/refs/refs/pr/1");
        assert_eq!(fs::read_to_string(&path).unwrap(), commit);

        // A commit needs no file, and a damaged file is ignored.
        assert_eq!(cache.commit(commit).as_deref(), Some(commit));
        fs::write(path, "../../elsewhere").unwrap();
        assert_eq!(cache.commit("refs/pr/1"), None);
    }

    #[test]
    fn a_published_blob_is_read_through_a_relative_link() {
        let folder = tempfile::tempdir().unwrap();
        let moved = tempfile::tempdir().unwrap();
        let etag = Etag::parse("abc").unwrap();
        let cache = cache(folder.path());
        create_parent(&cache.blob(&etag)).unwrap();
        fs::write(cache.blob(&etag), "content").unwrap();
        for path in ["config.json", "a/b/config.json", "config.json"] {
            cache.publish(&etag, "commit", path).unwrap();
        }
        // The blobs, and no temporary link beside them.
        assert_eq!(
            fs::read_dir(cache.blob(&etag).parent().unwrap())
                .unwrap()
                .count(),
            1
        );

        let target = moved.path().join("cache");
        fs::rename(folder.path(), &target).unwrap();
        for path in ["config.json", "a/b/config.json"] {
            let pointer = target
                .join("models--owner--name/snapshots/commit")
                .join(path);
            assert_eq!(fs::read_to_string(pointer).unwrap(), "content");
        }
    }

    #[test]
    fn a_copy_stands_in_for_a_symbolic_link() {
        let folder = tempfile::tempdir().unwrap();
        let (blob, path) = (folder.path().join("blob"), folder.path().join("path"));
        fs::write(&blob, "content").unwrap();
        copy(&blob, &path).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "content");
    }

    #[test]
    fn a_lock_keeps_others_out_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let etag = Etag::parse("abc").unwrap();
        let held = cache(folder.path()).lock(&etag).unwrap();
        let path = folder.path().join(".locks/models--owner--name/abc.lock");
        let other = File::open(path).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        other.try_lock().unwrap();
    }
}
