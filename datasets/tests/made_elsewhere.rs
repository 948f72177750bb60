//! Data sets that pandas, pyarrow, Hugging Face's datasets and webdataset wrote: `data/make.py`.

use std::path::{Path, PathBuf};

use datasets::{Dataset, Entry, Example, ImageSource, Options, SkipReason};
use preprocess::image::decode::{self, DecodeOptions};
use preprocess::text::language;

fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/made")
        .join(name)
}

fn options() -> Options {
    Options::default().with_image_folder(made("images"))
}

/// The examples and the reasons of what was skipped, read in order; reading by position gives the same.
fn read(name: &str, options: &Options) -> (Vec<Example>, Vec<SkipReason>) {
    let dataset = Dataset::open(made(name), options).unwrap();
    let (mut examples, mut skipped) = (Vec::new(), Vec::new());
    for entry in dataset.examples() {
        match entry.unwrap() {
            Entry::Example(example) => examples.push(example),
            Entry::Skipped(entry) => skipped.push(entry.reason),
        }
    }
    let indexed = dataset.index().unwrap();
    let by_position = (0..indexed.len()).map(|position| indexed.get(position).unwrap());
    let by_position: Vec<_> = by_position
        .filter_map(|entry| match entry {
            Entry::Example(example) => Some(format!("{example:?}")),
            Entry::Skipped(_) => None,
        })
        .collect();
    let in_order: Vec<_> = examples
        .iter()
        .map(|example| format!("{example:?}"))
        .collect();
    assert_eq!(by_position, in_order);
    (examples, skipped)
}

const ENGLISH: [&str; 8] = [
    "a dog",
    "a \"quoted\" cat",
    "two\nlines",
    "a tree",
    "a house",
    "a car",
    "a boat",
    "a hat",
];
const SPANISH: [&str; 8] = [
    "un perro",
    "un gato",
    "dos líneas",
    "un árbol",
    "una casa",
    "un coche",
    "un barco",
    "un sombrero",
];

fn texts(example: &Example) -> Vec<(&str, &str)> {
    example
        .captions
        .iter()
        .map(|caption| (caption.language.code, caption.text.as_str()))
        .collect()
}

fn width(example: &Example) -> u32 {
    let options = DecodeOptions::default();
    match &example.image {
        ImageSource::File(path) => decode::open(path, &options),
        ImageSource::Bytes { bytes, .. } => decode::decode(bytes, &options),
    }
    .unwrap()
    .width()
}

#[test]
fn a_table_of_pandas_has_its_captions_with_quotes_and_lines() {
    let (examples, skipped) = read("pandas.tsv", &options());
    assert_eq!((examples.len(), skipped.len()), (8, 0));
    for (number, example) in examples.iter().enumerate() {
        assert_eq!(
            texts(example),
            [("en_XX", ENGLISH[number]), ("es_XX", SPANISH[number])]
        );
        assert_eq!(width(example), 24 + number as u32);
        assert_eq!(example.url.is_some(), number % 2 == 1);
    }
}

#[test]
fn a_shard_as_img2dataset_writes_it_has_its_texts_in_the_language_that_is_named() {
    let options = options().with_language(language("en").unwrap());
    let (examples, skipped) = read("img2dataset.tar", &options);
    assert_eq!((examples.len(), skipped.len()), (8, 0));
    for (number, example) in examples.iter().enumerate() {
        assert_eq!(texts(example), [("en_XX", ENGLISH[number])]);
        assert_eq!(
            example.url.as_deref(),
            Some(format!("https://example.org/{number}").as_str())
        );
        assert_eq!(width(example), 24 + number as u32);
    }
    let (examples, skipped) = read("img2dataset.tar", &Options::default());
    assert_eq!(
        (examples.len(), skipped),
        (0, vec![SkipReason::UnknownLanguage; 8])
    );
}

#[test]
fn a_shard_with_languages_in_names_or_in_json_has_all_of_them() {
    let (examples, skipped) = read("languages.tar", &options());
    assert_eq!((examples.len(), skipped.len()), (8, 0));
    for (number, example) in examples.iter().enumerate() {
        assert_eq!(
            texts(example),
            [("en_XX", ENGLISH[number]), ("es_XX", SPANISH[number])]
        );
        assert_eq!(width(example), 24 + number as u32);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_with_paths_and_a_caption_a_row_is_read() {
    let (examples, skipped) = read("paths.parquet", &options());
    assert_eq!((examples.len(), skipped.len()), (16, 0));
    for (row, example) in examples.iter().enumerate() {
        let expected = [("en_XX", ENGLISH[row / 2]), ("es_XX", SPANISH[row / 2])][row % 2];
        assert_eq!(texts(example), [expected]);
        assert_eq!(width(example), 24 + (row / 2) as u32);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_with_bytes_and_lists_of_captions_is_read() {
    let (examples, skipped) = read("lists.parquet", &options());
    assert_eq!((examples.len(), skipped), (7, vec![SkipReason::NoCaption]));
    for (number, example) in examples.iter().enumerate() {
        assert_eq!(
            texts(example),
            [("en_XX", ENGLISH[number]), ("es_XX", SPANISH[number])]
        );
        assert_eq!(width(example), 24 + number as u32);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_of_hugging_face_with_a_column_for_each_language_is_read() {
    let (examples, skipped) = read("hugging-face.parquet", &options());
    assert_eq!((examples.len(), skipped.len()), (8, 0));
    for (number, example) in examples.iter().enumerate() {
        let mut expected = vec![("en_XX", ENGLISH[number]), ("es_XX", SPANISH[number])];
        if number == 6 {
            expected.pop();
        }
        assert_eq!(texts(example), expected);
        assert_eq!(width(example), 24 + number as u32);
    }
}

#[test]
fn files_of_several_formats_are_one_data_set_in_the_order_of_their_names() {
    let pattern = made("{languages.tar,pandas.tsv}");
    let dataset = Dataset::open(pattern, &options()).unwrap();
    assert_eq!(dataset.files().count(), 2);
    let indexed = dataset.index().unwrap();
    assert_eq!(indexed.len(), 16);
    assert!(indexed.skip_counts().total() == 0 && indexed.skipped().next().is_none());
    let stars = Dataset::open(
        made("*.tar"),
        &options().with_language(language("en").unwrap()),
    )
    .unwrap();
    let names: Vec<_> = stars
        .files()
        .map(|file| file.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["img2dataset.tar", "languages.tar"]);
    let error = Dataset::open(made("none-*.tsv"), &options()).unwrap_err();
    assert!(error.to_string().contains("found none"), "{error}");
}
