use captioner::SearchArguments;
use captioning::{CaptionOptions, Captioner, card_defaults};

use crate::arguments::Arguments;
use crate::error::StartError;

/// The options for all pictures, after checking them, and what the user says that has no effect.
pub(crate) fn choose(
    arguments: &Arguments,
    captioner: &Captioner,
) -> Result<(CaptionOptions, Vec<String>), StartError> {
    let said = arguments.search.said(&[])?;
    let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
    let mut options = captioner.options(checkpoint, &said, &card_defaults())?;
    // Only the best caption is scored.
    options.generation.num_return_sequences = 1;
    captioner.validate_options(&options)?;
    let in_vain = SearchArguments::in_vain(&said, &captioner.ignored(&options));
    Ok((options, in_vain))
}
