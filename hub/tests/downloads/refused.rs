//! Answers that make a download fail before it begins.

use hub::HubError;

use crate::repository::{Repository, Storage, checkpoint, stored};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

fn assert_untouched(hub: &TestHub) {
    assert_eq!(hub.cache().read_dir().unwrap().count(), 0);
}

#[test]
fn missing_models_revisions_and_files_are_distinguished() {
    let hub = hub();
    match hub.checkpoint("owner/nothing").unwrap_err() {
        HubError::NoRepository { repository, .. } => assert_eq!(repository, "owner/nothing"),
        other => panic!("{other}"),
    }
    match hub.checkpoint("owner/name@v9").unwrap_err() {
        HubError::NoRevision { revision, .. } => assert_eq!(revision, "v9"),
        other => panic!("{other}"),
    }
    hub.fail(
        Host::Hub,
        "HEAD",
        "tokenizer",
        [Fault::status(404, "EntryNotFound")],
    );
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::NoFile { file, .. } => assert_eq!(file, "tokenizer.json"),
        other => panic!("{other}"),
    }
    // A mirror may not say what is missing.
    hub.fail(Host::Hub, "GET", "/api/", [Fault::status(404, "")]);
    let error = hub.checkpoint("owner/name").unwrap_err().to_string();
    assert!(
        error.contains("no model owner/name, or not with revision main"),
        "{error}"
    );
    assert_untouched(&hub);
    hub.checkpoint("owner/name").unwrap();
}

#[test]
fn an_error_of_denied_access_says_what_to_do() {
    for (status, code) in [(401, "RepoNotFound"), (401, ""), (403, "GatedRepo")] {
        for (method, target) in [
            ("GET", "/api/"),
            ("HEAD", "config.json"),
            ("GET", "config.json"),
        ] {
            let hub = hub();
            hub.fail(Host::Hub, method, target, [Fault::status(status, code)]);
            let error = hub.checkpoint("owner/name").unwrap_err();
            assert!(
                matches!(error, HubError::Denied { status: s, .. } if s == status),
                "{error}"
            );
            for part in [
                "owner/name",
                "no such model",
                "private",
                "gated",
                "HF_TOKEN",
            ] {
                assert!(error.to_string().contains(part), "{error}");
            }
            assert!(!hub.repository_cache().join("snapshots").exists());
            hub.checkpoint("owner/name").unwrap();
        }
    }
}

#[test]
fn a_name_that_could_leave_the_cache_is_refused() {
    for name in ["../a", "/etc/a", "a/../../b", "a\\b", "a\0b", "a//b", ""] {
        let mut files = checkpoint(1);
        files.insert(name.into(), stored(b"bad", Storage::Git));
        let hub = TestHub::new(Repository::default().with_revision("main", 'a', files));
        match hub.checkpoint("owner/name").unwrap_err() {
            HubError::UnsafeName { name: found, .. } => assert_eq!(found, name),
            other => panic!("{name:?}: {other}"),
        }
        assert_untouched(&hub);
    }
}

#[test]
fn invalid_answers_are_refused() {
    let commit = r#"{"sha": "../../../x", "siblings": []}"#;
    let address = "not an address";
    for (reply, reason) in [
        (Reply::new(200, "<html>Log in</html>"), "invalid JSON"),
        (Reply::new(200, commit), "no commit"),
        (Reply::new(200, vec![b' '; (32 << 20) + 1]), "more than"),
        (
            Reply::new(302, "").with_header("Location", address),
            "a redirect to",
        ),
        (
            Reply::new(302, "").with_header("Location", "file:///etc/passwd"),
            "a redirect to",
        ),
    ] {
        let hub = hub();
        hub.fail(Host::Hub, "GET", "/api/", [Fault::Answer(reply)]);
        match hub.checkpoint("owner/name").unwrap_err() {
            HubError::Response { reason: found, .. } => assert!(found.contains(reason), "{found}"),
            other => panic!("{other}"),
        }
        assert_untouched(&hub);
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let hub = hub();
    hub.rename("owner/name", "owner/name");
    let error = hub.checkpoint("owner/name").unwrap_err().to_string();
    assert!(error.contains("more than 10 redirects"), "{error}");
}

#[test]
fn a_repository_that_is_no_checkpoint_says_what_it_has() {
    let mut files = checkpoint(1);
    files.remove("model.safetensors");
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files));
    let error = hub.checkpoint("owner/name").unwrap_err();
    let HubError::Files { source, .. } = error else {
        panic!("{error}");
    };
    let expected = "expected model.safetensors, found README.md, config.json, tokenizer.json";
    assert_eq!(source.to_string(), expected);
    assert_untouched(&hub);
}
