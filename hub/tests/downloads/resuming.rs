//! Transfers that break off.

use std::fs;

use hub::{HubError, HubModel};

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{Fault, Host, TestHub, needed, transferred};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

/// The ranges that were requested from the storage since the last call; `None` is the whole file.
fn ranges(hub: &TestHub) -> Vec<Option<String>> {
    let log = hub.take_log();
    let storage = log.iter().filter(|(host, _)| *host == Host::Storage);
    storage
        .map(|(_, request)| request.headers.get("range").cloned())
        .collect()
}

fn range(start: usize) -> Option<String> {
    Some(format!("bytes={start}-"))
}

/// Downloads with these faults of the storage and returns the ranges that were requested.
fn download_with(faults: impl IntoIterator<Item = Fault>) -> Vec<Option<String>> {
    let hub = hub();
    hub.fail(Host::Storage, "GET", "model", faults);
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
    assert!(hub.incomplete().is_empty());
    ranges(&hub)
}

#[test]
fn a_transfer_that_was_cut_continues_where_it_stopped() {
    let faults = [Fault::Cut(200_000), Fault::NoAnswer, Fault::Cut(50_000)];
    let expected = [None, range(200_000), range(200_000), range(250_000)];
    assert_eq!(download_with(faults), expected);
}

#[test]
fn progress_resets_the_number_of_attempts() {
    let faults = (1..=10).map(|_| Fault::Cut(1_000));
    let expected: Vec<_> = (1..=10).map(|i| range(1_000 * i)).collect();
    assert_eq!(download_with(faults)[1..], expected);
}

#[test]
fn a_body_of_unknown_length_is_complete_when_all_bytes_came() {
    assert_eq!(download_with([Fault::CutUnannounced(300_000)]), [None]);
    let expected = [None, range(200_000)];
    assert_eq!(download_with([Fault::CutUnannounced(200_000)]), expected);
}

#[test]
fn a_server_without_ranges_starts_again() {
    assert_eq!(
        download_with([Fault::Cut(1_000), Fault::IgnoreRange]),
        [None, range(1_000)]
    );
}

#[test]
fn a_range_that_is_refused_or_wrong_is_not_requested_again() {
    for wrong in [Fault::status(416, ""), Fault::WrongRange] {
        assert_eq!(
            download_with([Fault::Cut(1_000), wrong]),
            [None, range(1_000), None]
        );
    }
}

#[test]
fn requests_to_failing_servers_are_repeated() {
    for status in [408, 429, 500, 503] {
        let hub = hub();
        hub.fail(Host::Hub, "GET", "/api/", [Fault::status(status, "")]);
        hub.fail(Host::Hub, "HEAD", "config", [Fault::status(status, "")]);
        hub.fail(Host::Hub, "HEAD", "tokenizer", [Fault::NoAnswer]);
        hub.fail(Host::Hub, "GET", "config", [Fault::status(status, "")]);
        hub.fail(Host::Storage, "GET", "model", [Fault::status(status, "")]);
        assert_holds(
            &hub.checkpoint("owner/name").unwrap(),
            &checkpoint(1),
            &NEEDED,
        );
    }
}

#[test]
fn other_refusals_are_final() {
    let hub = hub();
    hub.fail(Host::Storage, "GET", "model", [Fault::status(403, "")]);
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::Status { url, status } => {
            assert_eq!(status, 403);
            assert!(url.ends_with("/model.safetensors"), "{url}");
        }
        other => panic!("{other}"),
    }
    assert_eq!(ranges(&hub).len(), 1);
}

#[test]
fn an_incomplete_transfer_is_not_published_and_a_later_run_continues_it() {
    let hub = hub();
    hub.fail(Host::Storage, "GET", "model", [Fault::Cut(1_000)]);
    hub.fail(
        Host::Storage,
        "GET",
        "model",
        [Fault::Cut(0), Fault::Cut(0), Fault::NoAnswer],
    );
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::Interrupted {
            file, done, size, ..
        } => {
            assert_eq!(
                (file.as_str(), done, size),
                ("model.safetensors", 1_000, 300_000)
            );
        }
        other => panic!("{other}"),
    }
    let snapshot = hub
        .repository_cache()
        .join("snapshots")
        .join("a".repeat(40));
    assert!(fs::symlink_metadata(snapshot.join("model.safetensors")).is_err());
    assert_eq!(fs::metadata(&hub.incomplete()[0]).unwrap().len(), 1_000);
    ranges(&hub);

    hub.heal();
    let model = HubModel::new("owner/name").unwrap();
    let mut steps = Vec::new();
    let folder = hub
        .client()
        .fetch(&model, needed, &mut |progress| {
            let (_, done, total) = transferred(progress);
            steps.push((done, total));
        })
        .unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
    assert_eq!(steps[0], (1_000, 300_000));
    assert_eq!(ranges(&hub), [range(1_000)]);
}

/// A Hub with `content` as the transferred part of the large file.
fn with_part(content: &[u8]) -> TestHub {
    let hub = hub();
    let blobs = hub.repository_cache().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let etag = checkpoint(1)["model.safetensors"].etag();
    fs::write(blobs.join(format!("{etag}.incomplete")), content).unwrap();
    hub
}

#[test]
fn a_part_that_is_complete_is_only_checked() {
    let hub = with_part(&checkpoint(1)["model.safetensors"].content);
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
    assert!(ranges(&hub).is_empty());
}

#[test]
fn a_part_that_is_too_long_is_discarded() {
    let hub = with_part(&[1; 300_001]);
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
    assert_eq!(ranges(&hub), [None]);
}

#[test]
fn the_hash_covers_what_an_earlier_run_left() {
    let hub = with_part(&[1; 1_000]);
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(matches!(error, HubError::Hash { .. }), "{error}");
    assert_eq!(ranges(&hub), [range(1_000)]);
    assert!(hub.incomplete().is_empty());
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
}
