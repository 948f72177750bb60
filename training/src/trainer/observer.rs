use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use vision_encoder_decoder::VisionEncoderDecoder;

use crate::BoxError;
use crate::trainer::{Progress, UpdateReport};

/// The metrics of an evaluation by name: `eval_loss`, `eval_bleu4_es_XX`, whatever the evaluator measures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// Evaluates a model in training and is told what happens. Progress bars, CSV and TensorBoard files are outside of
/// the trainer, behind this trait. Every method has a default that does nothing.
pub trait TrainingObserver<E, D> {
    /// Training begins, or goes on from this point: what was recorded of later updates is obsolete.
    fn on_start(&mut self, _progress: &Progress) {}

    /// An update was made. `Break` ends the training with a checkpoint.
    fn on_update(&mut self, _report: &UpdateReport, _progress: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Evaluates the model, which is on the device without automatic differentiation. It is called every
    /// `eval_steps` updates and after the last. With a moving average of the weights, the model has those.
    ///
    /// # Errors
    /// What the evaluation failed for, which ends the training.
    fn evaluate(
        &mut self,
        _model: &VisionEncoderDecoder<E, D>,
        _progress: &Progress,
    ) -> Result<Option<Evaluation>, BoxError> {
        Ok(None)
    }

    /// An evaluation was made.
    fn on_evaluation(&mut self, _evaluation: &Evaluation, _progress: &Progress) {}

    /// A checkpoint of this progress is about to be saved: what belongs to its updates has to be on the disk first.
    fn before_save(&mut self, _progress: &Progress) {}

    /// A checkpoint was saved: the folder is complete and on the disk.
    fn on_save(&mut self, _folder: &Path, _progress: &Progress) {}
}

/// Observes nothing.
impl<E, D> TrainingObserver<E, D> for () {}
