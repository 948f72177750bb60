use std::num::NonZeroUsize;
use std::path::PathBuf;

use captioner::{ModelArguments, PictureArguments, SearchArguments};
use captioning::{BatchSize, Words};
use clap::Parser;

use crate::outputs::OutputFormat;

/// Caption pictures in many languages.
///
/// Without --model, the small embedded model is used. It knows 514 common things in six styles of pictogram
/// art, one or two on a plain background, in English, French, German and Spanish. It is not for photographs.
///
/// Options of generation that are not given here are those of the checkpoint's generation_config.json. What it
/// does not say either has the defaults named below. --verbose and --json say where each came from.
///
/// What is printed never changes the terminal: in text, control characters and those that change the direction of
/// writing are shown as `\n`, `\x1b` or `\u{202e}`, and bytes of a name that are not UTF-8 as `\xff`.
///
/// Exit code 0: every picture has a caption in every language; 1: some captions are missing; 2: the options
/// or the model can't be used, or the output can't be written. If the reader of the output closes it, the program ends
/// without a message, and its exit code tells of the pictures until then; with --attention it goes on.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Pictures, folders of pictures, shards that hold pictures, and `-` for a picture from standard input.
    ///
    /// Shards are tar archives as WebDataset and img2dataset have them, and, if this program was built with the feature
    /// parquet, Parquet files with a column of bytes, of paths, or of Hugging Face's struct of both. From a folder, files
    /// with the extension of a picture or a shard are taken, in the order of their names, but not hidden ones, whose names
    /// begin with a dot. A picture that fails does not stop the others.
    #[arg(required_unless_present = "list", value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// A text file with one of these a line, or `-` for standard input; may be given several times. Paths start from the
    /// current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Vec<PathBuf>,
    /// The column of Parquet files that holds pictures. Default: image_file or image.
    #[arg(long, value_name = "NAME")]
    pub(crate) image_column: Option<String>,
    /// Also look for pictures in the folders of folders, and take each file once, even if links lead to it.
    #[arg(long)]
    pub(crate) recursive: bool,
    /// Languages, by code (es_XX), short code (es) or English name (spanish). Default: en,fr,de,es, or none for a model
    /// without codes of languages, which writes what it was trained on.
    #[arg(long, value_delimiter = ',')]
    pub(crate) lang: Vec<String>,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) search: SearchArguments,
    /// Number of captions per language, best first; at most --num-beams. Default: the checkpoint's, or 1.
    #[arg(long, value_name = "N")]
    pub(crate) num_return_sequences: Option<usize>,
    /// What the model is told before it writes, with special tokens spelled out: the task of a Donut, `<s_cord-v2>`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prompt: String,
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
    /// Translate captions in one language with this model, such as Helsinki-NLP/opus-mt-en-de: a folder, or a name on the
    /// Hugging Face Hub. The translation is printed in place of the caption. With --json, "translation" stands beside "text".
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["stream", "score"])]
    pub(crate) translate: Option<String>,
    /// Instead of captioning, print the score of this text; may be given several times.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["stream", "attention", "prompt", "prefix", "require", "forbid", "alternatives"])]
    pub(crate) score: Vec<String>,
    /// Print captions word by word while they are written. With several beams, this prints the part of the
    /// best caption that no longer changes; with --json, a line for each step.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Folder for attention: for each word of each caption, a picture of where the decoder looked when it
    /// wrote the word, and all attention weights as JSON. Files are named like the picture, shortened if it has a long
    /// name; the JSON has the whole name.
    #[arg(long, value_name = "DIR")]
    pub(crate) attention: Option<PathBuf>,
    /// Decoder layers that --attention averages over, numbered from 0. Default: all.
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "attention")]
    pub(crate) attention_layers: Vec<usize>,
    /// Caption as the published model's original code did, including its quirks: it truncates pixels to
    /// integers, prefers long captions, and returns one caption per language.
    #[arg(long, conflicts_with_all = [
        "stream", "attention", "prompt", "prefix", "require", "forbid", "score", "shortlist", "alternatives",
    ])]
    pub(crate) as_published: bool,
    /// Write captions to files in this folder instead of the standard output: one for each shard of the input, and one for
    /// each --pictures-per-output other pictures.
    ///
    /// A file appears when it is complete. Its name is that of what went in and a hash of it, of the model and of the options,
    /// so the files that a run has written before it was stopped are those that it would have written at last.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["stream", "score", "attention", "as_published", "json"])]
    pub(crate) output: Option<PathBuf>,
    /// Go on with a run that was stopped or killed: what it has completed is left as it is.
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// What the files of --output are: jsonl (a JSON object a line, as --json has them, without times and options), csv, parquet
    /// (if this program was built with that feature), or tar (the pictures with their captions beside them, as WebDataset has
    /// them).
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "jsonl",
        requires = "output"
    )]
    pub(crate) format: OutputFormat,
    /// How many pictures that are not in a shard have one file of --output.
    #[arg(long, value_name = "N", default_value = "1000", requires = "output")]
    pub(crate) pictures_per_output: NonZeroUsize,
    /// How many pictures are captioned at once, if there are several: a number, or auto, which chooses by the size of the
    /// model, the number of threads, and memory. The captions are the same for every number.
    #[arg(long, value_name = "N|auto", default_value_t = BatchSize::Auto)]
    pub(crate) batch_size: BatchSize,
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    /// Print one JSON object per picture.
    ///
    /// Its fields: "image", the name; "image_percent", only for a name that is not UTF-8, its bytes in the percent form
    /// of URLs; "captions", each with "lang", "text", "ids", "score" and "token_log_probs", where a language without a
    /// caption has an "error" instead, "fields" that a Donut wrote, and "translation" with --translate; "error", if the
    /// picture failed, or its attention could not be written, or a caption not be translated; "shard" and "row", where the
    /// picture is, if it is in a shard; "encode_ms", the time of preprocessing and encoding, or the picture's share of it, and "generate_ms", the time from then to
    /// its last caption, which several pictures share; "options", those of generation that
    /// somebody chose, each with its "value" and "from": "user", "checkpoint" or "default"; "ignored", if some have no effect, a
    /// sentence for each.
    #[arg(long)]
    pub(crate) json: bool,
    /// Say on stderr what was loaded, which options were used, where they came from, and which were ignored.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
