//! Memory does not grow with the number of examples.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use datasets::{Dataset, Entry, Options};

fn table(path: &Path, rows: u64) {
    let mut writer = BufWriter::new(File::create(path).unwrap());
    writeln!(writer, "image_file\tcaption\turl\tlang_id").unwrap();
    for row in 0..rows {
        writeln!(
            writer,
            "{row:08}.jpg\ta picture of number {row}\thttps://example.org/{row}\ten"
        )
        .unwrap();
    }
}

/// The most bytes that were in use while a table was read in order, indexed, and read at many positions.
fn used(path: &Path) -> u64 {
    allocation_counter::measure(|| {
        let dataset = Dataset::open(path, &Options::default()).unwrap();
        assert!(dataset.examples().all(|entry| entry.is_ok()));
        let indexed = dataset.index().unwrap();
        for number in 0..1000 {
            let position = number * 7919 % indexed.len();
            let Entry::Example(example) = indexed.get(position).unwrap() else {
                panic!("every row can be used");
            };
            assert_eq!(
                example.captions[0].text,
                format!("a picture of number {position}")
            );
            assert_eq!(example.origin.row, position + 2);
        }
    })
    .bytes_max
}

#[test]
fn a_table_with_a_hundred_times_as_many_rows_takes_no_more_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (
        folder.path().join("small.tsv"),
        folder.path().join("large.tsv"),
    );
    table(&small, 2_000);
    table(&large, 200_000);
    let (small, large) = (used(&small), used(&large));
    println!("2,000 rows: {small} bytes, 200,000 rows: {large} bytes");
    assert!(large <= small + 1024, "{small} and {large}");
    assert!(large < 1 << 18, "{large}");
}

#[test]
fn a_line_without_an_end_takes_no_more_than_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.tsv");
    for start in ["a.jpg\t", "a.jpg\t\"", "\t\t\t\t"] {
        let mut text = format!("image_file\tcaption\tlang_id\n{start}");
        text += &"long \"\" ".repeat(1 << 20);
        text += "\nb.jpg\tlast\ten\n";
        std::fs::write(&path, text).unwrap();
        let options = Options::default().with_max_row_bytes(1 << 16);
        let mut found = Vec::new();
        let used = allocation_counter::measure(|| {
            let dataset = Dataset::open(&path, &options).unwrap();
            found = dataset
                .examples()
                .map(|entry| matches!(entry.unwrap(), Entry::Example(_)))
                .collect();
        });
        assert_eq!(found, [false, true], "{start:?}");
        assert!(used.bytes_max < 1 << 19, "{start:?}: {}", used.bytes_max);
    }
}
