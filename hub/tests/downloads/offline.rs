//! What is used when the Hub is not available.

use std::fs;
use std::path::PathBuf;

use hub::{Hub, HubError, Progress};

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{Fault, Host, TestHub, needed};

fn hub() -> TestHub {
    let mut files = checkpoint(1);
    for (path, file) in checkpoint(2) {
        files.insert(format!("sub/{path}"), file);
    }
    TestHub::new(Repository::default().with_revision("main", 'a', files))
}

fn offline(hub: &TestHub) -> Hub {
    hub.client().with_offline(true)
}

/// A client of a server that does not exist: no program listens on port 1.
fn unreachable(hub: &TestHub) -> Hub {
    hub.client().with_endpoint("http://127.0.0.1:1").unwrap()
}

fn checkpoint_of(hub: &Hub, model: &str) -> Result<PathBuf, HubError> {
    hub.fetch(&model.parse().unwrap(), needed, &mut |_| ())
}

#[test]
fn a_model_in_the_cache_needs_no_network() {
    let hub = hub();
    let commit = format!("owner/name@{}", "a".repeat(40));
    for model in ["owner/name", "owner/name:sub"] {
        let folder = hub.checkpoint(model).unwrap();
        hub.take_log();
        assert_eq!(checkpoint_of(&offline(&hub), model).unwrap(), folder);
        assert!(hub.take_log().is_empty());
        assert_eq!(checkpoint_of(&unreachable(&hub), model).unwrap(), folder);
    }
    let folder = checkpoint_of(&offline(&hub), &commit).unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
    let snapshot = offline(&hub)
        .files(&"owner/name:sub".parse().unwrap())
        .unwrap();
    assert_eq!(
        snapshot.files(),
        ["config.json", "model.safetensors", "tokenizer.json"]
    );
}

#[test]
fn a_model_that_was_never_downloaded_is_an_error_offline() {
    let hub = hub();
    hub.checkpoint("owner/name").unwrap();
    for model in [
        "owner/other",
        "owner/name@v2",
        &format!("owner/name@{}", "b".repeat(40)),
    ] {
        let error = checkpoint_of(&offline(&hub), model).unwrap_err();
        assert!(matches!(error, HubError::NotCached { .. }), "{error}");
        for part in [model, "never downloaded", "HF_HUB_OFFLINE"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
    // The repository is in the cache, but not this folder of it.
    let error = checkpoint_of(&offline(&hub), "owner/name:sub").unwrap_err();
    assert!(matches!(error, HubError::NotCached { .. }), "{error}");
}

#[test]
fn a_server_that_does_not_exist_is_named() {
    let error = checkpoint_of(&unreachable(&hub()), "owner/name").unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    for part in [
        "http://127.0.0.1:1 ",
        "network",
        "HF_ENDPOINT",
        "HF_HUB_OFFLINE",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_model_that_is_only_partly_in_the_cache_is_an_error() {
    let hub = hub();
    let model = "owner/name".parse().unwrap();
    let snapshot = hub.client().files(&model).unwrap();
    hub.client()
        .download(&snapshot, &["config.json".into()], &mut |_| ())
        .unwrap();
    match checkpoint_of(&offline(&hub), "owner/name").unwrap_err() {
        HubError::NotCached { reason, .. } => {
            assert!(reason.contains("model.safetensors"), "{reason}")
        }
        other => panic!("{other}"),
    }
    let error = checkpoint_of(&unreachable(&hub), "owner/name").unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
}

#[test]
fn a_hub_that_fails_or_denies_access_does_not_disable_the_cache() {
    let hub = hub();
    let folder = hub.checkpoint("owner/name").unwrap();
    for (status, code) in [
        (500, ""),
        (429, ""),
        (401, ""),
        (403, "GatedRepo"),
        (404, "RepoNotFound"),
    ] {
        hub.fail(
            Host::Hub,
            "GET",
            "/api/",
            vec![Fault::status(status, code); 3],
        );
        assert_eq!(hub.checkpoint("owner/name").unwrap(), folder, "{status}");
        hub.heal();
    }
    hub.fail(Host::Hub, "GET", "/api/", [Fault::Cut(10)]);
    assert_eq!(hub.checkpoint("owner/name").unwrap(), folder);

    // A revision that does not exist is not a failure of the Hub.
    hub.fail(
        Host::Hub,
        "GET",
        "/api/",
        [Fault::status(404, "RevisionNotFound")],
    );
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(matches!(error, HubError::NoRevision { .. }), "{error}");
}

/// The notices of a download: name, commit and reason.
fn notices(hub: &Hub) -> Vec<(String, String, String)> {
    let mut notices = Vec::new();
    let mut note = |progress: Progress<'_>| {
        if let Progress::FromCache {
            model,
            commit,
            reason,
            ..
        } = progress
        {
            notices.push((model.to_string(), commit.into(), reason.to_string()));
        }
    };
    hub.fetch(&"owner/name".parse().unwrap(), needed, &mut note)
        .unwrap();
    notices
}

#[test]
fn who_gets_the_cache_instead_of_the_hub_is_told_so_once() {
    let hub = hub();
    assert!(notices(&hub.client()).is_empty());
    assert!(notices(&hub.client()).is_empty());
    // To use only the cache is what the user asked for.
    assert!(notices(&offline(&hub)).is_empty());
    let expect = |client: &Hub, part: &str| {
        let [(model, commit, reason)] = &notices(client)[..] else {
            panic!("not one notice");
        };
        assert_eq!(
            (model.as_str(), commit.as_str()),
            ("owner/name", &*"a".repeat(40))
        );
        assert!(reason.contains(part), "{reason}");
    };
    expect(&unreachable(&hub), "can't reach http://127.0.0.1:1");
    for (status, code, part) in [
        (401, "", "refuses access"),
        (403, "GatedRepo", "refuses access"),
        (404, "RepoNotFound", "no model"),
        (500, "", "HTTP 500"),
        (429, "", "HTTP 429"),
    ] {
        hub.fail(
            Host::Hub,
            "GET",
            "/api/",
            vec![Fault::status(status, code); 3],
        );
        expect(&hub.client(), part);
        hub.heal();
    }
}

#[test]
fn an_update_that_failed_leaves_the_old_commit_in_use() {
    let hub = hub();
    let old = hub.checkpoint("owner/name").unwrap();
    hub.put(
        "owner/name",
        Repository::default().with_revision("main", 'b', checkpoint(3)),
    );
    hub.fail(Host::Storage, "GET", "model", vec![Fault::Cut(0); 3]);
    hub.checkpoint("owner/name").unwrap_err();
    assert_eq!(checkpoint_of(&offline(&hub), "owner/name").unwrap(), old);
    let new = hub.checkpoint("owner/name").unwrap();
    assert_ne!(new, old);
    assert_eq!(checkpoint_of(&offline(&hub), "owner/name").unwrap(), new);
    assert_holds(&old, &checkpoint(1), &NEEDED);
}

#[test]
fn a_dangling_link_is_not_a_file() {
    let hub = hub();
    hub.checkpoint("owner/name").unwrap();
    let etag = checkpoint(1)["model.safetensors"].etag();
    fs::remove_file(hub.repository_cache().join("blobs").join(etag)).unwrap();
    if cfg!(unix) {
        let error = checkpoint_of(&offline(&hub), "owner/name").unwrap_err();
        assert!(matches!(error, HubError::NotCached { .. }), "{error}");
    }
    assert_holds(
        &hub.checkpoint("owner/name").unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
}

#[test]
fn a_revision_that_can_not_be_recorded_is_no_error_if_all_files_are_cached() {
    let hub = hub();
    let folder = hub.checkpoint("owner/name").unwrap();
    let references = hub.repository_cache().join("refs");
    fs::remove_dir_all(&references).unwrap();
    fs::write(&references, "in the way").unwrap();
    assert_eq!(hub.checkpoint("owner/name").unwrap(), folder);

    fs::remove_file(folder.join("config.json")).unwrap();
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(matches!(error, HubError::Io { .. }), "{error}");
    assert!(error.to_string().contains("refs"), "{error}");
}
