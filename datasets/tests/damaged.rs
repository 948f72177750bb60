//! Changed tables, shards, Parquet files and indexes are errors or skipped entries: never a panic, never more memory than
//! there is reason for. `MUTATIONS=10000 cargo test -p datasets --all-features --test damaged` makes more changes of each
//! file.

use std::env;
use std::fs;
use std::panic;
use std::path::Path;
use std::time::{Duration, Instant};

use datasets::{Dataset, Entry, Error, Options, SkipReason};
use preprocess::text::language;

mod random;
use random::Random;

/// Changes of each file, unless the environment says otherwise.
const CHANGES: usize = 150;

/// The files have at most 64 KiB.
const MAX_MEMORY: u64 = 48 << 20;

/// The Parquet reader reserves what the header of a page announces, at most 2 GiB, before it unpacks the page.
#[cfg(feature = "parquet")]
const MAX_PAGE: u64 = 2 << 30;

const MAX_TIME: Duration = Duration::from_secs(20);

fn changes() -> usize {
    env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap())
}

fn made(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/made");
    fs::read(folder.join(name)).unwrap()
}

const EXTREMES: [u32; 9] = [
    0,
    1,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
];

/// Bytes that mean something in one of the formats.
const MARKS: [&[u8]; 8] = [
    b"\t",
    b"\n",
    b"\"",
    b"\r",
    b"\0",
    b"\"\"",
    b"\xff",
    b"77777777777",
];

fn changed(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..1 + random.below(3) {
        if bytes.is_empty() {
            break;
        }
        // The beginning and the end, where headers are, more often than what is between.
        let near = random.below(bytes.len().min(700));
        let place = match random.below(4) {
            0 => near,
            1 => bytes.len() - 1 - near,
            _ => random.below(bytes.len()),
        };
        let last = bytes.len().min(place + 1 + random.below(600));
        match random.below(9) {
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = random.below(256) as u8,
            2 => {
                let number = EXTREMES[random.below(EXTREMES.len())];
                for (byte, new) in bytes[place..].iter_mut().zip(number.to_le_bytes()) {
                    *byte = new;
                }
            }
            3 => bytes.truncate(place),
            4 => drop(bytes.drain(place..last)),
            5 => {
                let part = bytes[place..last].to_vec();
                bytes.splice(place..place, part);
            }
            6 => {
                let other = random.below(bytes.len());
                bytes.swap(place, other);
            }
            _ => {
                let mark = MARKS[random.below(MARKS.len())];
                bytes.splice(place..place, mark.iter().copied());
            }
        }
    }
    bytes
}

/// A tar archive whose headers have right checksums, so that changes reach what is behind them.
fn with_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    for header in bytes.chunks_exact_mut(512) {
        if header.get(257..262) == Some(b"ustar") {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// Reads a data set in order and by position; the examples that there are.
fn read(path: &Path, options: &Options) -> Result<u64, Error> {
    let dataset = Dataset::open(path, options)?;
    let mut examples = 0;
    for entry in dataset.examples() {
        match entry? {
            Entry::Example(example) => {
                assert!(!example.captions.is_empty());
                examples += 1;
            }
            Entry::Skipped(skipped) => {
                assert!(!skipped.to_string().contains(char::is_control), "{skipped}")
            }
        }
        if examples > 10_000 {
            break;
        }
    }
    let indexed = dataset.index()?;
    for position in 0..indexed.len().min(1000) {
        indexed.get(position)?;
    }
    Ok(examples)
}

fn never_panics(
    name: &str,
    seed: u64,
    max_memory: u64,
    change: impl Fn(&[u8], &mut Random) -> Vec<u8>,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let original = made(name);
    let mut random = Random(seed);
    let options = Options::default()
        .with_language(language("en").unwrap())
        .with_max_image_bytes(1 << 20);
    let (mut examples, mut refused) = (0, 0);
    for number in 0..changes() {
        let bytes = change(&original, &mut random);
        fs::write(&path, &bytes).unwrap();
        let start = Instant::now();
        let mut result = Ok(Ok(0));
        let used =
            allocation_counter::measure(|| result = panic::catch_unwind(|| read(&path, &options)));
        let kept = env::temp_dir().join("changed-data-set");
        if result.is_err() || used.bytes_max > max_memory || start.elapsed() > MAX_TIME {
            fs::write(&kept, &bytes).unwrap();
            panic!(
                "change {number} of {name}, now in {}: {} bytes, {:?}",
                kept.display(),
                used.bytes_max,
                start.elapsed()
            );
        }
        match result.unwrap() {
            Ok(count) => examples += count,
            Err(error) => {
                assert!(!error.to_string().contains("::"), "{error}");
                refused += 1;
            }
        }
    }
    println!("{name}: {examples} examples read, {refused} files refused");
    assert!(examples > 0);
}

#[test]
fn changed_tables_never_panic() {
    never_panics("pandas.tsv", 1, MAX_MEMORY, changed);
}

#[test]
fn changed_shards_never_panic() {
    never_panics("img2dataset.tar", 2, MAX_MEMORY, changed);
    never_panics("languages.tar", 3, MAX_MEMORY, |bytes, random| {
        with_checksums(changed(bytes, random))
    });
}

#[cfg(feature = "parquet")]
#[test]
fn changed_parquet_never_panics() {
    never_panics("lists.parquet", 4, MAX_MEMORY + MAX_PAGE, changed);
    never_panics("hugging-face.parquet", 5, MAX_MEMORY + MAX_PAGE, changed);
    never_panics("paths.parquet", 6, MAX_MEMORY + MAX_PAGE, changed);
}

#[test]
fn a_shard_cut_anywhere_gives_what_comes_before_the_cut_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.tar");
    let bytes = made("languages.tar");
    // Up to the end of the last file; behind it are zeros.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut before = 0;
    for length in (0..end).step_by(97) {
        fs::write(&path, &bytes[..length]).unwrap();
        let Ok(dataset) = Dataset::open(&path, &Options::default()) else {
            // In the headers of the first file.
            assert!(length < 1536, "{length}");
            continue;
        };
        let (mut examples, mut cuts) = (0, 0);
        for entry in dataset.examples() {
            match entry.unwrap() {
                Entry::Example(_) => examples += 1,
                Entry::Skipped(skipped) => {
                    cuts += u32::from(skipped.reason == SkipReason::CutShort)
                }
            }
        }
        assert_eq!(cuts, 1, "{length}");
        assert!(examples >= before && examples <= 8, "{length}");
        before = examples;
        assert_eq!(
            dataset
                .index()
                .unwrap()
                .skip_counts()
                .count(SkipReason::CutShort),
            1
        );
    }
    assert!(before >= 7);
}

#[test]
fn an_index_is_kept_used_and_made_anew_where_it_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    let indexes = folder.path().join("indexes");
    fs::write(&path, made("pandas.tsv")).unwrap();
    let options = Options::default().with_index_folder(&indexes);
    let length = |options: &Options| {
        Dataset::open(&path, options)
            .unwrap()
            .index()
            .unwrap()
            .len()
    };
    assert_eq!(length(&options), 8);
    let kept = fs::read_dir(&indexes)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = || kept.clone();
    let whole = fs::read(file()).unwrap();
    let written = || fs::metadata(file()).unwrap().modified().unwrap();
    let first = written();
    assert_eq!(length(&options), 8);
    assert_eq!(written(), first, "it was used");
    // Other options make other examples, and have an index of their own.
    let other = options.clone().with_max_row_bytes(2000);
    assert_eq!(length(&other), 8);
    assert_eq!(fs::read_dir(&indexes).unwrap().count(), 2);
    assert_eq!(
        (written(), fs::read(file()).unwrap()),
        (first, whole.clone())
    );
    let mut random = Random(7);
    for number in 0..200 {
        let mut bytes = changed(&whole, &mut random);
        if number % 2 == 0 {
            bytes = whole.clone();
            let place = whole.len() - 1 - random.below(128);
            bytes[place] ^= 1 + random.below(255) as u8;
        }
        fs::write(file(), bytes).unwrap();
        let indexed = Dataset::open(&path, &options).unwrap().index().unwrap();
        assert_eq!(indexed.len(), 8);
        for position in 0..8 {
            assert!(
                matches!(indexed.get(position).unwrap(), Entry::Example(example) if example.captions.len() == 2)
            );
        }
    }
    // Another table in its place.
    fs::write(&path, "image_file\tcaption\tlang_id\na.png\tone\ten\n").unwrap();
    assert_eq!(length(&options), 1);
}
