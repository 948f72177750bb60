use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A table in a CSV file, a row for each update, whose first column is the number of the update.
///
/// A run that goes on after an interruption goes on from its last checkpoint: rows that were written after it are
/// removed, so that the file is the same as that of a run without an interruption.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    file: BufWriter<File>,
    columns: usize,
}

impl Table {
    /// Opens a table whose columns are `step` and these, or creates it. Rows of updates after `last_step` are
    /// removed.
    ///
    /// # Errors
    /// If the file can't be read or written, or if it is a table with other columns.
    pub fn open(path: impl AsRef<Path>, columns: &[&str], last_step: u64) -> io::Result<Self> {
        let path = path.as_ref();
        let header = format!("step,{}\n", columns.join(","));
        let mut file = OpenOptions::new();
        let file = file.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(path)?;
        let text = io::read_to_string(&mut file)?;
        // A kill may have cut the header short.
        let kept = if header.starts_with(&text) && text != header {
            0
        } else if text.starts_with(&header) {
            kept(&text, header.len(), last_step)
        } else {
            let message = format!("{} is a table with other columns", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        file.set_len(kept as u64)?;
        file.seek(SeekFrom::Start(kept as u64))?;
        let mut table = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            columns: columns.len(),
        };
        if kept == 0 {
            table.file.write_all(header.as_bytes())?;
        }
        table.flush()?;
        Ok(table)
    }

    /// Where the table is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a row. What has no value is left empty.
    ///
    /// # Errors
    /// If the file can't be written.
    ///
    /// # Panics
    /// If there is not a value for each column.
    pub fn row(&mut self, step: u64, values: &[Option<f64>]) -> io::Result<()> {
        assert_eq!(values.len(), self.columns, "values of a row");
        write!(self.file, "{step}")?;
        for value in values {
            match value {
                Some(value) => write!(self.file, ",{value}")?,
                None => write!(self.file, ",")?,
            }
        }
        writeln!(self.file)
    }

    /// Hands everything to the operating system, so that readers see it.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// Waits until everything is on the disk. A checkpoint of these updates may be saved after that.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.get_ref().sync_data()
    }
}

/// How many bytes of a table are whole rows of updates up to `last_step`.
fn kept(text: &str, header: usize, last_step: u64) -> usize {
    let mut kept = header;
    for line in text[header..].split_inclusive('\n') {
        let step = line.split(',').next().and_then(|step| step.parse().ok());
        match step {
            Some(step) if line.ends_with('\n') && last_step >= step => kept += line.len(),
            _ => break,
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 2] = ["loss", "rate"];

    #[test]
    fn a_table_that_goes_on_loses_what_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("updates.csv");
        let mut table = Table::open(&path, &COLUMNS, 0).unwrap();
        for step in 1..=4 {
            table.row(step, &[Some(0.5 / step as f64), None]).unwrap();
        }
        // A kill in the middle of a row.
        table.file.write_all(b"5,0.").unwrap();
        table.flush().unwrap();

        let mut table = Table::open(&path, &COLUMNS, 2).unwrap();
        table.row(3, &[Some(1e-7), Some(2.0)]).unwrap();
        table.flush().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "step,loss,rate\n1,0.5,\n2,0.25,\n3,0.0000001,2\n");
    }

    #[test]
    fn a_header_that_was_cut_short_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("updates.csv");
        for cut in ["", "st", "step,loss,rate"] {
            std::fs::write(&path, cut).unwrap();
            let mut table = Table::open(&path, &COLUMNS, 0).unwrap();
            table.row(1, &[None, Some(1.0)]).unwrap();
            table.sync().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text, "step,loss,rate\n1,,1\n");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("updates.csv");
        std::fs::write(&path, "image,caption\n").unwrap();
        assert!(Table::open(&path, &COLUMNS, 0).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "image,caption\n");
    }
}
