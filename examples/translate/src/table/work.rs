use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use whole_files::{Guard, Locked, limits, lock, replace, sync_folder};

use super::chunk::Output;
use super::header::Header;
use super::report::Counts;
use super::row::Rows;
use crate::arguments::{Arguments, TableSettings};
use crate::error::TranslateError;

/// The folder beside the output in which a run keeps what is not complete.
const FOLDER: &str = "translating";
const ROWS: &str = "rows.tsv";
const STATE: &str = "state.json";
/// The name of the list of flagged rows: here, and at the end of the output's name.
pub(super) const FLAGGED: &str = "flagged.jsonl";
const REPORT: &str = "report.json";

/// What a run depends on. Another run goes on only if all of it is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    model: String,
    back: Option<String>,
    language: Option<String>,
    back_language: Option<String>,
    from: String,
    to: String,
    input: PathBuf,
    input_bytes: u64,
    /// Seconds since 1970.
    input_modified: Option<u64>,
    options: Vec<String>,
    precision: String,
    device: String,
    long_texts: String,
    batch_tokens: usize,
    save_every: usize,
    checks: String,
}

/// How far a run is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    settings: Settings,
    /// Bytes of the input that are done; 0 before the first row.
    position: u64,
    /// Rows of the input that are done, the first included.
    rows: u64,
    /// Bytes of the two files that count; what is after them is of a chunk that was not completed.
    written: [u64; 2],
    counts: Counts,
    /// Whether only names have to be changed.
    is_complete: bool,
}

/// The report beside the output.
#[derive(Serialize, Deserialize)]
struct Report {
    counts: Counts,
    settings: Settings,
}

/// A run that can be killed at any time. The state is replaced after everything that it counts is on the disk.
pub(super) struct Work {
    output: PathBuf,
    folder: PathBuf,
    state: State,
    rows: File,
    flagged: File,
    _lock: Option<Guard>,
}

/// A run that begins or goes on, or one that was complete.
pub(super) enum Begun {
    Here(Box<Work>),
    Complete(Counts),
}

impl Settings {
    pub(super) fn new(arguments: &Arguments, table: &TableSettings, input: &Metadata) -> Self {
        let modified = input.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            model: arguments.model.clone(),
            back: arguments.back.clone(),
            language: arguments.language.clone(),
            back_language: arguments.back_language.clone(),
            from: table.from.clone(),
            to: table.to.clone(),
            input: table.input.clone(),
            input_bytes: input.len(),
            input_modified: modified.map(|time| time.as_secs()),
            options: arguments.settings(),
            precision: format!("{:?}", arguments.precision),
            device: arguments.device.clone(),
            long_texts: format!("{:?}", arguments.long_texts()),
            batch_tokens: arguments.batch_tokens,
            save_every: arguments.save_every,
            checks: format!(
                "{} {}",
                table.checks.max_length_ratio, table.checks.min_round_trip
            ),
        }
    }

    /// The first setting that differs, in both.
    fn difference(&self, other: &Self) -> Option<(String, String)> {
        let [own, other] = [self, other].map(|settings| serde_json::json!(settings));
        let keys = own.as_object().into_iter().flatten();
        let mut differing = keys.filter(|(key, value)| other.get(*key) != Some(*value));
        let (key, value) = differing.next()?;
        let shown = |value: &Value| format!("{key} {value}");
        Some((shown(value), shown(other.get(key).unwrap_or(&Value::Null))))
    }
}

impl Work {
    /// Begins a run, goes on with one that was killed, or completes it.
    pub(super) fn begin(output: &Path, settings: Settings) -> Result<Begun, TranslateError> {
        let folder = beside(output, FOLDER);
        let begun: Option<State> = read_json(&folder.join(STATE))?;
        if begun.is_none() && output.exists() {
            // A run that was killed at its very end is complete too.
            let report: Option<Report> = read_json(&beside(output, REPORT))?;
            let same = report.filter(|report| report.settings == settings);
            let exists = || TranslateError::Exists(output.to_owned());
            return Ok(Begun::Complete(same.ok_or_else(exists)?.counts));
        }
        fs::create_dir_all(&folder).map_err(TranslateError::write(&folder))?;
        let lock = match lock(&folder).map_err(TranslateError::write(&folder))? {
            Locked::Here { guard } => Some(guard),
            Locked::Unsupported => None,
            Locked::ByAnother | Locked::Gone => {
                return Err(TranslateError::Busy(output.to_owned()));
            }
        };
        // Again, since another program may have gone on before it was locked.
        let state = match read_json::<State>(&folder.join(STATE))? {
            Some(state) => {
                if let Some((begun, now)) = state.settings.difference(&settings) {
                    return Err(TranslateError::OtherWork { folder, begun, now });
                }
                state
            }
            None => State {
                settings,
                position: 0,
                rows: 0,
                written: [0; 2],
                counts: Counts::default(),
                is_complete: false,
            },
        };
        if state.is_complete {
            reveal(output, &folder, &state)?;
            return Ok(Begun::Complete(state.counts));
        }
        let open = |name: &str, written: u64| -> Result<File, TranslateError> {
            let path = folder.join(name);
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(false).write(true).open(&path);
            let at_end = file.and_then(|mut file| {
                file.set_len(written)?;
                file.seek(SeekFrom::Start(written))?;
                Ok(file)
            });
            at_end.map_err(TranslateError::write(path))
        };
        Ok(Begun::Here(Box::new(Self {
            output: output.to_owned(),
            rows: open(ROWS, state.written[0])?,
            flagged: open(FLAGGED, state.written[1])?,
            folder,
            state,
            _lock: lock,
        })))
    }

    /// Where the next row of the input begins.
    pub(super) fn position(&self) -> u64 {
        self.state.position
    }

    /// Rows of the input that are done.
    pub(super) fn rows(&self) -> u64 {
        self.state.rows
    }

    /// Writes the names of the columns.
    pub(super) fn add_header(
        &mut self,
        header: &Header,
        rows: &Rows,
    ) -> Result<(), TranslateError> {
        let mut bytes = header.row.bytes.clone();
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        let output = Output {
            rows: bytes,
            ..Output::default()
        };
        self.state.rows = 1;
        self.add(output, rows.position())
    }

    /// Writes a chunk, after which the next row begins at a position of the input.
    pub(super) fn add(&mut self, output: Output, position: u64) -> Result<(), TranslateError> {
        for (index, (file, name, bytes)) in [
            (&mut self.rows, ROWS, &output.rows),
            (&mut self.flagged, FLAGGED, &output.flagged),
        ]
        .into_iter()
        .enumerate()
        {
            let written = file.write_all(bytes).and_then(|()| file.sync_data());
            written.map_err(TranslateError::write(self.folder.join(name)))?;
            self.state.written[index] += bytes.len() as u64;
        }
        self.state.position = position;
        self.state.rows += output.counts.rows;
        self.state.counts.add(&output.counts);
        self.save()
    }

    fn save(&self) -> Result<(), TranslateError> {
        let path = self.folder.join(STATE);
        let json = serde_json::to_vec(&self.state).map_err(io::Error::from);
        let written = json.and_then(|json| replace(&path, &json));
        written.map_err(TranslateError::write(path))
    }

    /// Lets the output appear.
    pub(super) fn complete(mut self) -> Result<Counts, TranslateError> {
        self.state.is_complete = true;
        self.save()?;
        let Self {
            output,
            folder,
            state,
            rows,
            flagged,
            _lock,
        } = self;
        // Some systems do not rename open files.
        drop((rows, flagged));
        reveal(&output, &folder, &state)?;
        Ok(state.counts)
    }
}

/// Moves the complete files to their names, those that were not moved yet, and removes the folder.
fn reveal(output: &Path, folder: &Path, state: &State) -> Result<(), TranslateError> {
    let report = beside(output, REPORT);
    let content = Report {
        counts: state.counts.clone(),
        settings: state.settings.clone(),
    };
    let json = serde_json::to_string_pretty(&content).map_err(io::Error::from);
    let written = json.and_then(|json| replace(&report, (json + "\n").as_bytes()));
    written.map_err(TranslateError::write(&report))?;
    let flagged = beside(output, FLAGGED);
    for (from, to) in [(FLAGGED, flagged.as_path()), (ROWS, output)] {
        match fs::rename(folder.join(from), to) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(TranslateError::write(to)(error));
            }
            _ => {}
        }
    }
    let parent = output.parent().filter(|parent| *parent != Path::new(""));
    sync_folder(parent.unwrap_or(Path::new(".")));
    fs::remove_dir_all(folder).map_err(TranslateError::write(folder))
}

/// A file that this program has written, if it exists.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TranslateError> {
    match whole_files::read(path, limits::JSON) {
        Ok(bytes) => {
            let content = serde_json::from_slice(&bytes);
            content.map(Some).map_err(|source| TranslateError::State {
                path: path.to_owned(),
                source,
            })
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The path of a file that belongs to the output: its name with a dot and more.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(end);
    path.with_file_name(name)
}
