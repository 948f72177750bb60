//! The folder of a training.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use whole_files::{Locked, lock};

use crate::error::Error;
use crate::settings::Settings;

/// The folder that a training writes to, which no other process writes to.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
    _lock: Locked,
}

/// The settings of the training, in its folder.
const SETTINGS: &str = "train.toml";

/// Settings that may change while a training goes on, since they change no update.
const FREE: [&str; 8] = [
    "evaluation",
    "output_dir",
    "data.threads",
    "data.validation_files",
    "training.eval_steps",
    "training.save_steps",
    "training.save_total_limit",
    "training.logging_steps",
];

impl Output {
    /// Creates the folder and locks it. If it has a checkpoint already, its settings must be the same.
    pub(crate) fn open(settings: &Settings, overwrite: bool) -> Result<Self, Error> {
        let folder = settings.output_dir.clone();
        fs::create_dir_all(&folder).map_err(Error::writing(&folder))?;
        let lock = lock(&folder).map_err(Error::writing(&folder))?;
        if matches!(lock, Locked::ByAnother | Locked::Gone) {
            return Err(Error::InUse { folder });
        }
        let path = folder.join(SETTINGS);
        let has_begun = training::latest_checkpoint(&folder)?.is_some();
        if has_begun && path.exists() && !overwrite {
            let before = whole_files::read_text(&path, 1 << 20)?;
            let changed = changed(&before, &settings.to_toml());
            if !changed.is_empty() {
                return Err(Error::OtherSettings { folder, changed });
            }
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Notes the settings of a training that begins now: everything else that can be wrong with them was checked.
    pub(crate) fn keep(&self, settings: &Settings) -> Result<(), Error> {
        let path = self.folder.join(SETTINGS);
        whole_files::replace(&path, settings.to_toml().as_bytes()).map_err(Error::writing(path))
    }

    /// The folder itself, in which checkpoints are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where indexes of data sets are kept.
    pub(crate) fn index_folder(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// The table of updates.
    pub(crate) fn updates(&self) -> PathBuf {
        self.folder.join("updates.csv")
    }

    /// The folder of event files for TensorBoard.
    pub(crate) fn events(&self) -> PathBuf {
        self.folder.join("tensorboard")
    }

    /// The evaluations, a JSON object each.
    pub(crate) fn evaluations(&self) -> PathBuf {
        self.folder.join("evaluations.jsonl")
    }

    /// The page with curves and captions.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }
}

/// The settings that have other values.
fn changed(before: &str, after: &str) -> Vec<String> {
    let (Ok(before), Ok(after)) = (before.parse::<Table>(), after.parse::<Table>()) else {
        return vec![SETTINGS.to_owned()];
    };
    let mut changed = Vec::new();
    compare("", &before, &after, &mut changed);
    changed
}

fn compare(path: &str, before: &Table, after: &Table, changed: &mut Vec<String>) {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let path = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        if FREE.contains(&path.as_str()) {
            continue;
        }
        match (before.get(key), after.get(key)) {
            (Some(Value::Table(before)), Some(Value::Table(after))) => {
                compare(&path, before, after, changed);
            }
            (before, after) if before == after => {}
            _ => changed.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_change_updates_must_stay() {
        let before = "model = 'a'\n[training]\nseed = 1\nsave_steps = 5\n";
        let after = "model = 'a'\n[training]\nseed = 2\nsave_steps = 6\nema_decay = 0.9\n";
        assert_eq!(
            changed(before, after),
            ["training.ema_decay", "training.seed"]
        );
        assert!(changed(before, before).is_empty());
    }

    #[test]
    fn a_folder_is_used_by_one_training() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            output_dir: folder.path().join("run"),
            ..Settings::default()
        };
        let first = Output::open(&settings, false).unwrap();
        let error = Output::open(&settings, false).unwrap_err().to_string();
        assert!(error.contains("another"), "{error}");
        drop(first);
        Output::open(&settings, false).unwrap();
    }
}
