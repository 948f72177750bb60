use super::*;
use crate::write_new;

/// `.mark` files are markers, `.part` files belong to them. `stale` does not belong to `fresh`.
const RULES: Rules = Rules {
    marks: |file| file.ends_with(".mark"),
    replaced: |file, new| match file {
        "stale" => new.iter().any(|new| new == "fresh"),
        file => file.ends_with(".part") && new.iter().any(|new| new.ends_with(".mark")),
    },
};

fn staged(destination: &Path, files: &[(&str, &str)]) -> StagedFolder {
    let staged = StagedFolder::new(destination, RULES).unwrap();
    for (name, content) in files {
        write_new(staged.path().join(name), content.as_bytes()).unwrap();
    }
    staged
}

fn content(folder: &Path) -> Vec<(String, String)> {
    let read = |name: String| {
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        (name, text)
    };
    names(folder).unwrap().into_iter().map(read).collect()
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| (String::from(*a), String::from(*b));
    files.iter().map(owned).collect()
}

const OLD: [(&str, &str); 4] = [
    ("1.part", "old"),
    ("2.part", "old"),
    ("a.mark", "old"),
    ("other", "kept"),
];
const NEW: [(&str, &str); 3] = [("2.part", "new"), ("b.mark", "new"), ("config", "new")];

#[test]
fn a_new_folder_appears_at_once_and_an_old_one_is_replaced_completely() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("a/b");
    let first = staged(&destination, &OLD);
    assert!(!destination.exists());
    first.commit().unwrap();
    assert_eq!(content(&destination), pairs(&OLD));
    assert_eq!(names(&directory.path().join("a")).unwrap(), ["b"]);

    staged(&destination, &NEW).commit().unwrap();
    let expected = [NEW[0], NEW[1], NEW[2], OLD[3]];
    assert_eq!(content(&destination), pairs(&expected));

    staged(&destination, &[("config", "newer"), ("x", "new")])
        .commit()
        .unwrap();
    let expected = [NEW[0], NEW[1], ("config", "newer"), OLD[3], ("x", "new")];
    assert_eq!(content(&destination), pairs(&expected));
}

#[test]
fn what_does_not_belong_to_the_new_files_disappears_with_and_without_a_marker() {
    let directory = tempfile::tempdir().unwrap();
    for (number, new) in [
        &[("fresh", "new")][..],
        &[("fresh", "new"), ("x", "new")],
        &[
            ("fresh", "new"),
            ("a.mark", "old"),
            ("1.part", "old"),
            ("2.part", "old"),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let destination = directory.path().join(number.to_string());
        let old = [&OLD[..], &[("stale", "old")]].concat();
        staged(&destination, &old).commit().unwrap();
        staged(&destination, new).commit().unwrap();
        let mut expected = [&OLD[..], new].concat();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(content(&destination), pairs(&expected));
    }
}

#[test]
fn what_is_not_committed_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("new");
    drop(staged(&destination, &NEW));
    assert_eq!(names(directory.path()).unwrap(), [""; 0]);
    staged(&destination, &OLD).commit().unwrap();
    drop(staged(&destination, &NEW));
    assert_eq!(content(&destination), pairs(&OLD));
}

#[test]
fn a_second_writer_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("new");
    for _ in 0..2 {
        let first = staged(&destination, &OLD);
        let error = StagedFolder::new(&destination, RULES).unwrap_err();
        assert!(matches!(error, StageError::Busy { .. }), "{error}");
        first.commit().unwrap();
        assert_eq!(content(&destination), pairs(&OLD));
    }
}

#[test]
fn what_a_stopped_process_left_is_deleted_or_completed() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("new");
    staged(&destination, &OLD).commit().unwrap();
    // Stopped while it wrote.
    fs::create_dir_all(destination.join(WRITING)).unwrap();
    fs::write(destination.join(WRITING).join("config"), "half").unwrap();
    drop(staged(&destination, &[]));
    assert_eq!(content(&destination), pairs(&OLD));
    // No commit leaves a folder there.
    let foreign = destination.join(WRITING).join("folder");
    fs::create_dir_all(&foreign).unwrap();
    let error = StagedFolder::new(&destination, RULES).unwrap_err();
    assert!(matches!(error, StageError::Io { .. }), "{error}");
    fs::remove_dir_all(foreign.parent().unwrap()).unwrap();
    let beside = directory.path().join(".second.saving");
    fs::create_dir_all(&beside).unwrap();
    fs::write(beside.join("config"), "half").unwrap();
    staged(&directory.path().join("second"), &NEW)
        .commit()
        .unwrap();
    assert_eq!(content(&directory.path().join("second")), pairs(&NEW));

    // Stopped between any two steps of a commit.
    for moved in 0..3 {
        let destination = directory.path().join(format!("moved {moved}"));
        staged(&destination, &OLD).commit().unwrap();
        for file in ["1.part", "a.mark"] {
            fs::remove_file(destination.join(file)).unwrap();
        }
        let moving = destination.join(MOVING);
        fs::create_dir(&moving).unwrap();
        let order = [NEW[0], NEW[2], NEW[1]];
        for (number, (name, text)) in order.into_iter().enumerate() {
            let folder = if number < moved {
                &destination
            } else {
                &moving
            };
            fs::write(folder.join(name), text).unwrap();
        }
        assert_eq!(interrupted_commit(&destination), Some(moving));
        match moved {
            0 => drop(staged(&destination, &[])),
            _ => complete_interrupted_commit(&destination, RULES).unwrap(),
        }
        let expected = [NEW[0], NEW[1], NEW[2], OLD[3]];
        assert_eq!(content(&destination), pairs(&expected), "{moved}");
    }
}

#[test]
fn markers_that_were_set_aside_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("new");
    staged(&destination, &OLD).commit().unwrap();
    let keeping = destination.join(KEEPING);
    fs::create_dir(&keeping).unwrap();
    fs::write(keeping.join("config"), "new").unwrap();
    fs::rename(destination.join("a.mark"), keeping.join("a.mark")).unwrap();
    drop(staged(&destination, &[]));
    let expected = [OLD[0], OLD[1], OLD[2], ("config", "new"), OLD[3]];
    assert_eq!(content(&destination), pairs(&expected));
}

#[test]
fn a_destination_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = StagedFolder::new(file.path(), RULES).unwrap_err();
    assert!(matches!(error, StageError::Io { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn links_to_other_folders_are_never_followed() {
    let directory = tempfile::tempdir().unwrap();
    let outside = directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("config"), "mine").unwrap();
    for name in [WRITING, COMPLETE, KEEPING, MOVING] {
        let destination = directory.path().join("new");
        staged(&destination, &OLD).commit().unwrap();
        std::os::unix::fs::symlink(&outside, destination.join(name)).unwrap();
        assert_eq!(interrupted_commit(&destination), None);
        complete_interrupted_commit(&destination, RULES).unwrap();
        if let Ok(staged) = StagedFolder::new(&destination, RULES) {
            write_new(staged.path().join("config"), b"new").unwrap();
            write_new(staged.path().join("b.mark"), b"new").unwrap();
            drop(staged.commit());
        }
        assert_eq!(content(&outside), pairs(&[("config", "mine")]), "{name}");
        fs::remove_dir_all(&destination).unwrap();
    }
}

#[test]
fn what_another_program_wrote_after_an_interruption_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    for phase in [COMPLETE, MOVING] {
        let destination = directory.path().join(phase);
        let left = destination.join(phase);
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("b.mark"), "interrupted").unwrap();
        let newer = destination.join("b.mark");
        fs::write(&newer, "newer").unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(9);
        let file = fs::File::options().write(true).open(&newer).unwrap();
        file.set_modified(later).unwrap();

        complete_interrupted_commit(&destination, RULES).unwrap();
        assert_eq!(fs::read_to_string(&newer).unwrap(), "newer");
        let error = StagedFolder::new(&destination, RULES).unwrap_err();
        assert!(matches!(error, StageError::Superseded { .. }), "{error}");
        assert!(left.join("b.mark").exists());
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("a");
    staged(&destination, &OLD).commit().unwrap();
    fs::create_dir(destination.join("config")).unwrap();
    let error = staged(&destination, &NEW).commit().unwrap_err();
    assert!(matches!(error, StageError::Io { .. }), "{error}");
    assert!(destination.join("a.mark").exists());
    assert_eq!(interrupted_commit(&destination), None);
}
