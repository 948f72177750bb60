//! Files of the cache that this program writes to. Whoever prepared the cache may have put a link in their place.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Opens a file for reading and writing, or creates it. If there is a link, another file with the same content under two
/// names, or something else than a file, it is removed first, and what it leads to stays as it is.
///
/// # Errors
/// The error of the operating system, for example if there is a folder.
pub(crate) fn open_own_file(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if is_own(&metadata) => {
            let file = options().open(path)?;
            // Another file may have taken its place in between.
            match is_own(&file.metadata()?) {
                true => Ok(file),
                false => Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "not a regular file",
                )),
            }
        }
        Ok(_) => {
            fs::remove_file(path)?;
            options().create_new(true).open(path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => options().create_new(true).open(path),
        Err(error) => Err(error),
    }
}

fn is_own(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    let has_one_name = std::os::unix::fs::MetadataExt::nlink(metadata) == 1;
    #[cfg(not(unix))]
    let has_one_name = true;
    metadata.is_file() && has_one_name
}

/// Options that follow no link and do not wait for the other end of a pipe, where the system has them.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits() as i32);
    }
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_kept_and_everything_else_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        open_own_file(&path).unwrap().write_all(b"kept").unwrap();
        open_own_file(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kept");

        fs::write(&other, "other").unwrap();
        let links: [&dyn Fn(); 4] = [
            &|| symlink(&other, &path).unwrap(),
            &|| symlink(folder.path().join("none"), &path).unwrap(),
            &|| fs::hard_link(&other, &path).unwrap(),
            &|| {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            },
        ];
        for make in links {
            fs::remove_file(&path).unwrap();
            make();
            open_own_file(&path).unwrap().write_all(b"mine").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"mine");
            assert_eq!(fs::read(&other).unwrap(), b"other");
            assert!(!folder.path().join("none").exists());
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        open_own_file(&path).unwrap_err();
    }
}
