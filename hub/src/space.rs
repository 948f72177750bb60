use std::path::Path;

use crate::HubError;

/// Fails if the file system of a folder does not have room for `needed` bytes. The folder need not exist yet.
pub(crate) fn check_space(folder: &Path, needed: u64) -> Result<(), HubError> {
    match available(folder) {
        Some(available) if available < needed => Err(HubError::NoSpace {
            folder: folder.into(),
            needed,
            available,
        }),
        _ => Ok(()),
    }
}

/// The bytes that this user may write; `None` if the system does not say it.
#[cfg(unix)]
fn available(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists());
    let status = rustix::fs::statvfs(existing.unwrap_or(Path::new("."))).ok()?;
    // Some network file systems do not know their size.
    (status.f_blocks > 0).then(|| status.f_bavail.saturating_mul(status.f_frsize))
}

#[cfg(not(unix))]
fn available(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("a/b");
        check_space(&absent, 1).unwrap();
        match check_space(&absent, u64::MAX).unwrap_err() {
            HubError::NoSpace { folder, needed, .. } => {
                assert_eq!((folder, needed), (absent, u64::MAX))
            }
            other => panic!("{other}"),
        }
    }
}
