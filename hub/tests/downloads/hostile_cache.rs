//! Caches that somebody else prepared.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hub::HubError;

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{Fault, Host, TestHub};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

/// A folder outside the cache with a file, which nothing may change.
struct Outside(tempfile::TempDir);

impl Outside {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "untouched").unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("file")
    }

    fn assert_untouched(&self) {
        assert_eq!(fs::read(self.file()).unwrap(), b"untouched");
        assert_eq!(fs::read_dir(self.0.path()).unwrap().count(), 1);
    }
}

fn link(target: &Path, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

#[test]
fn a_link_in_place_of_an_incomplete_file_or_a_content_is_replaced() {
    let etag = checkpoint(1)["model.safetensors"].etag();
    for name in [etag.clone(), format!("{etag}.incomplete")] {
        for is_dangling in [false, true] {
            let (hub, outside) = (hub(), Outside::new());
            let target = match is_dangling {
                true => outside.0.path().join("none"),
                false => outside.file(),
            };
            link(&target, &hub.repository_cache().join("blobs").join(&name));
            let folder = hub.checkpoint("owner/name").unwrap();
            assert_holds(&folder, &checkpoint(1), &NEEDED);
            outside.assert_untouched();
        }
    }
}

#[test]
fn a_second_name_of_another_file_is_not_written_to() {
    let (hub, outside) = (hub(), Outside::new());
    let etag = checkpoint(1)["model.safetensors"].etag();
    let path = hub
        .repository_cache()
        .join(format!("blobs/{etag}.incomplete"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::hard_link(outside.file(), path).unwrap();
    hub.checkpoint("owner/name").unwrap();
    outside.assert_untouched();
}

#[test]
fn a_link_in_place_of_a_file_or_a_reference_is_replaced() {
    let (hub, outside) = (hub(), Outside::new());
    let cache = hub.repository_cache();
    let snapshot = cache.join("snapshots").join("a".repeat(40));
    link(
        &outside.0.path().join("none"),
        &snapshot.join("config.json"),
    );
    link(&outside.file(), &cache.join("refs/main"));
    let folder = hub.checkpoint("owner/name").unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
    assert_eq!(
        fs::read_to_string(cache.join("refs/main")).unwrap(),
        "a".repeat(40)
    );
    outside.assert_untouched();
}

#[test]
fn a_link_in_place_of_a_folder_is_refused() {
    for name in [
        "blobs",
        "snapshots",
        &format!("snapshots/{}", "a".repeat(40)),
        "refs",
    ] {
        let (hub, outside) = (hub(), Outside::new());
        let path = hub.repository_cache().join(name);
        link(outside.0.path(), &path);
        match hub.checkpoint("owner/name").unwrap_err() {
            HubError::Link { path: found } => assert_eq!(found, path),
            other => panic!("{name}: {other}"),
        }
        outside.assert_untouched();
    }
}

#[test]
fn a_lock_that_is_a_link_or_a_pipe_is_an_error() {
    let etag = checkpoint(1)["config.json"].etag();
    for is_pipe in [false, true] {
        let (hub, outside) = (hub(), Outside::new());
        let path = hub
            .cache()
            .join(format!(".locks/models--owner--name/{etag}.lock"));
        match is_pipe {
            false => link(&outside.0.path().join("none"), &path),
            true => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            }
        }
        let error = hub.checkpoint("owner/name").unwrap_err();
        assert!(matches!(error, HubError::Io { .. }), "{error}");
        outside.assert_untouched();
    }
}

#[test]
fn a_cache_on_another_disk_may_be_a_link() {
    let (hub, other) = (hub(), tempfile::tempdir().unwrap());
    symlink(other.path(), hub.repository_cache()).unwrap();
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
}

#[test]
fn a_reference_that_is_endless_or_long_is_no_commit() {
    let hub = hub();
    hub.checkpoint("owner/name").unwrap();
    let reference = hub.repository_cache().join("refs/main");
    let long = format!("{}{}", "a".repeat(40), "\n".repeat(1 << 20));
    for make in [&|| symlink("/dev/zero", &reference).unwrap(), &|| {
        fs::write(&reference, &long).unwrap()
    }] as [&dyn Fn(); 2]
    {
        fs::remove_file(&reference).unwrap();
        make();
        hub.fail(Host::Hub, "GET", "/api/", [Fault::NoAnswer]);
        let error = hub.checkpoint("owner/name").unwrap_err();
        assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
        hub.heal();
    }
}
