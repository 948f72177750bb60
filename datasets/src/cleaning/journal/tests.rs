use super::*;
use crate::cleaning::{CleaningConfig, Facts, Problem, Sound, Unusable};

fn check() -> PictureCheck {
    PictureCheck::new(&CleaningConfig::default())
}

fn record(number: u32) -> Record {
    Record {
        stamp: u128::from(number).to_le_bytes(),
        facts: Facts::Sound(Sound {
            width: number + 1,
            height: 1,
            identity: [3; 16],
            near: None,
        }),
    }
}

/// Writes a journal with blocks of these lengths.
fn write(path: &Path, blocks: &[u32]) {
    let mut journal = Journal::open(path, &check()).unwrap();
    let mut numbers = 0..;
    for length in blocks {
        for number in numbers.by_ref().take(*length as usize) {
            journal.push(record(number)).unwrap();
        }
        journal.flush().unwrap();
    }
}

/// The first ten records, if they are known.
fn read(path: &Path, check: &PictureCheck) -> Vec<Record> {
    let journal = Journal::open(path, check).unwrap();
    let find = |number: u128| journal.known.find(&number.to_le_bytes(), check);
    (0..10).filter_map(find).collect()
}

#[test]
fn a_journal_that_is_cut_short_or_damaged_anywhere_keeps_the_whole_blocks_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2, 3, 1]);
    let whole = fs::read(&path).unwrap();
    let all: Vec<Record> = (0..6).map(record).collect();
    assert_eq!(read(&path, &check()), all);
    let mut seen = std::collections::BTreeSet::new();
    for position in HEAD..whole.len() {
        for damage in [false, true] {
            let mut bytes = whole.clone();
            match damage {
                true => bytes[position] ^= 1,
                false => bytes.truncate(position),
            }
            fs::write(&path, bytes).unwrap();
            let found = read(&path, &check());
            assert!(
                [0, 2, 5].contains(&found.len()),
                "{position}: {}",
                found.len()
            );
            assert_eq!(found, all[..found.len()]);
            seen.insert(found.len());

            // What is added stands behind what is whole.
            let mut journal = Journal::open(&path, &check()).unwrap();
            journal.push(record(9)).unwrap();
            journal.flush().unwrap();
            let mut expected = found;
            expected.push(record(9));
            assert_eq!(read(&path, &check()), expected);
        }
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn records_of_several_checks_stand_in_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2, 1]);
    let mut config = CleaningConfig::default();
    config.pictures.min_side = 1; // which is no option of a check
    assert_eq!(PictureCheck::new(&config), check());
    config.pictures.max_pixels = 2;
    let small = PictureCheck::new(&config);
    assert_eq!(
        read(&path, &small),
        [0, 1].map(record),
        "3 pixels are too many"
    );
    let mut journal = Journal::open(&path, &small).unwrap();
    let too_large = Record {
        facts: Facts::Unusable(Unusable {
            problem: Problem::TooLarge,
            message: "x".repeat(5000),
        }),
        ..record(2)
    };
    journal.push(too_large.clone()).unwrap();
    journal.flush().unwrap();
    assert_eq!(read(&path, &small), [record(0), record(1), too_large]);
    assert_eq!(read(&path, &check()), [0, 1, 2].map(record));
}

#[test]
fn a_journal_of_another_version_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[HEAD - 1] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path, &check()), []);
    fs::write(&path, b"").unwrap();
    assert_eq!(read(&path, &check()), []);
}

#[test]
fn a_file_that_is_no_journal_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.txt");
    fs::write(&path, b"something else").unwrap();
    let error = Journal::open(&path, &check()).unwrap_err();
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"something else");
}
