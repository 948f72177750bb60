use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::module::Module;
use serde_json::Value;
use vision_encoder_decoder::{Decoder, Encoder};

use super::checkpoints::{delete_old, folder};
use super::{BatchSource, Best, ModelFiles, Trainer, TrainingObserver, UpdateReport};
use crate::{Batch, TrainingError};

/// Why a training ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finished {
    /// All updates were made.
    Complete {
        /// The last checkpoint.
        checkpoint: PathBuf,
    },
    /// The observer stopped it. It can go on from the checkpoint.
    Stopped {
        /// The last checkpoint.
        checkpoint: PathBuf,
    },
}

impl<E: Encoder, D: Decoder> Trainer<E, D> {
    /// Makes all updates that are left, evaluates and saves checkpoints in `output`, and deletes old ones. To go
    /// on with a training, [`restore`](Self::restore) it first, and the data source to the position that this
    /// returns.
    ///
    /// # Errors
    /// Every [`TrainingError`]. Complete checkpoints stay, and the training can go on from the last of them.
    pub fn run<S: BatchSource<Input = E::Input>>(
        &mut self,
        source: &mut S,
        files: &dyn ModelFiles<E, D>,
        output: &Path,
        observer: &mut dyn TrainingObserver<E, D>,
    ) -> Result<Finished, TrainingError> {
        observer.on_start(self.progress());
        let mut last_saved = None;
        let mut is_stopped = false;
        if self.evaluation_is_due {
            self.evaluate(observer)?;
            last_saved = Some(self.save_and_clean(files, output, source.position(), observer)?);
        }
        while self.progress.update < self.schedule.max_steps && !is_stopped {
            let report = self.next_update(source)?;
            let flow = observer.on_update(&report, self.progress());
            is_stopped = flow == ControlFlow::Break(());
            let update = report.update;
            let is_last = update == self.schedule.max_steps;
            let is_due = |steps: Option<usize>| steps.is_some_and(|n| update.is_multiple_of(n));
            let evaluates = self.config.eval_steps.is_some() && is_last;
            let mut is_best = false;
            self.evaluation_is_due = evaluates || is_due(self.config.eval_steps);
            if !is_stopped && self.evaluation_is_due {
                let evaluated = self.evaluate(observer);
                if evaluated.is_err() {
                    // The updates are not lost because the evaluation fails.
                    self.save(&folder(output, update), files, &source.position())?;
                }
                is_best = evaluated?;
            }
            if is_last || is_stopped || is_best || is_due(self.config.save_steps) {
                last_saved =
                    Some(self.save_and_clean(files, output, source.position(), observer)?);
            }
        }
        let checkpoint = last_saved.unwrap_or_else(|| folder(output, self.progress.update));
        let is_complete = self.progress.update >= self.schedule.max_steps;
        Ok(match is_stopped && !is_complete {
            true => Finished::Stopped { checkpoint },
            false => Finished::Complete { checkpoint },
        })
    }

    /// Saves a checkpoint of the last update, and deletes old ones.
    fn save_and_clean(
        &self,
        files: &dyn ModelFiles<E, D>,
        output: &Path,
        position: Value,
        observer: &mut dyn TrainingObserver<E, D>,
    ) -> Result<PathBuf, TrainingError> {
        let folder = folder(output, self.progress.update);
        observer.before_save(self.progress());
        self.save(&folder, files, &position)?;
        observer.on_save(&folder, self.progress());
        let (limit, best) = (self.config.save_total_limit, self.progress.best.as_ref());
        delete_old(output, limit, best)?;
        Ok(folder)
    }

    /// Makes the next update from a data source: with fewer micro-batches than the configuration says at the
    /// end of an epoch.
    ///
    /// # Errors
    /// What [`update`](Self::update) returns, and [`TrainingError::Data`] if the data can't be read.
    pub fn next_update<S: BatchSource<Input = E::Input>>(
        &mut self,
        source: &mut S,
    ) -> Result<UpdateReport, TrainingError> {
        let wanted = self.micro_batches();
        let mut batches: Vec<Batch<E::Input>> = Vec::with_capacity(wanted);
        let mut epochs = 0;
        while batches.len() < wanted {
            match source.next().map_err(TrainingError::Data)? {
                Some(batch) => batches.push(batch),
                None if epochs > 0 && batches.is_empty() => {
                    let reason = "an epoch has no batch; look at the filters of the data";
                    return Err(TrainingError::Batch(reason.into()));
                }
                None => {
                    epochs += 1;
                    if !batches.is_empty() {
                        break;
                    }
                }
            }
        }
        let report = self.update(batches)?;
        self.progress.epoch += epochs;
        Ok(report)
    }

    /// Evaluates and returns whether this is the best evaluation so far.
    fn evaluate(
        &mut self,
        observer: &mut dyn TrainingObserver<E, D>,
    ) -> Result<bool, TrainingError> {
        let model = match self.averaged_model() {
            Some(averaged) => averaged.valid(),
            None => self.model().valid(),
        };
        let evaluation = observer.evaluate(&model, self.progress());
        let evaluation = evaluation.map_err(TrainingError::Evaluation)?;
        self.evaluation_is_due = false;
        let Some(evaluation) = evaluation else {
            return Ok(false);
        };
        let mut is_best = false;
        if let Some(name) = &self.config.metric_for_best_model {
            let metric = evaluation.metrics.get(name).copied();
            let metric = metric.ok_or_else(|| TrainingError::Config {
                option: "metric_for_best_model",
                reason: format!(
                    "is {name}, but the evaluation has {:?}",
                    evaluation.metrics.keys().collect::<Vec<_>>()
                ),
            })?;
            let is_loss = name.starts_with("eval_loss");
            let greater_is_better = self.config.greater_is_better.unwrap_or(!is_loss);
            is_best = match &self.progress.best {
                // Others could not be read from a checkpoint again.
                _ if !metric.is_finite() => false,
                None => true,
                Some(best) if greater_is_better => metric > best.metric,
                Some(best) => metric < best.metric,
            };
            if is_best {
                let update = self.progress.update;
                self.progress.best = Some(Best { update, metric });
            }
        }
        observer.on_evaluation(&evaluation, self.progress());
        Ok(is_best)
    }
}
