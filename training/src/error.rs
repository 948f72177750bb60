use std::error::Error;
use std::io;
use std::path::PathBuf;

/// An error of what the caller provides: data, files, an evaluation.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why training can't begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// An option has a value that is not possible, or one is missing.
    #[error("{option} {reason}")]
    Config {
        /// The option's name.
        option: &'static str,
        /// What is wrong with it and what is expected.
        reason: String,
    },
    /// A pattern of a parameter group matches nothing.
    #[error(
        "no parameter has a name like {pattern:?}; names are those of the checkpoint, such as {example:?}, and * stands for any text"
    )]
    UnmatchedPattern {
        /// The pattern.
        pattern: String,
        /// A name that exists.
        example: String,
    },
    /// The model can't be trained as it is.
    #[error("the model can't be trained: {0}")]
    Model(String),
    /// A batch is impossible.
    #[error("a batch can't be learnt: {0}")]
    Batch(String),
    /// The caller's data source failed.
    #[error("the training data can't be read")]
    Data(#[source] BoxError),
    /// The caller's evaluation failed.
    #[error("the evaluation failed")]
    Evaluation(#[source] BoxError),
    /// The loss or the gradients are not numbers. The model was not updated.
    #[error(
        "update {update}: {what} is {value}; nothing was updated. Look at the batch of this update (broken pictures, empty texts), at the learning rate ({learning_rate:e}), the warm-up and max_grad_norm, then go on from the last checkpoint"
    )]
    NotFinite {
        /// The update, counted from 1.
        update: usize,
        /// The loss, or the norm of the gradients.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The learning rate of the update.
        learning_rate: f64,
    },
    /// The loss has been far above its average.
    #[error(
        "update {update}: the loss {loss:.4} is above {factor} times its moving average {average:.4} for the {updates}th time in a row. Look at the data of the last updates and at the learning rate; then go on from the last checkpoint with a smaller rate or with max_grad_norm, or raise loss_spike_factor"
    )]
    LossSpike {
        /// The update, counted from 1.
        update: usize,
        /// Its loss.
        loss: f64,
        /// The moving average before.
        average: f64,
        /// The factor of the configuration.
        factor: f64,
        /// The updates in a row.
        updates: usize,
    },
    /// A file of a training checkpoint can't be written. Earlier checkpoints are complete.
    #[error("can't write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A checkpoint can't be written. Earlier checkpoints are complete.
    #[error(transparent)]
    Save(#[from] checkpoint::SaveError),
    /// The model's files can't be written or read.
    #[error("{action} the model in {folder} failed")]
    Files {
        /// "saving" or "loading".
        action: &'static str,
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// A file can't be read.
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    /// A file of tensors can't be read.
    #[error(transparent)]
    Load(#[from] checkpoint::LoadError),
    /// What a training checkpoint holds is not the state of this training.
    #[error("{origin} is not the state of this training: {reason}")]
    State {
        /// The file.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// A training checkpoint was made with other options.
    #[error(
        "{folder} was trained with other options, so going on from it would not be the same training: {}. Set them back, begin another training, or go on with changes on purpose", changed.join("; ")
    )]
    OtherOptions {
        /// The folder.
        folder: PathBuf,
        /// The options with both values.
        changed: Vec<String>,
    },
    /// Values can't be read from the device.
    #[error("the results of an update can't be read from the device: {0}")]
    Device(String),
}
