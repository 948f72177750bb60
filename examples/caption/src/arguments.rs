use std::path::PathBuf;

use captioning::Words;
use clap::Parser;
use packed_linear::Format;

/// Caption pictures in many languages.
///
/// Without --model, the small embedded model is used: it knows 514 common things in six styles of
/// pictogram art, one or two on a plain background, in English, French, German and Spanish. It is no
/// model for photographs.
///
/// Exit code 0: all pictures are captioned; 1: some could not be; 2: nothing could be started.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Pictures, or folders of pictures.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// Languages, by code (es_XX), short code (es) or English name (spanish).
    #[arg(long, value_delimiter = ',', default_value = "en,fr,de,es")]
    pub(crate) lang: Vec<String>,
    /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub; without
    /// it, the embedded model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Where to take the tokenizer from, if the checkpoint has none: likewise.
    #[arg(long, value_name = "MODEL", requires = "model")]
    pub(crate) tokenizer: Option<String>,
    /// Captions that the search pursues at once; 1 is greedy search.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) num_beams: usize,
    /// Longest caption in tokens, start token and language code included.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_length: usize,
    /// Above 0 favours long captions, below 0 short ones.
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub(crate) length_penalty: f64,
    /// Captions per language, best first; at most --num-beams.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) num_return_sequences: usize,
    /// Any option of generation by its Hugging Face name, such as no_repeat_ngram_size=3 or
    /// do_sample=true; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Words that every caption begins with.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prefix: String,
    /// A word or words that a caption has to contain: `dog`, `dog|dogs` (one of them), `dog*` (also
    /// in longer words); may be given several times.
    #[arg(long, value_name = "WORDS")]
    pub(crate) require: Vec<Words>,
    /// A word or words that a caption must not contain, likewise.
    #[arg(long, value_name = "WORDS")]
    pub(crate) forbid: Vec<Words>,
    /// Score only the tokens that the languages are written with, or that occur in a text file, a
    /// caption a line: faster, with the same captions unless they need others.
    #[arg(long, value_name = "languages|FILE")]
    pub(crate) shortlist: Option<PathBuf>,
    /// Show with --json for each token so many that could have come in its place.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "json")]
    pub(crate) alternatives: usize,
    /// Instead of captioning, say how likely the model finds this text; may be given several times.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["stream", "attention", "prefix", "require", "forbid", "alternatives"])]
    pub(crate) score: Vec<String>,
    /// Write captions word by word as they come: with beams, what of the best no longer changes.
    /// With --json, a line for each step.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Write into this folder, for each word of each caption, a picture of where the decoder looked
    /// when it wrote it, and all shares as JSON.
    #[arg(long, value_name = "DIR")]
    pub(crate) attention: Option<PathBuf>,
    /// Decoder layers that --attention averages over, from 0; by default all.
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "attention")]
    pub(crate) attention_layers: Vec<usize>,
    /// Caption as the published model's original code did, quirks included: cuts pixels to
    /// integers, prefers long captions, has one caption per language.
    #[arg(long, conflicts_with_all = [
        "stream", "attention", "prefix", "require", "forbid", "score", "shortlist", "alternatives",
    ])]
    pub(crate) as_published: bool,
    /// Turn pictures as their EXIF orientation says; the reference leaves them as they are.
    #[arg(long)]
    pub(crate) apply_exif_orientation: bool,
    /// How weights are stored in memory: f32, bf16, int8 or int4, the last two perhaps with the size
    /// of a group (int8:128); by default as the checkpoint has them packed, else f32.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) precision: Option<Format>,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Print one JSON object per picture. encode_ms is the time to prepare and encode it.
    #[arg(long)]
    pub(crate) json: bool,
}
