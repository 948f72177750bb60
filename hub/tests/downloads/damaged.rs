//! Contents that differ from what the Hub announced.

use std::fs;

use hub::HubError;

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, Storage, checkpoint};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

/// The error of a download with one fault. It must not leave anything that the next download uses.
fn error_with(host: Host, file: &str, fault: Fault) -> HubError {
    let hub = hub();
    hub.fail(host, "GET", file, [fault]);
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(error.to_string().starts_with(file), "{error}");
    assert!(hub.incomplete().is_empty());
    let pointer = hub
        .repository_cache()
        .join("snapshots")
        .join("a".repeat(40))
        .join(file);
    assert!(fs::symlink_metadata(pointer).is_err());
    let blob = hub
        .repository_cache()
        .join("blobs")
        .join(checkpoint(1)[file].etag());
    assert!(!blob.exists());

    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
    error
}

#[test]
fn a_changed_byte_is_found_by_either_hash() {
    for (host, file) in [
        (Host::Storage, "model.safetensors"),
        (Host::Hub, "tokenizer.json"),
    ] {
        match error_with(host, file, Fault::Flip) {
            HubError::Hash {
                expected, found, ..
            } => {
                assert_eq!(expected, checkpoint(1)[file].etag());
                assert_eq!(found.len(), expected.len());
                assert_ne!(found, expected);
            }
            other => panic!("{file}: {other}"),
        }
    }
}

#[test]
fn a_file_of_another_size_is_refused() {
    for length in [0, 299_999, 300_001] {
        match error_with(Host::Storage, "model.safetensors", Fault::Resize(length)) {
            HubError::Size {
                expected, found, ..
            } => {
                assert_eq!((expected, found), (300_000, length as u64));
            }
            other => panic!("{length}: {other}"),
        }
    }
    let mut endless = Reply::new(200, vec![1; 400_000]);
    endless.with_length = false;
    let error = error_with(Host::Storage, "model.safetensors", Fault::Answer(endless));
    assert!(matches!(error, HubError::Size { .. }), "{error}");
}

#[test]
fn the_rest_of_a_file_of_another_size_is_refused() {
    let hub = hub();
    let range = Reply::new(206, [1; 9]).with_header("Content-Range", "bytes 1000-1008/1009");
    let faults = [Fault::Cut(1_000), Fault::Answer(range)];
    hub.fail(Host::Storage, "GET", "model", faults);
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::Size { found, .. } => assert_eq!(found, 1_009),
        other => panic!("{other}"),
    }
    assert!(hub.incomplete().is_empty());
    hub.checkpoint("owner/name").unwrap();
}

#[test]
fn only_the_size_of_a_file_with_a_tag_of_another_kind_is_checked() {
    let mut files = checkpoint(1);
    files.get_mut("tokenizer.json").unwrap().storage = Storage::Tagged("5d41402a-2");
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files));
    hub.fail(
        Host::Hub,
        "GET",
        "tokenizer",
        [Fault::Resize(4_000), Fault::Flip],
    );
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(matches!(error, HubError::Size { .. }), "{error}");
    let folder = hub.checkpoint("owner/name").unwrap();
    assert!(hub.repository_cache().join("blobs/5d41402a-2").is_file());
    let found = fs::read(folder.join("tokenizer.json")).unwrap();
    assert_eq!(found[1..], checkpoint(1)["tokenizer.json"].content[1..]);
}

#[test]
fn answers_without_a_usable_tag_or_size_are_refused() {
    let reply = |etag: &str| Reply::new(200, "").with_header("ETag", etag);
    let mut no_size = reply("\"abc\"");
    no_size.with_length = false;
    for (reply, reason) in [
        (Reply::new(200, ""), "no entity tag"),
        (reply("\"../../refs/main\""), "not a valid file name"),
        (no_size, "no size"),
        (
            reply("\"abc\"").with_header("X-Linked-Size", "-1"),
            "no size",
        ),
    ] {
        let hub = hub();
        hub.fail(Host::Hub, "HEAD", "config.json", [Fault::Answer(reply)]);
        match hub.checkpoint("owner/name").unwrap_err() {
            HubError::Response { reason: found, .. } => assert!(found.contains(reason), "{found}"),
            other => panic!("{other}"),
        }
        assert!(!hub.repository_cache().exists());
    }
}

#[test]
fn a_blob_of_another_size_is_fetched_again() {
    let hub = hub();
    let blob = hub
        .repository_cache()
        .join("blobs")
        .join(checkpoint(1)["config.json"].etag());
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    fs::write(blob, "{").unwrap();
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
}
