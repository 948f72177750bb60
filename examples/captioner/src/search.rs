use captioning::{GenerationConfig, Ignored};
use clap::Args;

use crate::LoadError;

#[allow(missing_docs)]
#[derive(Args, Clone, Debug)]
pub struct SearchArguments {
    /// Number of beams of the search; 1 means greedy search. Default: the checkpoint's, or 4, unless the checkpoint asks
    /// for sampling or contrastive search.
    #[arg(long, value_name = "N")]
    pub num_beams: Option<usize>,
    /// Maximum length of a caption in tokens, including start token and language code. Default: the checkpoint's, or
    /// 64, or as many as the model can write.
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Maximum number of tokens after the start token and the prefix, instead of --max-length.
    #[arg(long, value_name = "N", conflicts_with = "max_length")]
    pub max_new_tokens: Option<usize>,
    /// Exponent of the length that divides scores: above 0 favours long captions, below 0 short ones. Default:
    /// the checkpoint's, or 1.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub length_penalty: Option<f64>,
    /// Set any generation option by its Hugging Face name, for example no_repeat_ngram_size=3 or
    /// do_sample=true; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl SearchArguments {
    /// What the user says, each `NAME=VALUE`, with what a program has arguments of its own for. Of equal names the last
    /// counts.
    ///
    /// # Errors
    /// [`LoadError::Setting`] if `--set` can't be used.
    pub fn said(&self, own: &[(&str, Option<usize>)]) -> Result<Vec<String>, LoadError> {
        // For an error that names the argument.
        GenerationConfig::default()
            .with_settings(&self.set)
            .map_err(LoadError::Setting)?;
        let counts = [
            ("num_beams", self.num_beams),
            ("max_length", self.max_length),
            ("max_new_tokens", self.max_new_tokens),
        ];
        let counts = counts.iter().chain(own);
        let counts = counts.filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)));
        let penalty = self.length_penalty.map(|penalty| match penalty {
            // As JSON of Python's writes it.
            f64::INFINITY => "length_penalty=Infinity".into(),
            f64::NEG_INFINITY => "length_penalty=-Infinity".into(),
            penalty => format!("length_penalty={penalty}"),
        });
        Ok(counts
            .chain(penalty)
            .chain(self.set.iter().cloned())
            .collect())
    }

    /// What has no effect of what the user says, in sentences.
    pub fn in_vain(said: &[String], ignored: &[Ignored]) -> Vec<String> {
        let in_vain = ignored.iter().filter(|one| says(said, &one.option));
        in_vain.map(ToString::to_string).collect()
    }
}

/// Whether a user says something about an option.
pub fn says(said: &[String], option: &str) -> bool {
    let mut names = said.iter().filter_map(|one| one.split_once('='));
    names.any(|(name, _)| name.trim() == option)
}
