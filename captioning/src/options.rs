use generation::GenerationConfig;
use vision_encoder_decoder::Shortlist;

use crate::Words;

/// How to caption: the options of generation, and what is about words.
///
/// ```
/// use captioning::{CaptionOptions, GenerationConfig};
///
/// let options = CaptionOptions {
///     prefix: "a photo of".into(),
///     required: vec!["dog|puppy".parse()?],
///     forbidden: vec!["animal*".parse()?], // also "animals"
///     ..CaptionOptions::new(GenerationConfig { num_beams: 4, ..Default::default() })
/// };
/// # let _ = options;
/// # Ok::<(), captioning::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CaptionOptions {
    /// The options of generation. The languages of a call take the place of `forced_bos_token_id`.
    pub generation: GenerationConfig,
    /// What every caption begins with.
    pub prefix: String,
    /// Words that a caption has to contain, in whatever order; beam search only.
    pub required: Vec<Words>,
    /// Words that a caption must not contain. Once a caption has such a word it can only go on with
    /// a longer one; beams find better ways out of that than greedy search.
    pub forbidden: Vec<Words>,
    /// How many of the most likely tokens to return with each.
    pub alternatives: usize,
    /// The tokens to score, if not all; see [`Captioner::shortlist`](crate::Captioner::shortlist).
    pub shortlist: Option<Shortlist>,
}

impl CaptionOptions {
    /// Options of generation, and nothing about words.
    pub fn new(generation: GenerationConfig) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }
}
