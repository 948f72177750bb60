use generation::GenerationConfig;
use vision_encoder_decoder::Shortlist;

use crate::Words;

/// How to caption: the options of generation, and options about words.
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
    /// The options of generation. Their `forced_bos_token_id` is ignored: each caption is forced to
    /// begin with the code of its language.
    pub generation: GenerationConfig,
    /// The text that every caption begins with.
    pub prefix: String,
    /// Words that a caption has to contain, in any order. They need a beam search.
    pub required: Vec<Words>,
    /// Words that a caption must not contain. A caption that has begun to write such a word can only
    /// continue it to a longer word; a beam search avoids that better than a greedy search.
    pub forbidden: Vec<Words>,
    /// The number of most likely tokens to return for each generated token, see
    /// [`Caption::alternatives`](crate::Caption::alternatives).
    pub alternatives: usize,
    /// The tokens to score, or `None` for all; see [`Captioner::shortlist`](crate::Captioner::shortlist).
    pub shortlist: Option<Shortlist>,
}

impl CaptionOptions {
    /// Options of generation, without any about words.
    pub fn new(generation: GenerationConfig) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }
}
