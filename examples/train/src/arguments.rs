use std::path::PathBuf;

use clap::Parser;
use toml::Value;

use crate::error::Error;
use crate::settings::Task;

/// Train a captioner on images with captions in one or several languages.
///
/// Starts from a checkpoint, or from its configuration alone, and writes checkpoints that `caption`, transformers 5
/// and this program open. A training that was stopped, by Ctrl-C or by anything else, goes on from its last checkpoint
/// when the same command is given again; its losses are then those of one that was never stopped.
///
/// Exit code 0: the training is complete; 1: it was stopped and can go on; 2: it failed.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Settings in a TOML file; docs/training.md lists them. Options on the command line have precedence.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Checkpoint to start from: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub.
    #[arg(long)]
    model: Option<String>,
    /// Take only the configuration of the model, and draw its weights anew.
    #[arg(long)]
    fresh_weights: bool,
    /// What to learn. `classification` prepares the encoder: it learns to name the labels of images, several times
    /// faster than through the decoder, which stays as it is; another training then starts from its checkpoint.
    #[arg(long, value_enum)]
    task: Option<Task>,
    /// Tables (.tsv), shards (.tar), folders of these, or a pattern in quotation marks. May be repeated.
    #[arg(long = "train-file", value_name = "DATA")]
    train_files: Vec<String>,
    /// The same for evaluations. May be repeated.
    #[arg(long = "validation-file", value_name = "DATA")]
    validation_files: Vec<String>,
    /// Folder for checkpoints and reports.
    #[arg(long, value_name = "DIR")]
    output_dir: Option<String>,
    /// Folder that paths of images start from. Default: the folder of the table.
    #[arg(long, value_name = "DIR")]
    image_folder: Option<String>,
    /// Column of captions or labels, in shards their key in the JSON files (caption).
    #[arg(long, alias = "caption_column", value_name = "NAME")]
    caption_column: Option<String>,
    /// Languages to learn. Default: all of the data.
    #[arg(long, value_delimiter = ',')]
    languages: Vec<String>,
    /// Highest learning rate (3e-4).
    #[arg(long, alias = "learning_rate")]
    learning_rate: Option<f64>,
    /// How the learning rate changes: linear, cosine or constant.
    #[arg(long, alias = "lr_scheduler_type")]
    lr_scheduler_type: Option<String>,
    /// Updates over which the learning rate grows from 0 (1000).
    #[arg(long, alias = "warmup_steps")]
    warmup_steps: Option<i64>,
    /// Decoupled weight decay (0.01).
    #[arg(long, alias = "weight_decay")]
    weight_decay: Option<f64>,
    /// Norm that the gradients of all parameters together are clipped to. Default: they are not clipped.
    #[arg(long, alias = "max_grad_norm")]
    max_grad_norm: Option<f64>,
    /// Share of the target that is spread over the vocabulary (0).
    #[arg(long, alias = "label_smoothing_factor")]
    label_smoothing_factor: Option<f64>,
    /// Images in a micro-batch (64).
    #[arg(long, alias = "per_device_train_batch_size")]
    per_device_train_batch_size: Option<i64>,
    /// Micro-batches of an update (1).
    #[arg(long, alias = "gradient_accumulation_steps")]
    gradient_accumulation_steps: Option<i64>,
    /// Times that all data is seen (7).
    #[arg(long, alias = "num_train_epochs")]
    num_train_epochs: Option<i64>,
    /// Updates of the whole training, in place of epochs.
    #[arg(long, alias = "max_steps")]
    max_steps: Option<i64>,
    /// Updates between two evaluations. Default: none is made.
    #[arg(long, alias = "eval_steps")]
    eval_steps: Option<i64>,
    /// Updates between two checkpoints (500).
    #[arg(long, alias = "save_steps")]
    save_steps: Option<i64>,
    /// Checkpoints that are kept, beside the best. Default: all.
    #[arg(long, alias = "save_total_limit")]
    save_total_limit: Option<i64>,
    /// Seed of the order, of augmentations, of dropout and of fresh weights (42).
    #[arg(long)]
    seed: Option<i64>,
    /// Any other setting, such as training.ema_decay=0.999. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Go on with a training whose settings were others.
    #[arg(long)]
    pub(crate) overwrite_settings: bool,
    /// Device to train on, or several with commas between them, such as `cuda:0,cuda:1`.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Print each update and evaluation as a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// The settings that the options change.
    pub(crate) fn changes(&self) -> Result<Vec<(String, Value)>, Error> {
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let texts = |values: &[String]| {
            let values = values.iter().cloned().map(Value::String).collect();
            Some(Value::Array(values)).filter(|value: &Value| value != &Value::Array(Vec::new()))
        };
        let task = self.task.and_then(|task| Value::try_from(task).ok());
        let number = |value: Option<f64>| value.map(Value::Float);
        let count = |value: Option<i64>| value.map(Value::Integer);
        let options = [
            ("model", text(&self.model)),
            (
                "fresh_weights",
                self.fresh_weights.then_some(Value::Boolean(true)),
            ),
            ("output_dir", text(&self.output_dir)),
            ("task", task),
            ("data.train_files", texts(&self.train_files)),
            ("data.validation_files", texts(&self.validation_files)),
            ("data.image_folder", text(&self.image_folder)),
            ("data.caption_column", text(&self.caption_column)),
            ("data.languages", texts(&self.languages)),
            ("training.learning_rate", number(self.learning_rate)),
            ("training.lr_scheduler_type", text(&self.lr_scheduler_type)),
            ("training.warmup_steps", count(self.warmup_steps)),
            ("training.weight_decay", number(self.weight_decay)),
            ("training.max_grad_norm", number(self.max_grad_norm)),
            (
                "training.label_smoothing_factor",
                number(self.label_smoothing_factor),
            ),
            (
                "training.per_device_train_batch_size",
                count(self.per_device_train_batch_size),
            ),
            (
                "training.gradient_accumulation_steps",
                count(self.gradient_accumulation_steps),
            ),
            ("training.num_train_epochs", count(self.num_train_epochs)),
            ("training.max_steps", count(self.max_steps)),
            ("training.eval_steps", count(self.eval_steps)),
            ("training.save_steps", count(self.save_steps)),
            ("training.save_total_limit", count(self.save_total_limit)),
            ("training.seed", count(self.seed)),
        ];
        let mut changes: Vec<(String, Value)> = options
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect();
        for set in &self.sets {
            let (key, value) = set.split_once('=').ok_or_else(|| Error::Set(set.clone()))?;
            changes.push((key.trim().to_owned(), value_of(value.trim())));
        }
        Ok(changes)
    }
}

/// A value in TOML's notation; what is none is a text, so that texts need no quotation marks.
fn value_of(text: &str) -> Value {
    match format!("value = {text}").parse::<toml::Table>() {
        Ok(mut table) if table.len() == 1 => {
            let value = table.remove("value");
            value.unwrap_or_else(|| Value::String(text.to_owned()))
        }
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_text() {
        assert_eq!(value_of("1e-3"), Value::Float(1e-3));
        assert_eq!(
            value_of("[\"a\"]"),
            Value::Array(vec![Value::String("a".to_owned())])
        );
        assert_eq!(value_of("cosine"), Value::String("cosine".to_owned()));
        assert_eq!(
            value_of("1\nmodel = 2"),
            Value::String("1\nmodel = 2".to_owned())
        );
    }

    #[test]
    fn options_have_hugging_face_names_too() {
        let arguments = ["train", "--learning_rate", "0.1", "--max-steps", "5"];
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        let changes = arguments.changes().unwrap();
        assert_eq!(changes[0].0, "training.learning_rate");
        assert_eq!(
            changes[1],
            ("training.max_steps".to_owned(), Value::Integer(5))
        );
    }
}
