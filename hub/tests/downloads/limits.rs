//! Announcements that are too large, and long lists.

use std::time::Instant;

use hub::HubError;

use crate::repository::{Repository, Storage, checkpoint, stored};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

fn list(names: impl Iterator<Item = String>) -> Fault {
    let names: Vec<_> = names
        .map(|name| format!(r#"{{"rfilename":"{name}"}}"#))
        .collect();
    let body = format!(
        r#"{{"sha":"{}","siblings":[{}]}}"#,
        "a".repeat(40),
        names.join(",")
    );
    Fault::Answer(Reply::new(200, body))
}

#[cfg(unix)]
#[test]
fn files_that_do_not_fit_on_the_disk_are_not_begun() {
    let hub = hub();
    let size = Fault::Header("X-Linked-Size", "4611686018427387904");
    hub.fail(Host::Hub, "HEAD", "model", [size]);
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::NoSpace {
            needed, available, ..
        } => assert!(needed > 1 << 62 && available < needed),
        other => panic!("{other}"),
    }
    let log = hub.take_log();
    assert!(
        log.iter()
            .all(|(_, r)| r.method == "HEAD" || r.target.contains("/api/"))
    );
    assert!(hub.incomplete().is_empty());
    hub.checkpoint("owner/name").unwrap();
}

#[test]
fn sizes_without_a_sum_are_refused() {
    let hub = hub();
    let size = || Fault::Header("X-Linked-Size", "18446744073709551615");
    hub.fail(Host::Hub, "HEAD", "model", [size()]);
    hub.fail(Host::Hub, "HEAD", "tokenizer", [size()]);
    let error = hub.checkpoint("owner/name").unwrap_err();
    assert!(matches!(error, HubError::Response { .. }), "{error}");
    assert!(error.to_string().contains("too large"), "{error}");
}

#[test]
fn a_long_list_is_read_and_selected_from_in_proportionate_time() {
    const FILES: usize = 300_000;
    let hub = hub();
    let names = || (0..FILES).rev().map(|number| format!("a/{number:07}"));
    hub.fail(Host::Hub, "GET", "/api/", [list(names())]);
    let begin = Instant::now();
    let snapshot = hub.client().files(&"owner/name".parse().unwrap()).unwrap();
    assert_eq!(snapshot.files().len(), FILES);
    assert!(snapshot.files().is_sorted());
    // All of them are in the list; the last one is not.
    let mut files: Vec<String> = names().collect();
    files.push("b".into());
    let error = hub
        .client()
        .download(&snapshot, &files, &mut |_| ())
        .unwrap_err();
    assert!(matches!(error, HubError::NoFile { .. }), "{error}");
    // A comparison of each with each takes many minutes.
    assert!(begin.elapsed().as_secs() < 60);
}

#[test]
fn a_list_that_names_a_file_twice_has_it_once() {
    let hub = hub();
    let names = ["config.json", "model.safetensors", "config.json"];
    hub.fail(
        Host::Hub,
        "GET",
        "/api/",
        [list(names.map(Into::into).into_iter())],
    );
    let snapshot = hub.client().files(&"owner/name".parse().unwrap()).unwrap();
    assert_eq!(snapshot.files(), ["config.json", "model.safetensors"]);
}

#[test]
fn a_name_that_no_system_opens_is_refused() {
    let hub = hub();
    hub.fail(
        Host::Hub,
        "GET",
        "/api/",
        [list([format!("{}a", "a/".repeat(10_000))].into_iter())],
    );
    match hub.checkpoint("owner/name").unwrap_err() {
        HubError::UnsafeName { name, .. } => assert!(name.len() < 300),
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_and_a_folder_of_one_name_are_an_error() {
    let mut files = checkpoint(1);
    for name in ["x", "x/y"] {
        files.insert(name.into(), stored(name.as_bytes(), Storage::Git));
    }
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files));
    let snapshot = hub.client().files(&"owner/name".parse().unwrap()).unwrap();
    let all = ["x".into(), "x/y".into()];
    let error = hub
        .client()
        .download(&snapshot, &all, &mut |_| ())
        .unwrap_err();
    assert!(
        matches!(error, HubError::Io { .. } | HubError::Link { .. }),
        "{error}"
    );
}
