use std::io;
use std::path::PathBuf;

/// Why a data set, or a file of it, can't be used. What is wrong with a single row is no error but a
/// [`Skipped`](crate::Skipped) entry.
///
/// A message does not repeat its [`source`](std::error::Error::source): print the whole chain, joined by `": "` for
/// example.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file can't be opened or read, or is no regular file.
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    /// A folder can't be listed, or an index can't be written.
    #[error("can't {action} {}", path.display())]
    Io {
        /// What was tried: `write`, `list`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Nothing was found under a path or pattern.
    #[error(
        "{}: expected {expected}, found none; check the path, and put a pattern in quotation marks so that the shell \
         leaves it alone",
        path.display()
    )]
    NoFiles {
        /// The path or pattern.
        path: PathBuf,
        /// The kinds of files that were looked for.
        expected: &'static str,
    },
    /// A pattern of file names can't be understood.
    #[error("pattern {}: {reason}", path.display())]
    Pattern {
        /// The pattern.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is of no known format.
    #[error(
        "{}: expected a table (.tsv), Parquet (.parquet) or a WebDataset shard (.tar), found {found}", path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it is instead, and what to do.
        found: String,
    },
    /// A table has no column of a name that is needed.
    #[error(
        "{}: expected a column {expected:?}, found {}; name the columns that it has in the options",
        path.display(), listed(found)
    )]
    MissingColumn {
        /// The table.
        path: PathBuf,
        /// The name that was looked for.
        expected: String,
        /// The names that there are.
        found: Vec<String>,
    },
    /// A column holds something else than what its name stands for.
    #[error("{}: expected the column {name:?} to hold {expected}, found {found}", path.display())]
    ColumnType {
        /// The table.
        path: PathBuf,
        /// The name of the column.
        name: String,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// Two columns have the same name, so that it is unclear which is meant.
    #[error("{}: expected one column {name:?}, found {count}", path.display())]
    RepeatedColumn {
        /// The table.
        path: PathBuf,
        /// The name.
        name: String,
        /// How often it is there.
        count: usize,
    },
    /// The first line of a table is not a list of column names.
    #[error("{}: expected column names in the first line, found {found}", path.display())]
    Header {
        /// The table.
        path: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// A file was written to while it was in use.
    #[error(
        "{} has changed since it was opened: expected it to stay as it is; begin again, so that it is indexed anew",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// No example of a data set can be used.
    #[error(
        "expected examples, found none that can be used; {skipped} were skipped{}",
        first(example)
    )]
    NoExamples {
        /// How many entries or images were skipped.
        skipped: u64,
        /// The first of them.
        example: Option<String>,
    },
    /// An option has a value that can't be used.
    #[error("option {option}: expected {expected}, found {found}")]
    Option {
        /// The option.
        option: &'static str,
        /// The values that it may have.
        expected: &'static str,
        /// The value that it has.
        found: String,
    },
    /// Images of a batch have pixel values of different sizes.
    #[error(
        "expected pixel values of one size, found {first:?} and {found:?} ({image}); let the image processor crop or          resize to an exact size"
    )]
    MixedSizes {
        /// Height and width of the first image.
        first: [usize; 2],
        /// Those of the other one.
        found: [usize; 2],
        /// The other one.
        image: String,
    },
    /// The image processor refuses its options, or threads can't be started.
    #[error("can't prepare images")]
    Prepare {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The content of a file is damaged, or of a kind that is not read.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected, what was found, and what to do.
        problem: String,
    },
}

fn first(example: &Option<String>) -> String {
    example
        .as_ref()
        .map_or_else(String::new, |example| format!(", the first: {example}"))
}

/// Names in quotation marks, at most 20 of them.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(20).map(|name| {
        let short: String = name.chars().take(40).collect();
        format!("{short:?}")
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > 20 {
        text += &format!(" and {} more", names.len() - 20);
    }
    text
}
