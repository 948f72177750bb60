//! Tables of tab-separated values, well-formed and not.

use std::fs;

use datasets::{Columns, Dataset, Entry, Error, Options, Quoting, SkipReason};
use preprocess::text::language;

/// Lines of what a table holds: examples as `image: en text | es text`, skipped rows as `row: reason`.
fn read(content: impl AsRef<[u8]>, options: &Options) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    fs::write(&path, content).unwrap();
    let dataset = Dataset::open(&path, options).unwrap();
    let line = |entry: Result<Entry, Error>| match entry.unwrap() {
        Entry::Example(example) => {
            let captions = example
                .captions
                .iter()
                .map(|caption| format!("{} {}", &caption.language.code[..2], caption.text));
            let captions = captions.collect::<Vec<_>>().join(" | ");
            let datasets::ImageSource::File(image) = example.image else {
                panic!("a table has files");
            };
            let image = image
                .strip_prefix(folder.path())
                .unwrap_or(&image)
                .to_owned();
            format!("{} {}: {captions}", example.origin.row, image.display())
        }
        Entry::Skipped(skipped) => format!("{} {:?}", skipped.origin.row, skipped.reason),
    };
    dataset.examples().map(line).collect()
}

fn refused(content: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    fs::write(&path, content).unwrap();
    Dataset::open(&path, &Options::default())
        .unwrap_err()
        .to_string()
}

const HEADER: &str = "image_file\tcaption\turl\tlang_id\n";

#[test]
fn rows_of_one_image_are_one_example_with_languages_by_any_name() {
    let table = format!(
        "{HEADER}a.jpg\ta dog\tu\ten\na.jpg\tun perro\tu\tes_XX\na.jpg\tein Hund\tu\tgerman\nb.jpg\tx\t\tfr\na.jpg\tagain\t\ten\n"
    );
    assert_eq!(
        read(table, &Options::default()),
        [
            "2 a.jpg: en a dog | es un perro | de ein Hund",
            "5 b.jpg: fr x",
            "6 a.jpg: en again"
        ]
    );
}

#[test]
fn columns_stand_in_any_order_beside_others_and_may_have_other_names() {
    let table = "split\tlang_id\timage_file\tcaption\ntrain\ten\ta.jpg\tone\n";
    assert_eq!(read(table, &Options::default()), ["2 a.jpg: en one"]);
    let columns = Columns::default().with_image("file").with_caption("text");
    let options = Options::default()
        .with_columns(columns)
        .with_language(language("es").unwrap());
    assert_eq!(
        read("text\tfile\nuno\ta.jpg\n", &options),
        ["2 a.jpg: es uno"]
    );
}

#[test]
fn line_ends_byte_order_marks_and_empty_lines_of_other_systems_are_read() {
    let table = "\u{feff}image_file\tcaption\turl\tlang_id\r\na.jpg\tone\tu\ten\r\n\r\nb.jpg\ttwo\tu\ten\r\nc.jpg\tthree\tu\ten";
    assert_eq!(
        read(table, &Options::default()),
        ["2 a.jpg: en one", "4 b.jpg: en two", "5 c.jpg: en three"]
    );
}

#[test]
fn quotation_marks_are_read_as_pandas_writes_them_or_as_characters() {
    let table =
        format!("{HEADER}a.jpg\t\"he said \"\"no\"\"\nand left\"\tu\ten\nb.jpg\t6\" pipe\tu\ten\n");
    assert_eq!(
        read(&table, &Options::default()),
        [
            "2 a.jpg: en he said \"no\"\nand left",
            "4 b.jpg: en 6\" pipe"
        ]
    );
    let plain = format!("{HEADER}a.jpg\t\"quoted\" word\tu\ten\nb.jpg\t\"half\tu\ten\n");
    let options = Options::default().with_quoting(Quoting::None);
    assert_eq!(
        read(plain, &options),
        ["2 a.jpg: en \"quoted\" word", "3 b.jpg: en \"half"]
    );
}

#[test]
fn a_quotation_mark_that_is_not_closed_costs_one_row() {
    let rows = "b.jpg\ttwo\tu\ten\nc.jpg\tthree\tu\ten\n";
    let expected = ["2 UnclosedQuote", "3 b.jpg: en two", "4 c.jpg: en three"];
    let table = format!("{HEADER}a.jpg\t\"one\tu\ten\n{rows}");
    assert_eq!(read(&table, &Options::default()), expected);
    // Also where another one closes it later, or where the end is beyond any limit.
    let closed = format!("{table}d.jpg\t\"four\"\tu\ten\n");
    assert_eq!(read(closed, &Options::default())[..3], expected);
    let long = format!("{table}{}", rows.repeat(1000));
    assert_eq!(read(&long, &Options::default())[..3], expected);
    assert_eq!(read(&long, &Options::default()).len(), 2003);
}

#[test]
fn each_kind_of_bad_row_is_skipped_under_its_name() {
    let mut table =
        format!("{HEADER}a.jpg\tone\ttab\tu\ten\na.jpg\tshort\na.jpg\tnul\0\tu\ten\n").into_bytes();
    table.extend(b"a.jpg\t\xff\tu\ten\n\tno image\tu\ten\na.jpg\t\"tab\tinside\"\tu\ten\na.jpg\tx\tu\ttlh\na.jpg\tgood\tu\ten\n");
    table.extend(format!("a.jpg\t{}\tu\ten\nb.jpg\tlast", "long ".repeat(1000)).bytes());
    let options = Options::default().with_max_row_bytes(2000);
    assert_eq!(
        read(table, &options),
        [
            "2 FieldCount",
            "3 FieldCount",
            "4 Nul",
            "5 NotText",
            "6 NoImage",
            "7 Tab",
            "8 UnknownLanguage",
            "10 TooLong",
            "11 FieldCount",
            "9 a.jpg: en good"
        ]
    );
    assert!(SkipReason::ALL.len() > 7);
}

#[test]
fn a_table_without_its_columns_is_refused_with_the_names_that_it_has() {
    let message = refused("image\tcaption\turl\tlang_id\na\tb\tc\ten\n");
    assert!(
        message.contains("expected a column \"image_file\", found \"image\", \"caption\""),
        "{message}"
    );
    let message = refused("image_file\tcaption\tcaption\tlang_id\n");
    assert!(
        message.contains("expected one column \"caption\", found 2"),
        "{message}"
    );
    assert!(refused("").contains("an empty file"));
    assert!(refused(b"\xff\xfei\0m\0").contains("not UTF-8"));
}
