use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vision_encoder_decoder::{Decoder, Encoder};
use whole_files::limits;

use super::guard::LossGuard;
use super::{ModelFiles, Progress, Trainer, TrainingConfig, is_frozen};
use crate::optimiser::{read_tensors, write_tensors};
use crate::parameters::{freeze, replace_values, visit_values};
use crate::{MovingAverage, TrainingError};
use checkpoint::{StagedFolder, write_file};

/// The file of a training checkpoint that says how far it has come.
pub const TRAINING_STATE: &str = "training_state.json";

/// The file with the optimiser's state and, if the model of the checkpoint has averaged weights, those that are trained.
pub const OPTIMIZER: &str = "optimizer.safetensors";

/// What follows the names of weights in training, where the model has the average. No name of the optimiser's state ends so.
const RAW: &str = ".raw";

/// What the names of averaged weights began with in version 1, whose model had the weights in training.
const AVERAGE: &str = "ema.";

/// The form of the file. A reader refuses others.
const VERSION: u32 = 2;

/// The earlier form, which is still read.
const VERSION_WITH_AVERAGE: u32 = 1;

/// Options that change no update.
const FREE: [&str; 9] = [
    "logging_steps",
    "eval_steps",
    "save_steps",
    "save_total_limit",
    "metric_for_best_model",
    "greater_is_better",
    "num_train_epochs", // max_steps says it
    "loss_spike_factor",
    "loss_spike_updates",
];

#[derive(Serialize, Deserialize)]
struct TrainingState {
    version: u32,
    progress: Progress,
    guard: LossGuard,
    /// Where the data goes on, in the data source's own form.
    position: Value,
    /// What it was trained with.
    config: Value,
    /// Micro-batches of an update on all devices together; not in version 1.
    #[serde(default)]
    micro_batches: Option<usize>,
    /// Whether an evaluation of the last update is still to be made.
    #[serde(default)]
    evaluation_is_due: bool,
}

impl<E: Encoder, D: Decoder> Trainer<E, D> {
    /// Saves everything to a folder, which appears complete or not at all: the model's own files, the optimiser's
    /// state, the progress and the position of the data.
    ///
    /// With a moving average the model in the folder has the averaged weights, as in evaluations. Those that are
    /// trained are kept with the optimiser's state.
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
        let averaged = self.averaged_model();
        files
            .write(averaged.as_ref().unwrap_or(self.model()), &staged)
            .map_err(|source| TrainingError::Files {
                action: "saving",
                folder: folder.to_owned(),
                source,
            })?;
        drop(averaged);
        let mut tensors = self.optimiser.tensors();
        if self.average.is_some() {
            let plan = self.optimiser.plan();
            visit_values(self.model(), |path, values| {
                if let Some(parameter) = plan.get(&path).filter(|_| !is_frozen(plan, &path)) {
                    let name = format!("{}{RAW}", parameter.name);
                    tensors.push((name, parameter.shape.clone(), values));
                }
            });
        }
        write_tensors(&staged.path().join(OPTIMIZER), tensors)?;
        let state = TrainingState {
            version: VERSION,
            progress: self.progress.clone(),
            guard: self.guard,
            position: position.clone(),
            config: as_json(&self.config),
            micro_batches: Some(self.micro_batches()),
            evaluation_is_due: self.evaluation_is_due,
        };
        // Numbers, texts and lists can always be serialised.
        let json = serde_json::to_string_pretty(&state).unwrap_or_default() + "\n";
        write_file(&staged.path().join(TRAINING_STATE), json.as_bytes())?;
        Ok(staged.commit()?)
    }

    /// Goes on from a folder that [`save`](Self::save) wrote. Returns the position of the data.
    ///
    /// # Errors
    /// [`TrainingError`] if a file can't be read, holds the state of another model, or was trained with other options,
    /// another number of updates for example, which is what other data gives. The trainer is unchanged then.
    pub fn restore(
        &mut self,
        folder: &Path,
        files: &dyn ModelFiles<E, D>,
    ) -> Result<Value, TrainingError> {
        let changed = self.changes_since(folder)?;
        if !changed.is_empty() {
            return Err(TrainingError::OtherOptions {
                folder: folder.to_owned(),
                changed,
            });
        }
        self.restore_with_changes(folder, files)
    }

    /// What is not as it was when a folder was saved, and changes updates: names of options with both values.
    ///
    /// # Errors
    /// [`TrainingError`] if the folder can't be read.
    pub fn changes_since(&self, folder: &Path) -> Result<Vec<String>, TrainingError> {
        let state = read_state(folder)?;
        let (before, now) = (state.config, as_json(&self.config));
        let (defaults, nothing) = (as_json(&TrainingConfig::default()), Value::Null);
        let mut changed = Vec::new();
        for (option, now) in now.as_object().into_iter().flatten() {
            let earlier = before.get(option).or(defaults.get(option));
            let earlier = earlier.unwrap_or(&nothing);
            if earlier != now && !FREE.contains(&option.as_str()) {
                changed.push(format!("{option} was {earlier}, is {now}"));
            }
        }
        let now = self.micro_batches();
        if let Some(earlier) = state.micro_batches.filter(|earlier| *earlier != now) {
            changed.push(format!("an update had {earlier} micro-batches, has {now}"));
        }
        Ok(changed)
    }

    /// [`restore`](Self::restore), also with other options: those of this trainer are used from now on.
    ///
    /// # Errors
    /// [`TrainingError`] if a file can't be read, or holds the state of another model. The trainer is unchanged
    /// then.
    pub fn restore_with_changes(
        &mut self,
        folder: &Path,
        files: &dyn ModelFiles<E, D>,
    ) -> Result<Value, TrainingError> {
        let state = read_state(folder)?;
        let device = self.device.clone().inner();
        let origin = folder.join(OPTIMIZER);
        let mut tensors = read_tensors(&origin, &device)?;
        let origin = origin.display().to_string();
        // What is not the optimiser's: of version 1 averages, of later ones the weights that are trained.
        let mut weights = BTreeMap::new();
        tensors.retain(|name, values| {
            let found = match state.version {
                VERSION_WITH_AVERAGE => name.strip_prefix(AVERAGE),
                _ => name.strip_suffix(RAW),
            };
            if let Some(name) = found {
                weights.insert(name.to_owned(), values.clone());
            }
            found.is_none()
        });
        let mut optimiser = self.optimiser.clone();
        optimiser.restore(tensors, &origin)?;
        let has_average = self.average.is_some() && !state.config["ema_decay"].is_null();
        let plan = optimiser.plan();
        let mut by_path = BTreeMap::new();
        for (path, parameter) in plan.iter().filter(|(path, _)| !is_frozen(plan, path)) {
            if let Some(values) = weights.remove(&parameter.name) {
                let expected: usize = parameter.shape.iter().product();
                if values.dims() != [expected] {
                    let reason =
                        format!("{path} has {:?} values, expected {expected}", values.dims());
                    return Err(TrainingError::State { origin, reason });
                }
                by_path.insert(path.clone(), values);
            } else if has_average {
                let reason = format!("it has no second weights of {path}, which an average needs");
                return Err(TrainingError::State { origin, reason });
            }
        }
        let model = files
            .read(self.model().clone(), folder, &self.device)
            .map_err(|source| TrainingError::Files {
                action: "loading",
                folder: folder.to_owned(),
                source,
            })?;
        let mut average = self.average.clone();
        let model = match state.version {
            VERSION_WITH_AVERAGE => model,
            _ => {
                let mut averaged = BTreeMap::new();
                if average.is_some() {
                    visit_values(&model, |path, values| {
                        averaged.insert(path, values);
                    });
                }
                let raw = std::mem::replace(&mut by_path, averaged);
                replace_values(model, |path, _| raw.get(path).cloned())
            }
        };
        if !has_average && let (Some(average), Some(decay)) = (&mut average, self.config.ema_decay)
        {
            // It begins with these weights.
            let plan = optimiser.plan();
            *average = MovingAverage::new(decay, &model, |path| !is_frozen(plan, path));
        }
        for (path, values) in average.iter_mut().flat_map(MovingAverage::values_mut) {
            if let Some(saved) = by_path.remove(path) {
                *values = saved;
            }
        }
        let plan = optimiser.plan();
        let model = freeze(model, |path| is_frozen(plan, path));
        if let Some(replicas) = &mut self.replicas {
            replicas.replace(&model);
        }
        self.model = Some(model);
        self.optimiser = optimiser;
        self.average = average;
        self.guard = state.guard;
        self.progress = state.progress;
        self.evaluation_is_due = state.evaluation_is_due;
        Ok(state.position)
    }
}

fn read_state(folder: &Path) -> Result<TrainingState, TrainingError> {
    let path = folder.join(TRAINING_STATE);
    let text = whole_files::read_text(&path, limits::JSON)?;
    let refused = |reason: String| TrainingError::State {
        origin: path.display().to_string(),
        reason,
    };
    let state: TrainingState =
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    if ![VERSION, VERSION_WITH_AVERAGE].contains(&state.version) {
        let reason = format!("its version is {}, expected {VERSION}", state.version);
        return Err(refused(reason));
    }
    Ok(state)
}

/// The options as they are read from a file: decimals need not give the same number back.
fn as_json(config: &TrainingConfig) -> Value {
    let text = serde_json::to_string(config).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
