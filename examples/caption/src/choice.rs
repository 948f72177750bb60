//! Who chose which option of generation: the user, the checkpoint, or this program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use captioning::{ConfigError, Error, GenerateError, GenerationConfig};
use serde::Serialize;
use serde_json::{Map, Value};
use whole_files::limits;

use crate::arguments::Arguments;
use crate::error::StartError;

/// The number of beams if nobody asks for another.
const NUM_BEAMS: usize = 4;

/// The length of a caption if nobody asks for another.
const MAX_LENGTH: usize = 64;

/// Options of which the second takes precedence over the first. Whoever sets one of them means it instead of the other.
const PAIRS: [[&str; 2]; 2] = [
    ["max_length", "max_new_tokens"],
    ["min_length", "min_new_tokens"],
];

/// The longest list that is shown.
const LONGEST_LIST: usize = 16;

/// Options by name, with their values and origins.
pub(crate) type OptionRecords = BTreeMap<String, OptionRecord>;

/// Where an option comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    User,
    Checkpoint,
    Default,
}

/// The value of an option and its origin.
#[derive(Debug, Serialize)]
pub(crate) struct OptionRecord {
    pub(crate) value: Value,
    pub(crate) from: Origin,
}

/// The options of generation, and who chose which.
pub(crate) struct Choice {
    pub(crate) config: GenerationConfig,
    origins: BTreeMap<String, Origin>,
    /// What could not be done as the checkpoint says.
    pub(crate) notes: Vec<String>,
}

impl Choice {
    /// What the user says, then the checkpoint, then this program. `checkpoint` has the options of the checkpoint in
    /// `folder`.
    pub(crate) fn new(
        arguments: &Arguments,
        checkpoint: GenerationConfig,
        folder: Option<&Path>,
    ) -> Result<Self, StartError> {
        let by_user = by_user(arguments);
        let mut by_checkpoint = by_checkpoint(&checkpoint, folder)?;
        let is_by_user = |name: &str| by_user.contains(name);
        let mut config = checkpoint;
        for pair in PAIRS {
            if pair.into_iter().any(is_by_user) {
                for other in pair.into_iter().filter(|name| !is_by_user(name)) {
                    by_checkpoint.remove(other);
                    config = config.updated(&null(other)).map_err(StartError::Setting)?;
                }
            }
        }
        let is_chosen = |name: &str| is_by_user(name) || by_checkpoint.contains(name);
        let mut origins = BTreeMap::new();
        if !is_chosen("num_beams") && !searches_otherwise(&config) {
            config.num_beams = NUM_BEAMS;
            origins.insert("num_beams".to_owned(), Origin::Default);
        }
        if !is_chosen("max_length") && !is_chosen("max_new_tokens") {
            config.max_length = Some(MAX_LENGTH);
            origins.insert("max_length".to_owned(), Origin::Default);
        }
        for name in ["num_beams", "length_penalty", "num_return_sequences"] {
            origins.entry(name.to_owned()).or_insert(Origin::Default);
        }
        let origin = |from| move |name| (name, from);
        origins.extend(by_checkpoint.into_iter().map(origin(Origin::Checkpoint)));
        origins.extend(by_user.into_iter().map(origin(Origin::User)));
        let config = GenerationConfig {
            num_beams: arguments.num_beams.unwrap_or(config.num_beams),
            max_length: arguments.max_length.or(config.max_length),
            max_new_tokens: arguments.max_new_tokens.or(config.max_new_tokens),
            length_penalty: arguments.length_penalty.unwrap_or(config.length_penalty),
            num_return_sequences: arguments
                .num_return_sequences
                .unwrap_or(config.num_return_sequences),
            ..config
        };
        let config = config
            .with_settings(&arguments.set)
            .map_err(StartError::Setting)?;
        Ok(Self {
            config,
            origins,
            notes: Vec::new(),
        })
    }

    /// Shortens the longest caption to what the model can write, unless the user asked for its length. `check` returns
    /// the error of the options.
    pub(crate) fn fit(
        &mut self,
        check: impl Fn(&GenerationConfig) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Err(error) = check(&self.config) else {
            return Ok(());
        };
        let [length, new] = PAIRS[0];
        let origin = |name| self.origins.get(name).copied();
        let from = origin(new).or(origin(length));
        let (Some(most), Some(Origin::Checkpoint | Origin::Default)) = (most(&error), from) else {
            return Err(error);
        };
        if from == Some(Origin::Checkpoint) {
            self.notes.push(format!(
                "the checkpoint asks for longer captions than the {most} tokens that its decoder can write"
            ));
        }
        self.config.max_length = Some(most);
        self.config.max_new_tokens = None;
        self.origins.remove(new);
        self.origins.insert(length.to_owned(), Origin::Default);
        check(&self.config)
    }

    /// The options that somebody chose. Long lists are counted, since nobody reads them.
    pub(crate) fn records(&self) -> OptionRecords {
        let values: Value = serde_json::to_value(&self.config).unwrap_or_default();
        let record = |(name, from): (&String, &Origin)| {
            // Every checkpoint names its special tokens.
            if *from == Origin::Checkpoint && name.ends_with("token_id") {
                return None;
            }
            let value = match values.get(name)? {
                Value::Array(items) if items.len() > LONGEST_LIST => {
                    format!("{} entries", items.len()).into()
                }
                value => value.clone(),
            };
            Some((name.clone(), OptionRecord { value, from: *from }))
        };
        self.origins.iter().filter_map(record).collect()
    }
}

/// The names of the options on the command line.
fn by_user(arguments: &Arguments) -> BTreeSet<String> {
    let own = [
        ("num_beams", arguments.num_beams.is_some()),
        ("max_length", arguments.max_length.is_some()),
        ("max_new_tokens", arguments.max_new_tokens.is_some()),
        ("length_penalty", arguments.length_penalty.is_some()),
        ("num_return_sequences", arguments.num_return_sequences.is_some()),
    ];
    let own = own.into_iter().filter(|(_, is_set)| *is_set);
    let set = arguments.set.iter().filter_map(|setting| setting.split_once('='));
    let names = own.map(|(name, _)| name).chain(set.map(|(name, _)| name.trim()));
    names.map(str::to_owned).collect()
}

/// The names of the options that the checkpoint chose: all that differ from Hugging Face's defaults, and those that its
/// file has, which may be equal to them.
fn by_checkpoint(
    config: &GenerationConfig,
    folder: Option<&Path>,
) -> Result<BTreeSet<String>, StartError> {
    let mut names: BTreeSet<String> =
        config.differing(&GenerationConfig::default()).into_iter().collect();
    let path = folder.map(|folder| folder.join("generation_config.json"));
    if let Some(path) = path.filter(|path| path.exists()) {
        let text = whole_files::read_text(path, limits::JSON)?;
        // It was read before, so it is valid.
        let options: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
        let set = options.into_iter().filter(|(_, value)| !value.is_null());
        names.extend(set.map(|(name, _)| name));
    }
    Ok(names)
}

/// Whether the checkpoint asks for a search that beams would change.
fn searches_otherwise(config: &GenerationConfig) -> bool {
    config.do_sample || config.penalty_alpha.is_some_and(|alpha| alpha > 0.0)
}

fn null(name: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::Null)])
}

/// The number of tokens that the model can write, if the error is that the options ask for more.
fn most(error: &Error) -> Option<usize> {
    match error {
        Error::Generate(GenerateError::Config(ConfigError::TooFewPositions { most, .. })) => {
            Some(*most)
        }
        _ => None,
    }
}
