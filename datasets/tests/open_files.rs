//! A data set of many files keeps few of them open.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use datasets::{Dataset, Entry, Error, IndexedDataset, Options};

const FILES: usize = 300;

fn tables(folder: &Path) {
    for number in 0..FILES {
        let table = format!(
            "image_file\tcaption\tlang_id\n{number}.jpg\tone\ten\n{number}b.jpg\ttwo\ten\n"
        );
        fs::write(folder.join(format!("{number:03}.tsv")), table).unwrap();
    }
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn read_all(indexed: &IndexedDataset) {
    for position in (0..indexed.len()).rev() {
        let Entry::Example(example) = indexed.get(position).unwrap() else {
            panic!("every row can be used");
        };
        let (file, row) = (position / 2, position % 2);
        assert!(example.origin.file.ends_with(format!("{file:03}.tsv")));
        assert_eq!(example.captions[0].text, ["one", "two"][row as usize]);
    }
}

#[test]
fn a_data_set_of_many_files_keeps_few_open_and_its_indexes_are_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    tables(folder.path());
    let before = open_files();
    let temporary = Dataset::open(folder.path(), &Options::default()).unwrap();
    let temporary = temporary.index().unwrap();
    assert_eq!(temporary.len(), 2 * FILES as u64);
    read_all(&temporary);
    let indexes = folder.path().join("indexes");
    let options = Options::default().with_index_folder(&indexes);
    let kept: Vec<IndexedDataset> = (0..2)
        .map(|_| {
            Dataset::open(folder.path(), &options)
                .unwrap()
                .index()
                .unwrap()
        })
        .collect();
    kept.iter().for_each(read_all);
    let opened = open_files() - before;
    assert!(opened < FILES / 2, "{opened}");

    // As the umask says, which a file of this test's own has too.
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let expected = mode(&folder.path().join("000.tsv"));
    let index = |number: usize| {
        let mut entries = fs::read_dir(&indexes)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let start = format!("{number:03}.tsv-");
        let is_it = |path: &std::path::PathBuf| path.to_string_lossy().contains(&start);
        entries.find(is_it).unwrap()
    };
    assert_eq!(mode(&index(0)), expected);

    // The same index in its place is used, another one is refused. Reading backwards ended at the first files, which are open.
    let (last, first) = (FILES - 1, 100);
    let (path, bytes) = (index(last), fs::read(index(last)).unwrap());
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    kept[0].get(2 * last as u64).unwrap();
    let other = fs::read(index(5)).unwrap();
    fs::write(index(first), other).unwrap();
    let error = kept[0].get(2 * first as u64).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}
