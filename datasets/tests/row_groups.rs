//! Row groups that are larger than what is in memory at once.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datasets::{Dataset, Entry, ImageSource, Options};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use preprocess::text::language;

const SCHEMA: &str = "message table {
    required binary image_file (UTF8);
    optional group caption (LIST) { repeated group list { optional binary element (UTF8); } }
}";

/// Captions of a row, of which some have none.
fn captions(row: u64) -> Vec<String> {
    (0..row % 3)
        .map(|number| format!("caption {number} of {row}"))
        .collect()
}

/// One row group of this many rows, in pages of a few thousand.
fn write(path: &Path, rows: u64) {
    let properties = WriterProperties::builder()
        .set_data_page_row_count_limit(5_000)
        .set_write_batch_size(1_000)
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let text = |text: String| ByteArray::from(text.into_bytes());

    let mut column = group.next_column().unwrap().unwrap();
    let names: Vec<ByteArray> = (0..rows).map(|row| text(format!("{row}.jpg"))).collect();
    let typed = column.typed::<ByteArrayType>();
    typed.write_batch(&names, None, None).unwrap();
    column.close().unwrap();

    let mut column = group.next_column().unwrap().unwrap();
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let captions = captions(row);
        if captions.is_empty() {
            defined.push(1);
            repeated.push(0);
        }
        for (number, caption) in captions.into_iter().enumerate() {
            values.push(text(caption));
            defined.push(3);
            repeated.push(i16::from(number > 0));
        }
    }
    let typed = column.typed::<ByteArrayType>();
    typed
        .write_batch(&values, Some(&defined), Some(&repeated))
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

fn open(path: &Path) -> Dataset {
    let options = Options::default().with_language(language("en").unwrap());
    Dataset::open(path, &options).unwrap()
}

fn check(row: u64, entry: Entry) {
    let expected = captions(row);
    match entry {
        Entry::Skipped(skipped) => {
            assert!(expected.is_empty(), "{skipped}");
            assert_eq!(skipped.origin.row, row + 1);
        }
        Entry::Example(example) => {
            let ImageSource::File(path) = &example.image else {
                panic!()
            };
            assert!(path.ends_with(format!("{row}.jpg")), "{row}: {path:?}");
            assert_eq!(example.origin.row, row + 1);
            let found: Vec<String> = example.captions.into_iter().map(|one| one.text).collect();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn rows_of_a_large_row_group_are_the_same_in_order_and_by_position() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.parquet");
    let rows = 60_000;
    write(&path, rows);
    let dataset = open(&path);
    let mut count = 0;
    for (entry, row) in dataset.examples().zip(0..) {
        check(row, entry.unwrap());
        count += 1;
    }
    assert_eq!(count, rows);
    let indexed = dataset.index().unwrap();
    assert_eq!(indexed.len(), rows);
    for start in [59_000, 40_000, 20_000, 0] {
        for row in (start..start + 1000).step_by(37) {
            check(row, indexed.get(row).unwrap());
        }
    }
}

#[test]
fn the_work_of_reading_in_order_grows_with_the_rows_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.parquet");
    let work = |rows| {
        write(&path, rows);
        let dataset = open(&path);
        allocation_counter::measure(|| assert_eq!(dataset.examples().count(), rows as usize))
            .count_total
    };
    // Eight blocks. Decoding all blocks before each one would be 36 times the work.
    let (small, large) = (work(1 << 14), work(8 << 14));
    assert!(large < 10 * small, "{small} and {large}");
}
