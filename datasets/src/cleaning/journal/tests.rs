use super::*;
use crate::cleaning::{CleaningConfig, Facts, Sound};

fn check() -> PictureCheck {
    PictureCheck::new(&CleaningConfig::default())
}

fn record(number: u32) -> Record {
    Record {
        stamp: u64::from(number).to_le_bytes(),
        facts: Facts::Sound(Sound {
            width: number,
            height: 1,
            identity: [3; 16],
            near: None,
        }),
    }
}

/// Writes a journal with blocks of these lengths.
fn write(path: &Path, blocks: &[u32]) {
    let mut journal = Journal::open(path, &check()).unwrap();
    assert!(journal.next_record().unwrap().is_none());
    let mut numbers = 0..;
    for length in blocks {
        for number in numbers.by_ref().take(*length as usize) {
            journal.push(record(number)).unwrap();
        }
        journal.flush().unwrap();
    }
}

fn read(path: &Path) -> Vec<Record> {
    let mut journal = Journal::open(path, &check()).unwrap();
    std::iter::from_fn(|| journal.next_record().unwrap())
        .map(|(record, _)| record)
        .collect()
}

#[test]
fn a_journal_that_is_cut_short_or_damaged_anywhere_keeps_the_whole_blocks_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2, 3, 1]);
    let whole = fs::read(&path).unwrap();
    let all: Vec<Record> = (0..6).map(record).collect();
    assert_eq!(read(&path), all);
    let mut seen = std::collections::BTreeSet::new();
    for position in HEAD..whole.len() {
        for damage in [false, true] {
            let mut bytes = whole.clone();
            match damage {
                true => bytes[position] ^= 1,
                false => bytes.truncate(position),
            }
            fs::write(&path, bytes).unwrap();
            let found = read(&path);
            assert!(
                [0, 2, 5].contains(&found.len()),
                "{position}: {}",
                found.len()
            );
            assert_eq!(found, all[..found.len()]);
            seen.insert(found.len());

            // What is added stands behind what is whole.
            let mut journal = Journal::open(&path, &check()).unwrap();
            while journal.next_record().unwrap().is_some() {}
            journal.push(record(9)).unwrap();
            journal.flush().unwrap();
            let mut expected = found;
            expected.push(record(9));
            assert_eq!(read(&path), expected);
        }
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_cut_in_the_middle_of_a_block_keeps_what_is_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2, 3, 1]);
    let mut journal = Journal::open(&path, &check()).unwrap();
    let mut places = Vec::new();
    while let Some((_, place)) = journal.next_record().unwrap() {
        places.push(place);
    }
    let mut journal = Journal::open(&path, &check()).unwrap();
    journal.next_record().unwrap();
    journal.cut(places[3], &[record(2)]);
    assert!(journal.next_record().unwrap().is_none());
    journal.push(record(7)).unwrap();
    journal.flush().unwrap();
    assert_eq!(read(&path), [0, 1, 2, 7].map(record));
}

#[test]
fn a_check_with_other_options_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &[2]);
    let mut config = CleaningConfig::default();
    config.pictures.min_side = 1; // which is no option of a check
    assert_eq!(PictureCheck::new(&config), check());
    config.pictures.max_pixels = 5;
    let other = PictureCheck::new(&config);
    let mut journal = Journal::open(&path, &other).unwrap();
    assert!(journal.next_record().unwrap().is_none());
    assert_eq!(read(&path), []);
    fs::write(&path, b"").unwrap();
    assert_eq!(read(&path), []);
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
