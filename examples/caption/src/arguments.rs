use std::path::PathBuf;

use captioning::{Weights, Words};
use clap::Parser;

/// Caption pictures in many languages.
///
/// Without --model, the small embedded model is used. It knows 514 common things in six styles of pictogram
/// art, one or two on a plain background, in English, French, German and Spanish. It is not for photographs.
///
/// Exit code 0: every picture has a caption in every language; 1: some captions are missing; 2: the options
/// or the model can't be used, or the output can't be written.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Pictures and folders of pictures.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// Languages, by code (es_XX), short code (es) or English name (spanish).
    #[arg(long, value_delimiter = ',', default_value = "en,fr,de,es")]
    pub(crate) lang: Vec<String>,
    /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub. Default: the
    /// embedded model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Where to take the tokenizer from if the checkpoint has none: a folder, or a name on the Hub.
    #[arg(long, value_name = "MODEL", requires = "model")]
    pub(crate) tokenizer: Option<String>,
    /// Number of beams of the search; 1 means greedy search.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) num_beams: usize,
    /// Maximum length of a caption in tokens, including start token and language code.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_length: usize,
    /// Exponent of the length that divides scores: above 0 favours long captions, below 0 short ones.
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub(crate) length_penalty: f64,
    /// Number of captions per language, best first; at most --num-beams.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) num_return_sequences: usize,
    /// Set any generation option by its Hugging Face name, for example no_repeat_ngram_size=3 or
    /// do_sample=true; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Text that every caption begins with.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prefix: String,
    /// A word or phrase that a caption has to contain: `dog`, `dog|dogs` (either), `dog*` (also longer words
    /// that begin so); may be given several times.
    #[arg(long, value_name = "WORDS")]
    pub(crate) require: Vec<Words>,
    /// A word or phrase that a caption must not contain, written as for --require; may be given several
    /// times.
    #[arg(long, value_name = "WORDS")]
    pub(crate) forbid: Vec<Words>,
    /// Consider only the tokens that the languages are written with, or those of a text file with one
    /// caption per line. This is faster, and gives the same captions unless they need other tokens.
    #[arg(long, value_name = "languages|FILE")]
    pub(crate) shortlist: Option<PathBuf>,
    /// With --json, print this many of the most likely tokens at each position.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "json")]
    pub(crate) alternatives: usize,
    /// Instead of captioning, print the score of this text; may be given several times.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["stream", "attention", "prefix", "require", "forbid", "alternatives"])]
    pub(crate) score: Vec<String>,
    /// Print captions word by word while they are written. With several beams, this prints the part of the
    /// best caption that no longer changes; with --json, a line for each step.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Folder for attention: for each word of each caption, a picture of where the decoder looked when it
    /// wrote the word, and all attention weights as JSON.
    #[arg(long, value_name = "DIR")]
    pub(crate) attention: Option<PathBuf>,
    /// Decoder layers that --attention averages over, numbered from 0. Default: all.
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "attention")]
    pub(crate) attention_layers: Vec<usize>,
    /// Caption as the published model's original code did, including its quirks: it truncates pixels to
    /// integers, prefers long captions, and returns one caption per language.
    #[arg(long, conflicts_with_all = [
        "stream", "attention", "prefix", "require", "forbid", "score", "shortlist", "alternatives",
    ])]
    pub(crate) as_published: bool,
    /// Rotate pictures as their EXIF orientation says, which the reference implementation does not.
    #[arg(long)]
    pub(crate) apply_exif_orientation: bool,
    /// How weights are kept in memory: packed for the kernels as f32, bf16, int8 or int4, where the last two
    /// may have a group size (int8:128); ordinary for f32 tensors that are not packed; or auto for the
    /// checkpoint's own packed format if it has one, otherwise f32.
    #[arg(long, default_value = "auto")]
    pub(crate) precision: Weights,
    /// Map packed weights into memory instead of reading them. The file must not be changed in place while
    /// the program runs: if it is truncated, the system kills the program.
    #[arg(long, requires = "model")]
    pub(crate) mmap: bool,
    /// Device to compute on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Number of threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Print one JSON object per picture. Its encode_ms is the time of preprocessing and encoding. A language
    /// without a caption has an entry with an "error" instead of a text.
    #[arg(long)]
    pub(crate) json: bool,
}
