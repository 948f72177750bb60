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
use whole_files::limits;

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

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The commit of a revision when it was last downloaded.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if let Some(commit) = pinned(revision) {
            return Some(commit);
        }
        let commit = whole_files::read_text(self.reference(revision), limits::LINE).ok()?;
        let commit = commit.trim();
        is_commit(commit).then(|| commit.into())
    }

    /// Records the commit of a revision.
    pub(crate) fn record(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_parent(&self.folder, &path)?;
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

    /// Creates the folder of the contents.
    pub(crate) fn create_blobs(&self, etag: &Etag) -> Result<(), HubError> {
        create_parent(&self.folder, &self.blob(etag))
    }

    /// Waits until no other process downloads this content, and keeps others from doing so until the file is
    /// dropped.
    pub(crate) fn lock(&self, etag: &Etag) -> Result<File, HubError> {
        let path = self.locks.join(format!("{}.lock", etag.as_str()));
        create_parent(&self.locks, &path)?;
        let file = open_lock(&path).map_err(io_error("write", &path))?;
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
        create_parent(&self.folder, &pointer)?;
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

/// The commit, if a revision is the full hash of one. Git writes it in lower case and reads it in either.
pub(crate) fn pinned(revision: &str) -> Option<String> {
    let commit = revision.to_ascii_lowercase();
    is_commit(&commit).then_some(commit)
}

/// Creates the folder of a path below `root`. The root may be a link, since users move their caches to other disks, but a
/// link below it could lead what a server names into any folder.
fn create_parent(root: &Path, path: &Path) -> Result<(), HubError> {
    fs::create_dir_all(root).map_err(io_error("create the folder", root))?;
    let mut folder = root.to_owned();
    let below = path
        .parent()
        .and_then(|parent| parent.strip_prefix(root).ok());
    for name in below.into_iter().flatten() {
        folder.push(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(&folder).map_err(io_error("read", &folder))?;
                match found {
                    found if found.is_dir() => (),
                    found if found.is_symlink() => return Err(HubError::Link { path: folder }),
                    _ => return Err(io_error("create the folder", &folder)(error)),
                }
            }
            made => made.map_err(io_error("create the folder", &folder))?,
        }
    }
    Ok(())
}

/// Opens or creates a lock file, which other programs use too, so it is not replaced.
fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // A link would create a file elsewhere, and a pipe would wait for a reader.
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options.open(path)
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
        cache.create_blobs(&etag).unwrap();
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
    fn a_commit_is_known_in_either_case_and_a_reference_is_read_only_if_it_is_a_small_file() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            cache.commit(&commit.to_uppercase()).as_deref(),
            Some(commit)
        );
        let path = cache.reference("main");
        cache.record("main", commit).unwrap();
        fs::write(&path, format!("{commit}{}", " ".repeat(5_000))).unwrap();
        assert_eq!(cache.commit("main"), None);
        #[cfg(unix)]
        {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            assert_eq!(cache.commit("main"), None);
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
