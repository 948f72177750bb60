use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use datasets::cleaning::{Journal, PictureCheck};
use whole_files::{Rules, StagedFolder};

use crate::error::CleanError;

/// What this program writes, beside `.saving`, in which `whole_files` keeps what is not complete.
pub(crate) const TRAIN: &str = "train.tsv";
pub(crate) const VALIDATION: &str = "validation.tsv";
pub(crate) const DROPPED: &str = "dropped.tsv";
pub(crate) const REPORT: &str = "report.json";
pub(crate) const PAGE: &str = "report.html";
pub(crate) const IMAGES: &str = "images";
const JOURNAL: &str = "pictures.journal";
const OURS: [&str; 7] = [TRAIN, VALIDATION, DROPPED, REPORT, PAGE, IMAGES, JOURNAL];

/// A reader of the folder finds all files of one run: the report disappears first and comes last.
const RULES: Rules = Rules {
    marks: |file| file == REPORT,
    replaced: |_, _| false,
};

/// The output folder, which no other program writes to while this value exists.
pub(crate) struct Output {
    pub(crate) folder: PathBuf,
    staged: StagedFolder,
}

impl Output {
    /// Takes a folder that is new, empty or ours.
    pub(crate) fn open(folder: &Path) -> Result<Self, CleanError> {
        let others = others(folder).map_err(CleanError::write(folder))?;
        if !others.is_empty() {
            return Err(CleanError::OtherFiles {
                output: folder.to_owned(),
                others,
            });
        }
        fs::create_dir_all(folder).map_err(CleanError::write(folder))?;
        Ok(Self {
            // Its absolute path is what training reads later, from any folder.
            folder: folder.canonicalize().map_err(CleanError::write(folder))?,
            staged: StagedFolder::new(folder, RULES)?,
        })
    }

    /// The journal of checks.
    pub(crate) fn journal(&self, check: &PictureCheck) -> Result<Journal, CleanError> {
        Ok(Journal::open(self.folder.join(JOURNAL), check)?)
    }

    /// Where files are written before all of them appear.
    pub(crate) fn staged(&self) -> &Path {
        self.staged.path()
    }

    /// Lets all files appear.
    pub(crate) fn commit(self) -> Result<(), CleanError> {
        Ok(self.staged.commit()?)
    }
}

/// Files in the folder of copies that are none, as far as a look at its top shows. There may be a great many copies.
fn beside_copies(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut others = Vec::new();
    for file in names(&folder.join(IMAGES))? {
        let bytes = file.as_encoded_bytes();
        let is_ours = bytes.len() == 2 && bytes.iter().all(u8::is_ascii_hexdigit);
        if !is_ours && !bytes.starts_with(b".") && others.len() < 10 {
            others.push(report::name(&Path::new(IMAGES).join(file)));
        }
    }
    Ok(others)
}

/// The names of the files in a folder, if it exists.
fn names(folder: &Path) -> std::io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.file_name())).collect(),
    }
}

/// Files that a run of ours has not written: all but hidden ones, if there is no journal; otherwise those with other names.
fn others(folder: &Path) -> std::io::Result<Vec<String>> {
    let is_ours = is_journal(&folder.join(JOURNAL));
    let (mut others, mut more) = (Vec::new(), 0);
    if is_ours {
        others = beside_copies(folder)?;
    }
    for file in names(folder)? {
        let is_known = is_ours && OURS.iter().any(|name| file == *name);
        if is_known || file.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match others.len() < 10 {
            true => others.push(report::name(Path::new(&file))),
            false => more += 1,
        }
    }
    others.sort();
    if more > 0 {
        others.push(format!("and {more} more"));
    }
    Ok(others)
}

fn is_journal(path: &Path) -> bool {
    let mut start = [0; 19];
    // Opened only if it is a regular file.
    let read = whole_files::open(path)
        .ok()
        .map(|(mut file, _)| file.read_exact(&mut start));
    matches!(read, Some(Ok(()))) && start == *b"journal of pictures"
}
