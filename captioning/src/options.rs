use generation::{ConfigError, GenerationConfig, Ignored, OptionSource, Prompt};
use vision_encoder_decoder::{GenerateError, Shortlist};

use crate::{Captioner, Error, Words};

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
    /// The options of generation. Their `forced_bos_token_id` is ignored if the model has languages: each caption
    /// is then forced to begin with the code of its language.
    pub generation: GenerationConfig,
    /// What the decoder is told before it writes, with special tokens spelled out: the task of a Donut,
    /// `<s_cord-v2>`, or a question within such tokens. It follows the start token; of a Donut, it takes its
    /// place, as in transformers. Its text is a part of [`Caption::text`](crate::Caption::text).
    pub prompt: String,
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

/// The options that the model card states, and that programs of this workspace have as their own defaults for
/// [`Captioner::options`]: four beams, and captions of at most 64 tokens.
pub fn card_defaults() -> GenerationConfig {
    GenerationConfig {
        num_beams: 4,
        max_length: Some(64),
        ..GenerationConfig::default()
    }
}

impl Captioner {
    /// The options of a program: what its user says comes first, then what the checkpoint says, then the program's
    /// own defaults. So a checkpoint that is made for short captions writes short ones, unless the user asks for others.
    ///
    /// `options.generation` are those of the checkpoint, [`Captioner::generation_config`] or
    /// [`AsPublished::generation_config`](crate::AsPublished::generation_config). `said` are the settings of the user,
    /// each `NAME=VALUE` with a name of [`GenerationConfig`]; of equal names the last counts. Of `defaults`, the
    /// options count that neither says. The greatest length is one option here, whether it is called `max_length` or
    /// `max_new_tokens`, and so is the least. Unless the user says it, it is at most what the decoder can write. A
    /// checkpoint that chooses sampling or contrastive search without beams gets no beams by default.
    ///
    /// [`GenerationConfig::source_of`] tells afterwards who has set an option, and [`Captioner::ignored`] what is
    /// not used.
    ///
    /// # Errors
    /// [`Error::Generate`] if a setting is not a name and a value, names no option, or has a value of the wrong type,
    /// and if there is no start token. The options are not checked further; see
    /// [`validate_options`](Self::validate_options).
    ///
    /// ```no_run
    /// use captioning::{CaptionOptions, Captioner, card_defaults};
    ///
    /// # fn example(captioner: &Captioner) -> Result<(), captioning::Error> {
    /// let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
    /// let options = captioner.options(checkpoint, &["num_beams=2"], &card_defaults())?;
    /// # Ok(()) }
    /// ```
    pub fn options<S: AsRef<str>>(
        &self,
        options: CaptionOptions,
        said: &[S],
        defaults: &GenerationConfig,
    ) -> Result<CaptionOptions, Error> {
        let says = |name: &str| {
            let mut names = said.iter().filter_map(|one| one.as_ref().split_once('='));
            names.any(|(said, _)| said.trim() == name)
        };
        let mut checkpoint = options.generation.clone();
        // What the user says replaces what the checkpoint says in other words.
        if says("max_length") && !says("max_new_tokens") {
            checkpoint = settings(&checkpoint, &["max_new_tokens=null"])?;
        }
        if says("min_length") && !says("min_new_tokens") {
            checkpoint = settings(&checkpoint, &["min_new_tokens=null"])?;
        }
        let checkpoint = settings(&checkpoint, said)?;
        let mut defaults = defaults.clone();
        if chooses_one_row(&checkpoint) {
            defaults.num_beams = GenerationConfig::default().num_beams;
        }
        let mut options = CaptionOptions {
            generation: checkpoint.with_defaults(&defaults),
            ..options
        };
        if !says("max_length") && !says("max_new_tokens") {
            self.clamp_length(&mut options)?;
        }
        Ok(options)
    }

    /// What is not used of options, and of the file that they were read from.
    pub fn ignored(&self, options: &CaptionOptions) -> Vec<Ignored> {
        let mut ignored = options.generation.ignored();
        let vocab_size = self.pretrained.config.decoder.vocab_size();
        ignored.extend(options.generation.unknown_tokens(vocab_size));
        ignored
    }

    /// Makes the greatest length at most what the decoder can write.
    fn clamp_length(&self, options: &mut CaptionOptions) -> Result<(), Error> {
        let languages = self.languages().get(..1).unwrap_or_default();
        for prompt in self.prompts(languages, options)? {
            if let Some(most) = self.most_tokens(&options.generation, prompt.tokens.len()) {
                let most = format!("max_length={most}");
                options.generation =
                    settings(&options.generation, &["max_new_tokens=null", &most])?;
            }
        }
        Ok(())
    }

    /// The options of generation, with the default length made what the decoder can write if that is less.
    pub(crate) fn writable(
        &self,
        options: &CaptionOptions,
        prompts: &[Prompt],
    ) -> GenerationConfig {
        let mut config = options.generation.clone();
        let is_default = |name| config.source_of(name) == OptionSource::Default;
        if let Some(prompt) = prompts.first()
            && is_default("max_length")
            && is_default("max_new_tokens")
            && let Some(most) = self.most_tokens(&config, prompt.tokens.len())
        {
            config.max_length = Some(most);
        }
        config
    }

    /// The most tokens that the decoder can write, if options ask for more.
    fn most_tokens(&self, config: &GenerationConfig, prompt_length: usize) -> Option<usize> {
        match self.model().validate_length(config, prompt_length) {
            Err(ConfigError::TooFewPositions { most, .. }) => Some(most),
            _ => None,
        }
    }
}

/// Whether a checkpoint chooses a strategy that a default number of beams would change.
fn chooses_one_row(checkpoint: &GenerationConfig) -> bool {
    let is_of_file = |name| matches!(checkpoint.source_of(name), OptionSource::File(_));
    let is_contrastive = checkpoint.penalty_alpha.is_some_and(|alpha| alpha > 0.0);
    (checkpoint.do_sample && is_of_file("do_sample"))
        || (is_contrastive && is_of_file("penalty_alpha"))
}

fn settings<S: AsRef<str>>(
    config: &GenerationConfig,
    settings: &[S],
) -> Result<GenerationConfig, Error> {
    let changed = config.with_settings(settings);
    Ok(changed.map_err(GenerateError::from)?)
}
