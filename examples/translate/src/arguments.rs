use std::path::PathBuf;

use clap::Parser;
use translation::check::Checks;
use translation::{LongTexts, Weights, language};

use crate::error::TranslateError;

/// Translate texts line by line, or the captions of a table.
///
/// Without --to, every line of the files, or of stdin, becomes a line on stdout. A line that can't be translated becomes
/// an empty line, and a message on stderr says why.
///
/// With --to, the file is a table of tab-separated values with the columns caption and lang_id, as `clean` writes them.
/// After each row in the language --from, a row with the translated caption is added; all other rows stay as they are. A
/// run that is killed goes on where it was when the same command is given again. OUTPUT.report.json has the numbers, and
/// OUTPUT.flagged.jsonl the rows that are not translated or look wrong: their names are empty_caption, too_long, failed,
/// unreadable_row, and those of translations: empty, cut, unfinished, length_ratio, script, copied, repeated, round_trip.
///
/// Exit code 0: everything is translated, nothing was flagged; 1: some lines or rows are not, or were; 2: the options, the
/// model, the input or the output can't be used.
#[derive(Parser, Debug)]
#[command(version)]
pub(crate) struct Arguments {
    /// Files to translate, or the table. Default: stdin.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Model: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub, such as
    /// Helsinki-NLP/opus-mt-en-de.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: String,
    /// Target language of a model that writes several, by its code in the vocabulary, such as fra.
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
    /// Number of beams of the search; 1 means greedy search. Default: the checkpoint's.
    #[arg(long, value_name = "N")]
    num_beams: Option<usize>,
    /// Number of translations for each line, the best first; at most as many as beams. Each is printed after the number of
    /// its line and its score.
    #[arg(long, value_name = "N", conflicts_with = "to")]
    num_return_sequences: Option<usize>,
    /// Maximum length of a translation in tokens, including the start token. Default: the checkpoint's, or as many as the
    /// model can write.
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Exponent of the length that divides scores: above 0 favours long translations, below 0 short ones. Default: the
    /// checkpoint's, or 1.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    length_penalty: Option<f64>,
    /// Set any generation option by its Hugging Face name, for example no_repeat_ngram_size=3; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Source tokens that are translated at once, padding included.
    #[arg(long, value_name = "N", default_value_t = 2048)]
    pub(crate) batch_tokens: usize,
    /// Leave out the end of lines that are longer than the model can read, instead of refusing them.
    #[arg(long)]
    cut: bool,
    /// How weights are kept in memory: packed for the kernels as f32, bf16, int8 or int4, where the last two may have a
    /// group size (int8:128); ordinary for f32 tensors that are not packed; or auto for the checkpoint's own packed format
    /// if it has one, otherwise f32.
    #[arg(long, default_value = "auto")]
    pub(crate) precision: Weights,
    /// Map packed weights into memory instead of reading them. The file must not be changed in place while the program
    /// runs: if it is truncated, the system kills the program.
    #[arg(long)]
    pub(crate) mmap: bool,
    /// Device to compute on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Number of threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Print a JSON object for each line, or for the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Language of the rows that are translated: en_XX, en or English.
    #[arg(
        long,
        value_name = "LANGUAGE",
        requires = "to",
        help_heading = "Tables"
    )]
    from: Option<String>,
    /// Language of the rows that are added.
    #[arg(long, value_name = "LANGUAGE", requires_all = ["from", "output"], help_heading = "Tables")]
    to: Option<String>,
    /// Table to write. It appears when it is complete.
    #[arg(long, value_name = "FILE", requires = "to", help_heading = "Tables")]
    output: Option<PathBuf>,
    /// Model that translates back: a caption that does not come back similar to itself is flagged.
    #[arg(long, value_name = "MODEL", requires = "to", help_heading = "Tables")]
    pub(crate) back: Option<String>,
    /// Target language of the model --back, if that writes several.
    #[arg(long, value_name = "CODE", requires = "back", help_heading = "Tables")]
    pub(crate) back_language: Option<String>,
    /// Least chrF, 0 to 100, between a caption and its translation back.
    #[arg(
        long,
        value_name = "X",
        default_value_t = 20.0,
        help_heading = "Tables"
    )]
    min_round_trip: f64,
    /// Largest ratio of the lengths of a caption and its translation, either way.
    #[arg(long, value_name = "X", default_value_t = 3.0, help_heading = "Tables")]
    max_length_ratio: f64,
    /// Captions that are translated between two times that the work is saved.
    #[arg(long, value_name = "N", default_value_t = 512, help_heading = "Tables")]
    pub(crate) save_every: usize,
}

/// What there is to do.
pub(crate) enum Task {
    Lines,
    Table(TableSettings),
}

/// What the translation of a table needs.
#[derive(Clone, Debug)]
pub(crate) struct TableSettings {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) checks: Checks,
}

impl Arguments {
    pub(crate) fn task(&self) -> Result<Task, TranslateError> {
        let (Some(from), Some(to), Some(output)) = (&self.from, &self.to, &self.output) else {
            return Ok(Task::Lines);
        };
        let [input] = self.files.as_slice() else {
            return Err(TranslateError::OneTable {
                found: self.files.len(),
            });
        };
        let mut checks = Checks::new(language(from), language(to));
        checks.max_length_ratio = self.max_length_ratio;
        checks.min_round_trip = self.min_round_trip;
        Ok(Task::Table(TableSettings {
            input: input.clone(),
            output: output.clone(),
            from: from.clone(),
            to: to.clone(),
            checks,
        }))
    }

    pub(crate) fn long_texts(&self) -> LongTexts {
        match self.cut {
            true => LongTexts::Cut,
            false => LongTexts::Refuse,
        }
    }

    /// What the user says about generation, each `NAME=VALUE`. Of equal names the last counts.
    pub(crate) fn settings(&self) -> Vec<String> {
        let counts = [
            ("num_beams", self.num_beams),
            ("num_return_sequences", self.num_return_sequences),
            ("max_length", self.max_length),
        ];
        let counts = counts.into_iter();
        let counts = counts.filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let penalty = self.length_penalty.map(|x| format!("length_penalty={x}"));
        counts.chain(penalty).chain(self.set.clone()).collect()
    }
}
