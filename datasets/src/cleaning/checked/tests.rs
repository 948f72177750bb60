use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::cleaning::{Cleaner, CleaningConfig, Identity, Tally, Verdict};
use crate::{Caption, Origin};

#[derive(Debug)]
enum Other {
    Row(u64),
    Journal(#[expect(dead_code)] JournalError),
    Check(#[expect(dead_code)] CheckError),
}

impl From<CheckError> for Other {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl From<JournalError> for Other {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// A picture of 8 x 8 pixels that depends on a number (PPM).
fn picture(number: u32) -> Vec<u8> {
    let pixels = (0..192u32).map(|byte| (byte.wrapping_mul(number * 7 + 3) >> 2) as u8);
    b"P6 8 8 255\n".iter().copied().chain(pixels).collect()
}

fn example(path: &Path, row: u64) -> Example {
    Example {
        image: ImageSource::File(path.to_owned()),
        captions: vec![Caption {
            language: preprocess::text::language("en").unwrap(),
            text: format!("picture {row}"),
        }],
        url: None,
        origin: Origin {
            file: "table.tsv".into(),
            row,
        },
    }
}

/// Pictures of which some are the same and some damaged, and one that is missing.
fn pictures(folder: &Path) -> Vec<PathBuf> {
    (0..100)
        .map(|number| {
            let path = folder.join(format!("{number}.ppm"));
            match number {
                50 => return path,
                _ if number % 9 == 0 => fs::write(&path, &picture(number)[..60]).unwrap(),
                _ => fs::write(&path, picture(number % 30)).unwrap(),
            }
            path
        })
        .collect()
}

fn rules() -> CleaningConfig {
    let mut config = CleaningConfig::default();
    config.pictures.min_side = 8;
    config.validation = 0.3;
    config
}

/// Decisions as text, and how many pictures were known.
fn run(paths: &[PathBuf], threads: usize, journal: Option<&Path>) -> (Vec<String>, usize) {
    run_with(rules(), paths, threads, journal)
}

fn run_with(
    rules: CleaningConfig,
    paths: &[PathBuf],
    threads: usize,
    journal: Option<&Path>,
) -> (Vec<String>, usize) {
    let mut cleaner = Cleaner::new(rules).unwrap();
    let check = cleaner.picture_check().clone();
    let journal = journal.map(|path| Journal::open(path, &check).unwrap());
    let examples = paths.iter().zip(1..).map(|(path, row)| match row % 10 {
        0 => Err(Other::Row(row)),
        _ => Ok(example(path, row)),
    });
    let examples: Vec<_> = examples.collect();
    let mut checked = Checked::new(examples.into_iter(), &check, threads, journal).unwrap();
    let (mut found, mut known) = (Vec::new(), 0);
    for item in checked.by_ref() {
        found.push(match item {
            Err(Other::Row(row)) => format!("row {row}"),
            Err(error) => panic!("{error:?}"),
            Ok(checked) => {
                known += usize::from(checked.was_known);
                let row = checked.example.origin.row;
                match cleaner.decide(checked.example, checked.facts) {
                    Verdict::Kept(kept) => format!("{row} {:?}", kept.split),
                    Verdict::Dropped(dropped) => format!("{row} {}", dropped.reasons[0]),
                }
            }
        });
    }
    checked.flush().unwrap();
    (found, known)
}

#[test]
fn decisions_are_the_same_on_any_number_of_threads_and_with_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let paths = pictures(folder.path());
    let (expected, _) = run(&paths, 1, None);
    assert_eq!(expected.len(), 100);
    for text in [
        "row 10",
        "51 missing_image",
        "32 duplicate_image",
        "3 Train",
        "Validation",
        "damaged_image",
    ] {
        assert!(
            expected.iter().any(|line| line.contains(text)),
            "{text}: {expected:?}"
        );
    }
    let journal = folder.path().join("journal");
    for threads in [2, 3, 8] {
        assert_eq!(run(&paths, threads, None), (expected.clone(), 0));
        let (found, known) = run(&paths, threads, Some(&journal));
        assert_eq!(found, expected);
        // All but the rows without an example. What is missing may come back, so it is looked for again.
        assert_eq!(known, if threads == 2 { 0 } else { 90 });
    }
}

#[test]
fn a_known_picture_is_not_read_again_and_one_that_changed_is() {
    let folder = tempfile::tempdir().unwrap();
    let paths = pictures(folder.path());
    let journal = folder.path().join("journal");
    let (expected, _) = run(&paths, 2, Some(&journal));
    // As long and as old as before, so that only whoever reads it could notice.
    for path in paths.iter().filter(|path| path.exists()) {
        let metadata = fs::metadata(path).unwrap();
        fs::write(path, vec![b'x'; metadata.len() as usize]).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(metadata.modified().unwrap()).unwrap();
    }
    assert_eq!(run(&paths, 2, Some(&journal)), (expected.clone(), 90));
    // Wherever the pictures stand: one row more in front, so that other rows are without an example, and backwards.
    let more = [paths[99..].to_vec(), paths.clone()].concat();
    assert_eq!(run(&more, 2, Some(&journal)).1, 80);
    assert_eq!(run(&more, 2, Some(&journal)).1, 91);
    let mut backwards = paths.clone();
    backwards.reverse();
    assert_eq!(run(&backwards, 2, Some(&journal)).1, 90);
    // A picture that changes is the only one that is looked at again.
    let paths = pictures(folder.path());
    fs::remove_file(&journal).unwrap();
    run(&paths, 2, Some(&journal));
    fs::write(&paths[40], b"changed").unwrap();
    let (found, known) = run(&paths, 2, Some(&journal));
    assert_eq!(known, 89);
    assert!(found[40].contains("not_an_image"), "{}", found[40]);
    assert_eq!(run(&paths, 2, Some(&journal)).1, 90);
}

#[test]
fn other_options_of_the_check_keep_what_is_still_true() {
    let folder = tempfile::tempdir().unwrap();
    let paths = pictures(folder.path());
    let journal = folder.path().join("journal");
    let known = |change: fn(&mut CleaningConfig)| {
        let mut rules = rules();
        change(&mut rules);
        let (fresh, _) = run_with(rules.clone(), &paths, 2, None);
        let (found, known) = run_with(rules, &paths, 2, Some(&journal));
        assert_eq!(found, fresh);
        known
    };
    // 10 of the 90 are damaged, and one of those is missing: no option changes that.
    assert_eq!(known(|_| {}), 0);
    assert_eq!(known(|rules| rules.pictures.max_pixels += 1), 90);
    // Whether a damaged one is too large is not known.
    let unusable = 11;
    assert_eq!(known(|rules| rules.pictures.max_pixels = 64), 90 - unusable);
    assert_eq!(known(|rules| rules.pictures.max_pixels = 64), 90);
    assert_eq!(known(|rules| rules.pictures.max_pixels = 63), 0);
    assert_eq!(
        known(|rules| rules.duplicates.identity = Identity::Pixels),
        unusable
    );
    // Both kinds are kept.
    for _ in 0..2 {
        assert_eq!(
            known(|rules| rules.duplicates.identity = Identity::Pixels),
            90
        );
        assert_eq!(known(|_| {}), 90);
    }
    #[cfg(feature = "near-duplicates")]
    {
        assert_eq!(
            known(|rules| rules.duplicates.near_distance = Some(3)),
            unusable
        );
        assert_eq!(known(|rules| rules.duplicates.near_distance = Some(3)), 90);
        assert_eq!(known(|_| {}), 90);
    }
}

#[test]
fn a_tally_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut cleaner = Cleaner::new(rules()).unwrap();
    let mut tally = Tally::default();
    for (path, row) in pictures(folder.path()).iter().zip(1..) {
        tally.add(&cleaner.clean(example(path, row)).unwrap());
    }
    assert_eq!(tally.examples, 100);
    assert_eq!(tally.kept_images() + tally.dropped_examples, 100);
    assert_eq!(
        tally.kept_captions() + tally.captions_of_dropped_examples,
        100
    );
    assert_eq!(
        tally.example_reasons.values().sum::<u64>(),
        tally.dropped_examples
    );
    let languages = tally
        .train
        .languages
        .values()
        .chain(tally.validation.languages.values());
    assert_eq!(
        languages.map(|counts| counts.images).sum::<u64>(),
        tally.kept_images()
    );
}
