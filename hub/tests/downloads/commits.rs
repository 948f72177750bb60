//! Servers that answer with another commit than the one that was asked for.

use hub::HubError;

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

fn pinned(digit: &str) -> String {
    format!("owner/name@{}", digit.repeat(40))
}

fn assert_refused(hub: &TestHub, model: &str, expected: &str, found: &str) {
    match hub.checkpoint(model).unwrap_err() {
        HubError::Commit {
            expected: wanted,
            found: other,
            ..
        } => assert_eq!((wanted.as_str(), other.as_str()), (expected, found)),
        other => panic!("{other}"),
    }
    let snapshots = hub.repository_cache().join("snapshots");
    let published = snapshots.join(expected).join("config.json");
    assert!(!published.exists());
}

#[test]
fn a_list_of_another_commit_than_the_pinned_one_is_refused() {
    let (a, b) = ("a".repeat(40), "b".repeat(40));
    let hub = hub();
    let list = format!(r#"{{"sha": "{b}", "siblings": [{{"rfilename": "config.json"}}]}}"#);
    hub.fail(
        Host::Hub,
        "GET",
        "/api/",
        [Fault::Answer(Reply::new(200, list))],
    );
    assert_refused(&hub, &pinned("a"), &a, &b);
    assert_holds(
        &hub.checkpoint(&pinned("a")).unwrap(),
        &checkpoint(1),
        &NEEDED,
    );
}

#[test]
fn a_list_whose_header_names_another_commit_is_refused() {
    let hub = hub();
    let header = Fault::Header("X-Repo-Commit", "main");
    hub.fail(Host::Hub, "GET", "/api/", [header]);
    assert_refused(&hub, &pinned("a"), &"a".repeat(40), "main");
}

#[test]
fn a_cached_copy_does_not_hide_another_commit() {
    let hub = hub();
    hub.checkpoint(&pinned("a")).unwrap();
    let list = format!(r#"{{"sha": "{}", "siblings": []}}"#, "b".repeat(40));
    hub.fail(
        Host::Hub,
        "GET",
        "/api/",
        [Fault::Answer(Reply::new(200, list))],
    );
    let error = hub.checkpoint(&pinned("a")).unwrap_err();
    assert!(matches!(error, HubError::Commit { .. }), "{error}");
}

#[test]
fn a_file_of_another_commit_than_the_list_is_refused() {
    const OTHER: &str = "cccccccccccccccccccccccccccccccccccccccc";
    for model in ["owner/name", &pinned("a")] {
        for method in ["HEAD", "GET"] {
            let hub = hub();
            let header = Fault::Header("X-Repo-Commit", OTHER);
            hub.fail(Host::Hub, method, "config.json", [header]);
            assert_refused(&hub, model, &"a".repeat(40), OTHER);
        }
    }
}

#[test]
fn a_commit_in_upper_case_is_the_same_and_a_mirror_need_not_name_it() {
    let upper = "A".repeat(40);
    let hub = hub();
    let mut repository = Repository::default().with_revision("main", 'a', checkpoint(1));
    let files = repository.revisions["main"].clone();
    repository.revisions.insert(upper.clone(), files);
    hub.put("owner/name", repository);
    let header = Fault::Header("X-Repo-Commit", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    hub.fail(Host::Hub, "HEAD", "config.json", [header]);
    let folder = hub.checkpoint(&format!("owner/name@{upper}")).unwrap();
    assert!(folder.ends_with("a".repeat(40)));
    assert!(!hub.repository_cache().join("refs").exists());
}
