//! Captions in files of a folder, which a run that was stopped goes on with.

mod csv;
mod folder;
mod identity;
mod json_lines;
#[cfg(feature = "parquet")]
mod parquet;
mod row;
mod shard;
mod writer;

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;

use whole_files::StagedFile;

pub(crate) use self::folder::FolderError;
use self::folder::OutputFolder;
use self::identity::RunIdentity;
use self::row::Row;
use self::writer::Writer;
use crate::error::StartError;
use crate::inputs::Inputs;
use crate::job::Job;
use crate::many;

/// What the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    JsonLines,
    Csv,
    Parquet,
    Tar,
}

impl OutputFormat {
    const ALL: [Self; 4] = [Self::JsonLines, Self::Csv, Self::Parquet, Self::Tar];

    /// Its name, which files end in.
    fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Tar => "tar",
        }
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        match found {
            Some(Self::Parquet) if cfg!(not(feature = "parquet")) => {
                Err("this program was built without it; build it with --features parquet".into())
            }
            Some(format) => Ok(format),
            None => Err("expected jsonl, csv, parquet or tar".into()),
        }
    }
}

/// A file of a format that is being written.
trait Sink {
    /// Adds a picture.
    fn add(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// Writes what is left, and gives the file.
    fn finish(self: Box<Self>) -> io::Result<StagedFile>;
}

/// Captions all pictures into files of a folder. Returns whether every one has a caption in every language.
pub(crate) fn write(job: &Job<'_>, inputs: &Inputs, path: &Path) -> Result<bool, StartError> {
    if inputs.have_standard_input() {
        return Err(StartError::StandardInput);
    }
    let run = RunIdentity::new(job)?;
    let (program, arguments) = (job.program, job.arguments);
    let names: Vec<String> = inputs
        .units
        .iter()
        .map(|unit| run.file_name(unit, arguments.format))
        .collect();
    let folder = OutputFolder::open(path, &names, arguments.resume)?;
    let units = folder.missing(&names);
    let there = names.len() - units.len();
    if there > 0 {
        program.message(format_args!(
            "{there} of {} files are there already",
            names.len()
        ));
    }
    let progress = many::progress(inputs, &units);
    let mut writer = Writer::new(job, inputs, &folder, &names, units.clone());
    let mut complete = true;
    let mut failed = None;
    let pipeline = many::pipeline(job)?;
    let decoder = &job.decoder;
    pipeline.run(
        inputs.pictures(units),
        |item| many::open(&mut item.picture, decoder),
        |record| {
            let added = progress.suspend(|| writer.add(record));
            progress.advance();
            match added {
                Ok(is_complete) => {
                    complete &= is_complete;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        },
    )?;
    progress.finish();
    match failed {
        Some(error) => Err(error.into()),
        None => {
            writer.finish()?;
            Ok(complete)
        }
    }
}
