use std::path::{Path, PathBuf};

use datasets::cleaning::{CheckError, FolderError, FolderExamples, JournalError};
use datasets::{Dataset, Entry, Example, Options, Origin, SkipReason, Skipped};
use preprocess::text::{Language, language};

use crate::arguments::Arguments;
use crate::error::CleanError;

/// Where examples come from.
pub(crate) enum Input {
    /// Files that `datasets` reads.
    Files(Dataset),
    /// Pictures with text files beside them.
    Folder {
        root: PathBuf,
        language: Option<Language>,
        output: PathBuf,
    },
}

/// What stands in the place of an example.
pub(crate) enum Passed {
    /// A row that can't be used, which is counted.
    Skipped(Skipped),
    /// The end of the work.
    Failed(CleanError),
}

impl From<JournalError> for Passed {
    fn from(error: JournalError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CheckError> for Passed {
    fn from(error: CheckError) -> Self {
        Self::Failed(error.into())
    }
}

impl Input {
    pub(crate) fn open(arguments: &Arguments) -> Result<Self, CleanError> {
        let default = match arguments.language.as_deref() {
            Some(text) => {
                Some(language(text.trim()).ok_or_else(|| CleanError::Language(text.to_owned()))?)
            }
            None => None,
        };
        for input in arguments.inputs.iter().chain(&arguments.images) {
            if is_within(input, &arguments.output) {
                return Err(CleanError::InputInOutput {
                    input: input.clone(),
                    output: arguments.output.clone(),
                });
            }
        }
        match arguments.inputs.as_slice() {
            [root] if is_folder_of_pictures(root) => {
                // Whether it can be read at all, before anything is written.
                std::fs::read_dir(root).map_err(|source| FolderError::Folder {
                    path: root.clone(),
                    source,
                })?;
                Ok(Self::Folder {
                    root: root.clone(),
                    language: default,
                    output: arguments.output.clone(),
                })
            }
            inputs => {
                if let Some(folder) = inputs.iter().find(|input| is_folder_of_pictures(input)) {
                    return Err(CleanError::FolderAmongOthers(folder.clone()));
                }
                let mut options = Options::default();
                options.image_folder.clone_from(&arguments.images);
                options.language = default;
                let dataset = Dataset::open_all(inputs, &options)?;
                // Files that a pattern stands for.
                for file in dataset.files() {
                    if is_within(file, &arguments.output) {
                        return Err(CleanError::InputInOutput {
                            input: file.to_owned(),
                            output: arguments.output.clone(),
                        });
                    }
                }
                Ok(Self::Files(dataset))
            }
        }
    }

    /// All examples from the start.
    pub(crate) fn examples(&self) -> Box<dyn Iterator<Item = Result<Example, Passed>>> {
        match self {
            Self::Files(dataset) => Box::new(dataset.examples().map(|entry| match entry {
                Ok(Entry::Example(example)) => Ok(example),
                Ok(Entry::Skipped(skipped)) => Err(Passed::Skipped(skipped)),
                Err(error) => Err(Passed::Failed(error.into())),
            })),
            Self::Folder {
                root,
                language,
                output,
            } => {
                let examples = FolderExamples::new(root, *language).without(output);
                Box::new(examples.map(|example| example.map_err(of_folder)))
            }
        }
    }

    /// Examples without the content of their pictures, if several of them may be of one image.
    pub(crate) fn scattered(&self) -> Option<impl Iterator<Item = Result<Example, CleanError>>> {
        let Self::Files(dataset) = self else {
            return None;
        };
        // Rows that can't be used are named when they are read with their pictures.
        Some(dataset.captions().filter_map(|entry| match entry {
            Ok(Entry::Example(example)) => Some(Ok(example)),
            Ok(Entry::Skipped(_)) => None,
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// How many examples there are, as far as that is known before they are read.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Files(dataset) => Some(dataset.index().ok()?.len()),
            Self::Folder { .. } => Some(self.examples().count() as u64),
        }
    }
}

fn of_folder(error: FolderError) -> Passed {
    match error {
        // One picture less, and not the end.
        FolderError::Captions(error) => {
            let reason = match error {
                whole_files::ReadError::NotText { .. } => SkipReason::NotText,
                whole_files::ReadError::TooLarge { .. } => SkipReason::TooLong,
                _ => SkipReason::Unreadable,
            };
            skipped(error.path(), reason, report::message(&error))
        }
        FolderError::TooManyCaptions { ref path, .. } => {
            skipped(path, SkipReason::TooLong, report::message(&error))
        }
        error => Passed::Failed(error.into()),
    }
}

fn skipped(path: &Path, reason: SkipReason, detail: String) -> Passed {
    Passed::Skipped(Skipped {
        origin: Origin {
            file: path.to_owned(),
            row: 1,
        },
        image: None,
        reason,
        detail,
    })
}

/// Whether a path is a folder without tables and shards. What lies deeper is not looked at.
fn is_folder_of_pictures(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else {
        return false;
    };
    let is_data = |path: PathBuf| {
        let end = path
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        ["tsv", "parquet", "tar"]
            .iter()
            .any(|data| end.eq_ignore_ascii_case(data))
            && path.is_file()
    };
    !entries.flatten().any(|entry| is_data(entry.path()))
}

/// Whether a path is a folder or lies in it. A folder that does not exist has nothing in it.
fn is_within(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}
