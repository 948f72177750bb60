use captioning::{CaptionOptions, Captioner, GenerationConfig};

use crate::arguments::Arguments;
use crate::error::StartError;

/// The options that count where neither the user nor the checkpoint says anything: those of the model card.
fn defaults() -> GenerationConfig {
    GenerationConfig {
        num_beams: 4,
        max_length: Some(64),
        ..GenerationConfig::default()
    }
}

/// The options for all pictures, after checking them, and what the user says that has no effect.
pub(crate) fn choose(
    arguments: &Arguments,
    captioner: &Captioner,
) -> Result<(CaptionOptions, Vec<String>), StartError> {
    let count = |name: &str, value: Option<usize>| value.map(|value| format!("{name}={value}"));
    let own = [
        count("num_beams", arguments.num_beams),
        count("max_length", arguments.max_length),
        arguments
            .length_penalty
            .map(|penalty| format!("length_penalty={penalty}")),
    ];
    let said: Vec<String> = own
        .into_iter()
        .flatten()
        .chain(arguments.set.iter().cloned())
        .collect();
    let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
    let mut options = captioner.options(checkpoint, &said, &defaults())?;
    // Only the best caption is scored.
    options.generation.num_return_sequences = 1;
    captioner.validate_options(&options)?;
    let says = |option: &str| {
        let mut names = said.iter().filter_map(|one| one.split_once('='));
        names.any(|(name, _)| name.trim() == option)
    };
    let ignored = captioner.ignored(&options);
    let in_vain = ignored.iter().filter(|one| says(&one.option));
    let in_vain = in_vain.map(ToString::to_string).collect();
    Ok((options, in_vain))
}
