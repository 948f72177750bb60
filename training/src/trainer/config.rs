use serde::{Deserialize, Serialize};

use crate::objective::LOGITS_BLOCK_BYTES;
use crate::{
    AdamWOptions, LabelSmoothing, Objective, ParameterGroup, Schedule, SchedulerType,
    SpecialTokens, TrainingError,
};

/// How a model is trained. Options that Hugging Face's `TrainingArguments` have too have their names.
///
/// The defaults are those that the card of CLIP-Vision-mBART50 names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How it changes.
    pub lr_scheduler_type: SchedulerType,
    /// Updates over which it grows from 0.
    pub warmup_steps: usize,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Whether parameters of one dimension, norms and biases, are decayed as well. The original decays all.
    pub decay_norms_and_biases: bool,
    /// Decay of AdamW's running mean of gradients.
    pub adam_beta1: f64,
    /// Decay of AdamW's running mean of squared gradients.
    pub adam_beta2: f64,
    /// AdamW's epsilon.
    pub adam_epsilon: f64,
    /// The global norm that gradients are clipped to, over all parameters together as PyTorch's
    /// `clip_grad_norm_`. As in Hugging Face, 0 does not clip either. The original does not clip.
    pub max_grad_norm: Option<f64>,
    /// Share of the target that is spread over the vocabulary.
    pub label_smoothing_factor: f64,
    /// How it is spread.
    pub label_smoothing: LabelSmoothing,
    /// Parameters that are trained differently, or not at all.
    pub parameter_groups: Vec<ParameterGroup>,
    /// Decay of a moving average of the weights, 0.999 for example, if one is wanted.
    pub ema_decay: Option<f64>,
    /// Sources in a micro-batch. The data source decides; the trainer takes what it gets.
    pub per_device_train_batch_size: usize,
    /// Micro-batches of an update, of each device.
    pub gradient_accumulation_steps: usize,
    /// Times that all data is seen, unless `max_steps` is set.
    pub num_train_epochs: usize,
    /// Updates of the whole training.
    pub max_steps: Option<usize>,
    /// The seed of dropout, of fresh weights and, by the data source, of the order of the data.
    pub seed: u64,
    /// Updates between two notices; for observers.
    pub logging_steps: usize,
    /// Updates between two evaluations, if any is wanted.
    pub eval_steps: Option<usize>,
    /// Updates between two checkpoints, beside that of the end.
    pub save_steps: Option<usize>,
    /// Checkpoints that are kept, beside the best. All, if it is not set.
    pub save_total_limit: Option<usize>,
    /// The metric of evaluations that tells which checkpoint is the best, if one is kept for it.
    pub metric_for_best_model: Option<String>,
    /// Whether a greater metric is better. By default it is, as with BLEU, unless the metric's name begins with
    /// `eval_loss`.
    pub greater_is_better: Option<bool>,
    /// The token that stands before the labels. The checkpoint's, if it is not set.
    pub decoder_start_token_id: Option<u32>,
    /// The token that fills texts up. The checkpoint's, if it is not set.
    pub pad_token_id: Option<u32>,
    /// Whether layers keep only their inputs for the backward pass and compute everything else again: less memory, about
    /// a third more time. It works on Flex, with the feature `flex`, and for models that call
    /// [`recomputed`](transformer_layers::recompute::recomputed), such as those of `pretrained`; others are trained as
    /// without it. With dropout other random numbers are drawn than without it.
    pub gradient_checkpointing: bool,
    /// Bytes of logits that exist at once.
    pub logits_block_bytes: usize,
    /// Training stops if the loss is more than this factor above its moving average ...
    pub loss_spike_factor: Option<f64>,
    /// ... for this many updates in a row.
    pub loss_spike_updates: usize,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            learning_rate: 3e-4,
            lr_scheduler_type: SchedulerType::Linear,
            warmup_steps: 1000,
            weight_decay: 0.01,
            decay_norms_and_biases: true,
            adam_beta1: 0.9,
            adam_beta2: 0.98,
            adam_epsilon: 1e-8,
            max_grad_norm: None,
            label_smoothing_factor: 0.0,
            label_smoothing: LabelSmoothing::HuggingFace,
            parameter_groups: Vec::new(),
            ema_decay: None,
            per_device_train_batch_size: 64,
            gradient_accumulation_steps: 1,
            num_train_epochs: 7,
            max_steps: None,
            seed: 42,
            logging_steps: 10,
            eval_steps: None,
            save_steps: Some(500),
            save_total_limit: None,
            metric_for_best_model: None,
            greater_is_better: None,
            decoder_start_token_id: None,
            pad_token_id: None,
            gradient_checkpointing: false,
            logits_block_bytes: LOGITS_BLOCK_BYTES,
            loss_spike_factor: None,
            loss_spike_updates: 3,
        }
    }
}

impl TrainingConfig {
    /// Sets `max_steps`, unless it is set, to the updates of all epochs when an epoch has this many
    /// micro-batches.
    pub fn for_batches(self, batches_per_epoch: usize) -> Self {
        self.for_batches_on(batches_per_epoch, 1)
    }

    /// [`for_batches`](Self::for_batches) of a training on this many devices.
    pub fn for_batches_on(mut self, batches_per_epoch: usize, devices: usize) -> Self {
        let of_update = self.gradient_accumulation_steps.saturating_mul(devices);
        let updates = batches_per_epoch.div_ceil(of_update.max(1));
        let all = updates.saturating_mul(self.num_train_epochs);
        self.max_steps.get_or_insert(all);
        self
    }

    /// Sets the tokens that are not set, such as to those of a checkpoint.
    pub fn with_tokens(mut self, start: Option<u32>, pad: Option<u32>) -> Self {
        self.decoder_start_token_id = self.decoder_start_token_id.or(start);
        self.pad_token_id = self.pad_token_id.or(pad);
        self
    }

    /// Checks that every value is possible.
    ///
    /// # Errors
    /// [`TrainingError::Config`] names the first option that is not.
    pub fn validate(&self) -> Result<(), TrainingError> {
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        let share = |value: f64| (0.0..1.0).contains(&value);
        let all = |value: Option<f64>, check: fn(f64) -> bool| value.is_none_or(check);
        let groups = &self.parameter_groups;
        let rates = groups
            .iter()
            .all(|group| all(group.learning_rate, |v| v >= 0.0 && v.is_finite()));
        let decays = groups
            .iter()
            .all(|group| all(group.weight_decay, |v| v >= 0.0 && v.is_finite()));
        for (option, value, holds, expected) in [
            (
                "learning_rate",
                self.learning_rate,
                not_negative(self.learning_rate),
                "0 or above",
            ),
            (
                "weight_decay",
                self.weight_decay,
                not_negative(self.weight_decay),
                "0 or above",
            ),
            (
                "adam_beta1",
                self.adam_beta1,
                share(self.adam_beta1),
                "0 or above, and below 1",
            ),
            (
                "adam_beta2",
                self.adam_beta2,
                share(self.adam_beta2),
                "0 or above, and below 1",
            ),
            (
                "adam_epsilon",
                self.adam_epsilon,
                not_negative(self.adam_epsilon),
                "0 or above",
            ),
            (
                "label_smoothing_factor",
                self.label_smoothing_factor,
                share(self.label_smoothing_factor),
                "0 or above, and below 1",
            ),
            (
                "max_grad_norm",
                self.max_grad_norm.unwrap_or_default(),
                self.max_grad_norm.is_none_or(not_negative),
                "0 or above, or not set",
            ),
            (
                "ema_decay",
                self.ema_decay.unwrap_or_default(),
                self.ema_decay.is_none_or(share),
                "0 or above, and below 1",
            ),
            (
                "loss_spike_factor",
                self.loss_spike_factor.unwrap_or_default(),
                all(self.loss_spike_factor, |v| v > 1.0),
                "above 1",
            ),
        ] {
            if !holds {
                let reason = format!("is {value}, expected {expected}");
                return Err(TrainingError::Config { option, reason });
            }
        }
        for (option, holds) in [
            (
                "gradient_accumulation_steps",
                self.gradient_accumulation_steps > 0,
            ),
            (
                "per_device_train_batch_size",
                self.per_device_train_batch_size > 0,
            ),
            ("loss_spike_updates", self.loss_spike_updates > 0),
            ("logging_steps", self.logging_steps > 0),
            ("num_train_epochs", self.num_train_epochs > 0),
            ("max_steps", self.max_steps != Some(0)),
            ("eval_steps", self.eval_steps != Some(0)),
            ("save_steps", self.save_steps != Some(0)),
            ("save_total_limit", self.save_total_limit != Some(0)),
            ("parameter_groups: learning_rate", rates),
            ("parameter_groups: weight_decay", decays),
        ] {
            if !holds {
                let reason = "is 0 or negative, expected a positive number".into();
                return Err(TrainingError::Config { option, reason });
            }
        }
        Ok(())
    }

    pub(crate) fn objective(&self) -> Result<Objective, TrainingError> {
        let token = |option, token: Option<u32>| {
            token.ok_or_else(|| TrainingError::Config {
                option,
                reason: "is not set, and the checkpoint does not say it".into(),
            })
        };
        Ok(Objective {
            tokens: SpecialTokens {
                decoder_start_token_id: token(
                    "decoder_start_token_id",
                    self.decoder_start_token_id,
                )?,
                pad_token_id: token("pad_token_id", self.pad_token_id)?,
            },
            label_smoothing_factor: self.label_smoothing_factor,
            label_smoothing: self.label_smoothing,
            logits_block_bytes: self.logits_block_bytes,
        })
    }

    pub(crate) fn schedule(&self) -> Result<Schedule, TrainingError> {
        let max_steps = self.max_steps.ok_or_else(|| TrainingError::Config {
            option: "max_steps",
            reason: "is not set; the length of the data sets it through for_batches".into(),
        })?;
        Ok(Schedule {
            kind: self.lr_scheduler_type,
            warmup_steps: self.warmup_steps,
            max_steps,
        })
    }

    pub(crate) fn adamw(&self) -> AdamWOptions {
        AdamWOptions {
            adam_beta1: self.adam_beta1,
            adam_beta2: self.adam_beta2,
            adam_epsilon: self.adam_epsilon,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_values_are_named() {
        for (config, option) in [
            (
                TrainingConfig {
                    learning_rate: f64::NAN,
                    ..Default::default()
                },
                "learning_rate is NaN",
            ),
            (
                TrainingConfig {
                    adam_beta2: 1.0,
                    ..Default::default()
                },
                "adam_beta2 is 1",
            ),
            (
                TrainingConfig {
                    max_grad_norm: Some(-1.0),
                    ..Default::default()
                },
                "max_grad_norm is -1",
            ),
            (
                TrainingConfig {
                    gradient_accumulation_steps: 0,
                    ..Default::default()
                },
                "gradient_accumulation_steps",
            ),
        ] {
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with(option), "{error}");
        }
        TrainingConfig::default().validate().unwrap();
    }

    #[test]
    fn options_that_do_not_exist_are_errors() {
        let error = serde_json::from_str::<TrainingConfig>(r#"{"learning_rat": 1.0}"#).unwrap_err();
        assert!(error.to_string().contains("learning_rat"), "{error}");
    }

    #[test]
    fn updates_are_counted_from_epochs_unless_they_are_given() {
        let config = TrainingConfig {
            gradient_accumulation_steps: 4,
            num_train_epochs: 3,
            ..Default::default()
        };
        assert_eq!(config.clone().for_batches(10).max_steps, Some(9));
        assert_eq!(config.clone().for_batches_on(10, 2).max_steps, Some(6));
        let given = TrainingConfig {
            max_steps: Some(5),
            ..config
        };
        assert_eq!(given.for_batches(10).max_steps, Some(5));
    }
}
