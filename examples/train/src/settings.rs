//! What a training is made with: a TOML file, and options that change it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use datasets::{Augmentations, CaptionChoice, Loader};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use training::TrainingConfig;

use crate::error::Error;

/// All settings of a training. A copy is kept in the output folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The checkpoint to start from: a folder, or a name on the Hugging Face Hub.
    pub(crate) model: String,
    /// Whether only the configuration of the model is taken, and its weights are drawn anew.
    pub(crate) fresh_weights: bool,
    /// Where checkpoints and reports go.
    pub(crate) output_dir: PathBuf,
    /// What is learnt from the data.
    pub(crate) task: Task,
    pub(crate) data: DataSettings,
    pub(crate) training: TrainingConfig,
    pub(crate) evaluation: EvaluationSettings,
}

/// What is learnt from the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// To write the captions.
    #[default]
    Captioning,
    /// To name labels: prepares the encoder, and leaves the decoder as it is.
    Classification,
}

/// The data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSettings {
    /// Tables, shards, folders of these, or patterns.
    pub(crate) train_files: Vec<PathBuf>,
    /// The same for the evaluation.
    pub(crate) validation_files: Vec<PathBuf>,
    /// The folder that paths of images start from. The folder of the table, if it is not set.
    pub(crate) image_folder: Option<PathBuf>,
    /// The column of captions or labels, or in shards their key in JSON files; `caption`, if it is not set.
    pub(crate) caption_column: Option<String>,
    /// Languages to learn, by code or name. All of the data, if there is none.
    pub(crate) languages: Vec<String>,
    /// The language of captions that name none.
    pub(crate) language: Option<String>,
    /// How many captions of an image are learnt at once.
    pub(crate) captions: CaptionChoice,
    /// Tokens of a caption, with language code and end; longer ones are cut.
    pub(crate) max_length: usize,
    /// The pixels of the original's training instead of those of the checkpoint's image processor.
    pub(crate) as_published: bool,
    /// Threads that prepare images; 0 for one per core.
    pub(crate) threads: usize,
    /// Random changes of the images.
    pub(crate) augmentations: Augmentations,
}

/// How the model is evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EvaluationSettings {
    /// Images of the validation data that are used, and those that fill the last batch; all, if it is not set.
    pub(crate) images: Option<u64>,
    /// Images in a batch.
    pub(crate) batch_size: usize,
    /// Beams of the search for captions.
    pub(crate) num_beams: usize,
    /// Tokens of a caption. The checkpoint's, if it is not set.
    pub(crate) max_new_tokens: Option<usize>,
    /// Images whose captions are shown in the report.
    pub(crate) samples: usize,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            train_files: Vec::new(),
            validation_files: Vec::new(),
            image_folder: None,
            caption_column: None,
            languages: Vec::new(),
            language: None,
            captions: CaptionChoice::All,
            max_length: 64,
            as_published: false,
            threads: 0,
            augmentations: Augmentations::default(),
        }
    }
}

impl Default for EvaluationSettings {
    fn default() -> Self {
        Self {
            images: None,
            batch_size: 32,
            num_beams: 4,
            max_new_tokens: None,
            samples: 12,
        }
    }
}

impl EvaluationSettings {
    /// The images of the validation data that are used.
    pub(crate) fn limit(&self, loader: &Loader) -> u64 {
        self.images.unwrap_or(u64::MAX).min(loader.images())
    }
}

/// The largest file of settings.
const LIMIT: u64 = 1 << 20;

impl Settings {
    /// Reads a file, if there is one, and applies changes, each a path such as `training.learning_rate` with a value.
    pub(crate) fn read(file: Option<&Path>, changes: Vec<(String, Value)>) -> Result<Self, Error> {
        let (origin, mut table) = match file {
            Some(file) => {
                let text = whole_files::read_text(file, LIMIT)?;
                let table = text.parse::<Table>().map_err(|source| Error::Toml {
                    origin: file.display().to_string(),
                    source: Box::new(source),
                })?;
                (file.display().to_string(), table)
            }
            None => ("the options".to_owned(), Table::new()),
        };
        for (path, value) in changes {
            set(&mut table, &path, value)?;
        }
        let settings = Self::deserialize(Value::Table(table));
        let settings = settings.map_err(|source| Error::Toml {
            origin,
            source: Box::new(source),
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// The settings as a file that [`read`](Self::read) reads.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Error> {
        let missing = |setting, option, what| {
            Err(Error::Missing {
                setting,
                option,
                what,
            })
        };
        if self.model.is_empty() {
            return missing("model", "--model", "the checkpoint to start from");
        }
        if self.output_dir.as_os_str().is_empty() {
            return missing("output_dir", "--output-dir", "the folder for checkpoints");
        }
        if self.data.train_files.is_empty() {
            return missing("data.train_files", "--train-file", "what to learn");
        }
        if self.training.eval_steps.is_some() && self.data.validation_files.is_empty() {
            return missing(
                "data.validation_files",
                "--validation-file",
                "what to evaluate with, as training.eval_steps asks",
            );
        }
        if self.task == Task::Classification && self.data.captions != CaptionChoice::All {
            return Err(Error::SomeLabels);
        }
        let images = self.evaluation.images.unwrap_or(1);
        let positive = [
            ("data.max_length", self.data.max_length, 3),
            (
                "evaluation.images",
                usize::try_from(images).unwrap_or(usize::MAX),
                1,
            ),
            ("evaluation.batch_size", self.evaluation.batch_size, 1),
            ("evaluation.num_beams", self.evaluation.num_beams, 1),
        ];
        for (setting, value, least) in positive {
            if value < least {
                return Err(Error::TooSmall {
                    setting,
                    value,
                    least,
                });
            }
        }
        Ok(())
    }
}

/// Sets a value in a table of tables, which are made where they are missing.
fn set(table: &mut Table, path: &str, value: Value) -> Result<(), Error> {
    let mut table = table;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            table.insert(part.to_owned(), value);
            return Ok(());
        }
        let inner = table
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()));
        table = inner.as_table_mut().ok_or_else(|| Error::NotATable {
            path: path.to_owned(),
            part: part.to_owned(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least() -> Vec<(String, Value)> {
        let text = |key: &str, value: &str| (key.to_owned(), Value::String(value.to_owned()));
        let files = Value::Array(vec![Value::String("a.tsv".to_owned())]);
        vec![
            text("model", "m"),
            text("output_dir", "o"),
            ("data.train_files".to_owned(), files),
        ]
    }

    #[test]
    fn options_change_what_a_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.toml");
        let text = "model = \"x\"\n[training]\nlearning_rate = 0.1\nseed = 3\n[data.augmentations]\ngrayscale = 0.5\n";
        std::fs::write(&file, text).unwrap();
        let mut changes = least();
        changes.push(("training.learning_rate".to_owned(), Value::Float(0.2)));
        let settings = Settings::read(Some(&file), changes).unwrap();
        assert_eq!((settings.model.as_str(), settings.training.seed), ("m", 3));
        assert_eq!(settings.training.learning_rate, 0.2);
        assert_eq!(settings.data.augmentations.grayscale, 0.5);
    }

    #[test]
    fn written_settings_are_read_again() {
        let mut settings = Settings::read(None, least()).unwrap();
        settings.training.max_steps = Some(10);
        settings
            .training
            .parameter_groups
            .push(training::ParameterGroup {
                parameters: vec!["encoder.*".to_owned()],
                freeze: true,
                ..Default::default()
            });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.toml");
        std::fs::write(&file, settings.to_toml()).unwrap();
        assert_eq!(Settings::read(Some(&file), Vec::new()).unwrap(), settings);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let error = Settings::read(None, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("--model"), "{error}");
        let mut changes = least();
        changes.push(("training.learning_rat".to_owned(), Value::Float(0.2)));
        let error = report::message(&Settings::read(None, changes).unwrap_err());
        assert!(error.contains("learning_rat"), "{error}");
        let mut changes = least();
        changes.push(("model.size".to_owned(), Value::Integer(1)));
        let error = Settings::read(None, changes).unwrap_err().to_string();
        assert!(error.contains("model"), "{error}");
    }
}
