//! Downloads without faults.

use std::fs;
use std::path::Path;

use hub::{HubError, HubModel};

use crate::repository::{Files, NEEDED, Repository, Storage, checkpoint, noise, stored};
use crate::test_hub::{Host, TestHub, needed, select, transferred};

pub(crate) fn assert_holds(folder: &Path, files: &Files, names: &[&str]) {
    for &name in names {
        let found = fs::read(folder.join(name)).unwrap();
        assert!(found == files[name].content, "{name}");
    }
}

#[test]
fn the_selected_files_are_downloaded_and_no_others() {
    let files = checkpoint(1);
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files.clone()));
    let model = HubModel::new("owner/name").unwrap();
    let mut seen = Vec::new();
    let folder = hub
        .client()
        .fetch(&model, needed, &mut |progress| {
            let (file, done, total) = transferred(progress);
            seen.push((file.to_owned(), done, total));
        })
        .unwrap();
    assert_holds(&folder, &files, &NEEDED);
    assert!(!folder.join("README.md").exists());

    let total = NEEDED
        .iter()
        .map(|&name| files[name].content.len() as u64)
        .sum();
    assert_eq!(
        seen.last(),
        Some(&("model.safetensors".into(), total, total))
    );
    assert!(seen.iter().all(|step| step.2 == total));
    assert!(seen.is_sorted_by_key(|step| step.1));
    assert!(
        seen.iter()
            .filter(|step| step.0 == "model.safetensors")
            .count()
            > 2
    );
}

#[test]
fn the_cache_has_the_layout_of_huggingface_hub() {
    let files = checkpoint(1);
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files.clone()));
    hub.checkpoint("owner/name").unwrap();
    let cache = hub.repository_cache();
    let commit = "a".repeat(40);
    assert_eq!(fs::read_to_string(cache.join("refs/main")).unwrap(), commit);
    for name in NEEDED {
        let blob = Path::new("blobs").join(files[name].etag());
        assert_eq!(fs::read(cache.join(&blob)).unwrap(), files[name].content);
        if cfg!(unix) {
            let link = fs::read_link(cache.join("snapshots").join(&commit).join(name)).unwrap();
            assert_eq!(link, Path::new("../..").join(&blob));
        }
    }
    assert_eq!(
        fs::read_dir(cache.join("blobs")).unwrap().count(),
        NEEDED.len()
    );
}

#[test]
fn a_second_call_only_asks_which_files_there_are() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    let first = hub.checkpoint("owner/name").unwrap();
    hub.take_log();
    let model = HubModel::new("owner/name").unwrap();
    let unexpected = &mut |progress: hub::Progress<'_>| panic!("{progress:?}");
    assert_eq!(
        hub.client().fetch(&model, needed, unexpected).unwrap(),
        first
    );
    let log = hub.take_log();
    assert_eq!(log.len(), 1);
    assert!(log[0].1.target.starts_with("/api/models/"));
}

#[test]
fn revisions_and_subfolders_are_honoured() {
    let main = checkpoint(1);
    let mut other = checkpoint(2);
    for (path, file) in checkpoint(3) {
        other.insert(format!("a/ckpt 5%/{path}"), file);
    }
    let repository = Repository::default()
        .with_revision("main", 'a', main.clone())
        .with_revision("refs/pr/1", 'b', other.clone());
    let commit = repository.commit("refs/pr/1").to_owned();
    let hub = TestHub::new(repository);

    assert_holds(&hub.checkpoint("owner/name").unwrap(), &main, &NEEDED);
    assert_holds(
        &hub.checkpoint("owner/name@refs/pr/1").unwrap(),
        &other,
        &NEEDED,
    );
    let folder = hub.checkpoint("owner/name@refs/pr/1:a/ckpt 5%").unwrap();
    assert!(folder.ends_with(Path::new("a/ckpt 5%")));
    assert_holds(&folder, &checkpoint(3), &NEEDED);
    let reference = hub.repository_cache().join("refs/refs/pr/1");
    assert_eq!(fs::read_to_string(reference).unwrap(), commit);

    // A commit is a revision too, but it is not recorded.
    hub.take_log();
    let by_commit = hub
        .checkpoint(&format!("owner/name@{commit}:a/ckpt 5%"))
        .unwrap();
    assert_eq!(by_commit, folder);
    assert_eq!(hub.take_log().len(), 1);
    assert!(!hub.repository_cache().join("refs").join(&commit).exists());

    let error = hub
        .checkpoint("owner/name:a/ckpt 5%")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("owner/name@main has no folder a/ckpt 5%"),
        "{error}"
    );
}

#[test]
fn a_tokenizer_may_come_from_another_repository() {
    let mut model = checkpoint(1);
    model.remove("tokenizer.json");
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', model));
    hub.put(
        "owner/tokenizer",
        Repository::default().with_revision("main", 'b', checkpoint(2)),
    );
    let tokenizer = |name: &str| {
        let wanted = |names: &[String]| select(names, &["tokenizer.json"]);
        hub.client()
            .fetch(&name.parse().unwrap(), wanted, &mut |_| ())
    };

    let folder = tokenizer("owner/tokenizer").unwrap();
    assert_holds(&folder, &checkpoint(2), &["tokenizer.json"]);
    assert!(!folder.join("model.safetensors").exists());
    hub.checkpoint("owner/name").unwrap();
    let error = tokenizer("owner/name").unwrap_err();
    assert!(matches!(error, HubError::Files { .. }), "{error}");
}

#[test]
fn any_file_can_be_downloaded_and_no_other() {
    let mut files = checkpoint(1);
    for name in ["a/b c/ü#?.txt", "empty", "tagged"] {
        let content = if name == "empty" {
            Vec::new()
        } else {
            noise(10, 7)
        };
        files.insert(name.into(), stored(&content, Storage::Git));
    }
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', files.clone()));
    let snapshot = hub.client().files(&"owner/name".parse().unwrap()).unwrap();
    assert_eq!(snapshot.commit(), "a".repeat(40));
    assert!(snapshot.files().iter().eq(files.keys()));

    let folder = hub
        .client()
        .download(&snapshot, snapshot.files(), &mut |_| ())
        .unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_holds(&folder, &files, &names);
    for name in ["nothing", "../../refs/main", ""] {
        let error = hub
            .client()
            .download(&snapshot, &[name.into()], &mut |_| ())
            .unwrap_err();
        assert!(matches!(error, HubError::NoFile { .. }), "{error}");
    }
}

#[test]
fn a_content_that_is_cached_is_not_downloaded_again() {
    let mut changed = checkpoint(1);
    changed.insert("config.json".into(), stored(b"{}", Storage::Git));
    let repository = Repository::default()
        .with_revision("main", 'a', checkpoint(1))
        .with_revision("v2", 'b', changed.clone());
    let hub = TestHub::new(repository);
    hub.checkpoint("owner/name").unwrap();
    hub.take_log();
    assert_holds(&hub.checkpoint("owner/name@v2").unwrap(), &changed, &NEEDED);
    let log = hub.take_log();
    let contents = log
        .iter()
        .filter(|(_, r)| r.method == "GET" && r.target.contains("/resolve/"));
    let targets: Vec<_> = contents.map(|(_, request)| &request.target).collect();
    assert_eq!(
        targets,
        [&format!(
            "/owner/name/resolve/{}/config.json",
            "b".repeat(40)
        )]
    );
}

#[test]
fn a_renamed_repository_is_found() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    hub.rename("old/name", "owner/name");
    let folder = hub.checkpoint("old/name").unwrap();
    assert!(folder.starts_with(hub.cache().join("models--old--name")));
    assert_holds(&folder, &checkpoint(1), &NEEDED);
}

#[test]
fn only_the_hub_is_asked_about_a_file_and_only_for_its_plain_content() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    hub.checkpoint("owner/name").unwrap();
    let log = hub.take_log();
    let asked = |host, method: &str| {
        log.iter()
            .filter(|(h, r)| *h == host && r.method == method)
            .count()
    };
    assert_eq!(asked(Host::Hub, "HEAD"), NEEDED.len());
    assert_eq!(asked(Host::Storage, "HEAD"), 0);
    assert_eq!(asked(Host::Storage, "GET"), 1);
    assert!(
        log.iter()
            .all(|(_, request)| request.headers["accept-encoding"] == "identity")
    );
}
