use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vision_encoder_decoder::{Decoder, Encoder};
use whole_files::limits;

use super::guard::LossGuard;
use super::{ModelFiles, Progress, Trainer, TrainingConfig, is_frozen};
use crate::TrainingError;
use crate::optimiser::{read_tensors, write_tensors};
use checkpoint::{StagedFolder, write_file};

/// The file of a training checkpoint that says how far it has come.
pub const TRAINING_STATE: &str = "training_state.json";

/// The file with the optimiser's state and, behind `ema.`, the moving average of the weights.
pub const OPTIMIZER: &str = "optimizer.safetensors";

/// What the names of averaged weights begin with.
const AVERAGE: &str = "ema.";

/// The form of the file. A reader refuses others.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct TrainingState {
    version: u32,
    progress: Progress,
    guard: LossGuard,
    /// Where the data goes on, in the data source's own form.
    position: Value,
    /// What it was trained with, for the reader's information.
    config: TrainingConfig,
}

impl<E: Encoder, D: Decoder> Trainer<E, D> {
    /// Saves everything to a folder, which appears complete or not at all: the model's own files, the optimiser's
    /// state, the progress and the position of the data.
    ///
    /// # Errors
    /// [`TrainingError`] if a file can't be written, because the disk is full for example. The folder does not
    /// exist then, or is as it was.
    pub fn save(
        &self,
        folder: &Path,
        files: &dyn ModelFiles<E, D>,
        position: &Value,
    ) -> Result<(), TrainingError> {
        let staged = StagedFolder::new(folder)?;
        files
            .write(self.model(), &staged)
            .map_err(|source| TrainingError::Files {
                action: "saving",
                folder: folder.to_owned(),
                source,
            })?;
        let mut tensors = self.optimiser.tensors();
        if let Some(average) = &self.average {
            let averaged = average.values().iter().filter_map(|(path, values)| {
                let plan = self.optimiser.plan().get(path)?;
                let name = format!("{AVERAGE}{}", plan.name);
                Some((name, plan.shape.clone(), values.clone()))
            });
            tensors.extend(averaged);
        }
        write_tensors(&staged.path().join(OPTIMIZER), tensors)?;
        let state = TrainingState {
            version: VERSION,
            progress: self.progress.clone(),
            guard: self.guard,
            position: position.clone(),
            config: self.config.clone(),
        };
        // Numbers, texts and lists can always be serialised.
        let json = serde_json::to_string_pretty(&state).unwrap_or_default() + "\n";
        write_file(&staged.path().join(TRAINING_STATE), json.as_bytes())?;
        Ok(staged.commit()?)
    }

    /// Goes on from a folder that [`save`](Self::save) wrote, with the configuration of this trainer. Returns the
    /// position of the data.
    ///
    /// # Errors
    /// [`TrainingError`] if a file can't be read, or holds the state of another model. The trainer is unchanged
    /// then.
    pub fn restore(
        &mut self,
        folder: &Path,
        files: &dyn ModelFiles<E, D>,
    ) -> Result<Value, TrainingError> {
        let path = folder.join(TRAINING_STATE);
        let text = whole_files::read_text(&path, limits::JSON)?;
        let refused = |reason: String| TrainingError::State {
            origin: path.display().to_string(),
            reason,
        };
        let state: TrainingState =
            serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        if state.version != VERSION {
            let reason = format!("its version is {}, expected {VERSION}", state.version);
            return Err(refused(reason));
        }
        let device = self.device.clone().inner();
        let origin = folder.join(OPTIMIZER);
        let mut tensors = read_tensors(&origin, &device)?;
        let origin = origin.display().to_string();
        let mut averaged = Vec::new();
        tensors.retain(|name, values| match name.strip_prefix(AVERAGE) {
            Some(name) => {
                averaged.push((name.to_owned(), values.clone()));
                false
            }
            None => true,
        });
        let mut optimiser = self.optimiser.clone();
        optimiser.restore(tensors, &origin)?;
        let mut average = self.average.clone();
        if let Some(average) = &mut average {
            let mut averaged: std::collections::BTreeMap<_, _> = averaged.into_iter().collect();
            for (path, values) in average.values_mut() {
                let name = optimiser.plan().get(path).map(|plan| plan.name.as_str());
                let saved = name.and_then(|name| averaged.remove(name));
                let Some(saved) = saved.filter(|saved| saved.dims() == values.dims()) else {
                    return Err(TrainingError::State {
                        origin,
                        reason: format!("the average of {path} is missing, or has another size"),
                    });
                };
                *values = saved;
            }
        }
        let model = files
            .read(self.model().clone(), folder, &self.device)
            .map_err(|source| TrainingError::Files {
                action: "loading",
                folder: folder.to_owned(),
                source,
            })?;
        let plan = optimiser.plan();
        let model = crate::parameters::freeze(model, |path| is_frozen(plan, path));
        if let Some(replicas) = &mut self.replicas {
            replicas.replace(&model);
        }
        self.model = Some(model);
        self.optimiser = optimiser;
        self.average = average;
        self.guard = state.guard;
        self.progress = state.progress;
        Ok(state.position)
    }
}
