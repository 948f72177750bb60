use std::path::Path;

use burn::tensor::Device;
use checkpoint::files::{CONFIG, GENERATION_CONFIG};
use checkpoint::open_weights;
use pretrained::{LoadError, Pretrained, Weights};
use serde_json::{Value, json};
use whole_files::limits;

use crate::input::{InputError, read_json};

/// Loads a checkpoint to be trained without dropout, as references are.
pub(super) fn without_dropout(folder: &Path, device: &Device) -> Result<Pretrained, InputError> {
    let mut config: Value = read_json(&folder.join(CONFIG))?;
    set_rates_to_zero(&mut config);
    let path = folder.join(GENERATION_CONFIG);
    let generation_config = match path.exists() {
        true => Some(whole_files::read_text(&path, limits::JSON)?),
        false => None,
    };
    let weights = open_weights(folder).map_err(LoadError::from)?;
    Ok(Pretrained::from_parts(
        &folder.display().to_string(),
        &config.to_string(),
        generation_config.as_deref(),
        weights.as_ref(),
        Weights::Ordinary,
        device,
    )?)
}

fn set_rates_to_zero(config: &mut Value) {
    let Value::Object(entries) = config else {
        return;
    };
    for (name, value) in entries {
        match value {
            Value::Number(_) if name.ends_with("dropout") || name.ends_with("layerdrop") => {
                *value = json!(0.0);
            }
            value => set_rates_to_zero(value),
        }
    }
}
