use serde_json::{Map, Value, json};
use training::{ParameterGroup, TrainingConfig};

/// Options of a case that are options of a training under the same name.
const SAME: [&str; 11] = [
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "label_smoothing_factor",
    "max_grad_norm",
    "gradient_accumulation_steps",
    "decoder_start_token_id",
];

/// Why a case can't be run.
pub(super) struct NotRun(pub(super) String);

/// What a case says about its training.
pub(super) struct Options {
    config: TrainingConfig,
    /// Parts of the model, named as in the checkpoint, that are not trained.
    frozen: Vec<String>,
    pub(super) steps: usize,
    pub(super) accumulation: usize,
}

impl Options {
    pub(super) fn of(options: &Map<String, Value>, pad_token_id: u32) -> Result<Self, NotRun> {
        let mut config = json!({ "pad_token_id": pad_token_id });
        let (mut frozen, mut unsupported) = (Vec::new(), Vec::new());
        for (name, value) in options {
            match (name.as_str(), value) {
                ("steps", value) => config["max_steps"] = value.clone(),
                ("freeze", Value::Null) => {}
                ("freeze", Value::String(part)) => frozen.push(part.clone()),
                (name, value) if SAME.contains(&name) => config[name] = value.clone(),
                (name, _) => unsupported.push(name),
            }
        }
        if !unsupported.is_empty() {
            return Err(NotRun(format!("unsupported: {}", unsupported.join(", "))));
        }
        let required = ["steps"]
            .iter()
            .chain(&SAME)
            .filter(|name| **name != "lr_scheduler_type");
        let missing: Vec<&str> = required
            .filter(|name| !options.contains_key(**name))
            .copied()
            .collect();
        if !missing.is_empty() {
            return Err(NotRun(format!(
                "the case does not say {}",
                missing.join(", ")
            )));
        }
        let config: TrainingConfig =
            serde_json::from_value(config).map_err(|error| NotRun(error.to_string()))?;
        config
            .validate()
            .map_err(|error| NotRun(error.to_string()))?;
        let steps = config.max_steps.unwrap_or_default();
        Ok(Self {
            steps,
            accumulation: config.gradient_accumulation_steps,
            frozen,
            config,
        })
    }

    /// The batches that all updates take.
    pub(super) fn batches(&self) -> usize {
        self.steps.saturating_mul(self.accumulation)
    }

    /// The training, where what is frozen is taken for a part of the model, and then for a parameter.
    pub(super) fn configurations(&self) -> impl Iterator<Item = TrainingConfig> {
        ["{}.*", "{}"].into_iter().map(|form| {
            let patterns = self.frozen.iter().map(|part| form.replace("{}", part));
            let mut config = self.config.clone();
            config.parameter_groups.push(ParameterGroup {
                parameters: patterns.collect(),
                freeze: true,
                ..ParameterGroup::default()
            });
            config
        })
    }
}
