use std::collections::VecDeque;
use std::io;

use captioning::Record;
use report::{message, message_about};

use super::csv::Csv;
use super::json_lines::JsonLines;
use super::shard::Shard;
use super::{FolderError, OutputFolder, OutputFormat, Row, Sink};
use crate::error::PictureError;
use crate::inputs::{Inputs, Item};
use crate::job::Job;
use crate::many;

/// Writes records, which come in the order of the pictures, to the files of their units.
pub(super) struct Writer<'a> {
    job: &'a Job<'a>,
    inputs: &'a Inputs,
    folder: &'a OutputFolder,
    names: &'a [String],
    /// Units whose files were not begun.
    left: VecDeque<usize>,
    open: Option<Open<'a>>,
}

/// A file that is being written.
struct Open<'a> {
    unit: usize,
    sink: Box<dyn Sink + 'a>,
    /// Whether pictures are missing that another run may find.
    is_partial: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        inputs: &'a Inputs,
        folder: &'a OutputFolder,
        names: &'a [String],
        units: Vec<usize>,
    ) -> Self {
        Self {
            job,
            inputs,
            folder,
            names,
            left: units.into(),
            open: None,
        }
    }

    /// Writes a record. Returns whether the picture has all its captions.
    pub(super) fn add(&mut self, record: Record<Item, PictureError>) -> Result<bool, FolderError> {
        let Item { unit, picture } = &record.picture;
        let name = &self.names[*unit];
        let folder = self.folder;
        self.go_to(Some(*unit))?;
        let Some(open) = &mut self.open else {
            return Ok(false); // not reached: the unit is one of those that are left
        };
        let captioned = many::captioned(
            self.job,
            picture,
            record.captions,
            [record.encode, record.generate],
        );
        if let Err(error) = &captioned {
            let program = self.job.program;
            if picture.is_lost() {
                open.is_partial = true;
                program.message(format_args!(
                    "{}; it has no file with captions, so that --resume reads it again",
                    message(error)
                ));
                return Ok(false);
            }
            program.message(message_about(error, picture.path()));
        }
        let row = Row {
            picture,
            captioned: &captioned,
        };
        let written = open.sink.add(&row);
        written.map_err(|source| folder.not_written(name, source))?;
        Ok(captioned.is_ok_and(|captioned| captioned.is_complete()))
    }

    /// Completes all files.
    pub(super) fn finish(mut self) -> Result<(), FolderError> {
        self.go_to(None)
    }

    /// Completes the files of the units before one, and begins that one's; without one, completes all.
    fn go_to(&mut self, unit: Option<usize>) -> Result<(), FolderError> {
        loop {
            if self.open.is_some() && self.open.as_ref().map(|open| open.unit) == unit {
                return Ok(());
            }
            if let Some(open) = self.open.take()
                && !open.is_partial
            {
                let (folder, name) = (self.folder, &self.names[open.unit]);
                let written = open.sink.finish().and_then(whole_files::StagedFile::commit);
                written.map_err(|source| folder.not_written(name, source))?;
            }
            let Some(next) = self.left.pop_front() else {
                return Ok(());
            };
            let begun = self.begin(next);
            let begun = begun.map_err(|source| self.folder.not_written(&self.names[next], source));
            self.open = Some(Open {
                unit: next,
                sink: begun?,
                is_partial: false,
            });
        }
    }

    fn begin(&self, unit: usize) -> io::Result<Box<dyn Sink + 'a>> {
        let (job, inputs) = (self.job, self.inputs);
        let file = self.folder.begin(&self.names[unit])?;
        Ok(match job.arguments.format {
            OutputFormat::JsonLines => Box::new(JsonLines(file)),
            OutputFormat::Csv => Box::new(Csv::new(file, job.languages)?),
            #[cfg(feature = "parquet")]
            OutputFormat::Parquet => Box::new(super::parquet::Parquet::new(file, job.languages)?),
            #[cfg(not(feature = "parquet"))]
            OutputFormat::Parquet => return Err(io::ErrorKind::Unsupported.into()),
            OutputFormat::Tar => {
                Box::new(Shard::new(file, inputs.pictures_of(unit), job.languages))
            }
        })
    }
}
