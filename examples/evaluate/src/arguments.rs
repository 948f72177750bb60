use std::path::PathBuf;

use captioning::Weights;
use clap::Parser;
use preprocess::image::decode::Alpha;

/// Caption the pictures of a data set and score the captions, in every language of the data.
///
/// Prints the table of the model card, BLEU-1 to BLEU-4 for each language, with sacreBLEU, chrF, ROUGE-L, CIDEr, the
/// percentage of captions that equal a reference, their mean length in words, and distinct-1 and distinct-2. Every
/// caption is written with the code of its own language. White space around captions and references is removed first.
///
/// Pictures that can't be read and captions in languages that the model does not write are skipped: they are named on
/// stderr, counted in the output, and are not failures.
///
/// Exit code 0: all that can be evaluated was; 1: the evaluation was stopped by Ctrl-C, and the scores are those of the
/// captions until then, or nothing could be evaluated; 2: the options, the model or the data can't be used, or an output
/// can't be written.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Data: tables (.tsv) of rows `image_file`, `caption`, `url`, `lang_id`, shards (.tar), folders of these, or a
    /// pattern in quotation marks. May be repeated. The rows of a picture stand together; several captions in one
    /// language are several references.
    #[arg(long, value_name = "DATA", required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Folder that paths of pictures start from. Default: the folder of the table.
    #[arg(long, alias = "images", value_name = "DIR")]
    pub(crate) image_folder: Option<PathBuf>,
    /// Language of captions that name none, by code or name.
    #[arg(long, value_name = "LANG")]
    pub(crate) language: Option<String>,
    /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub. Default: the
    /// embedded model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Where to take the tokenizer from if the checkpoint has none: a folder, or a name on the Hub.
    #[arg(long, value_name = "MODEL", requires = "model")]
    pub(crate) tokenizer: Option<String>,
    /// Only these languages, by code (es_XX), short code (es) or English name (spanish). Default: all of the data.
    #[arg(long, value_delimiter = ',')]
    pub(crate) lang: Vec<String>,
    /// Number of pictures that are captioned at once. Captions do not depend on it but for rounding.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) batch_size: u16,
    /// Number of beams of the search; 1 means greedy search. Default: the checkpoint's, or 4.
    #[arg(long, value_name = "N")]
    pub(crate) num_beams: Option<usize>,
    /// Maximum length of a caption in tokens, including start token and language code. Default: the checkpoint's, or
    /// 64, or as many as the model can write.
    #[arg(long, value_name = "N")]
    pub(crate) max_length: Option<usize>,
    /// Exponent of the length that divides scores. Default: the checkpoint's, or 1.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) length_penalty: Option<f64>,
    /// Set any generation option by its Hugging Face name, for example no_repeat_ngram_size=3; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Folder of NLTK's trained models of sentences, `punkt_tab`, with a folder for each language. Without it, a full
    /// stop after an abbreviation ends a sentence, which only concerns captions with abbreviations.
    #[arg(long, value_name = "DIR")]
    pub(crate) punkt: Option<PathBuf>,
    /// File for the captions: a line of JSON for each, with "image", "lang", "prediction", "references" and "score", the
    /// model's own. It is replaced, and complete up to the last batch whatever ends the program.
    #[arg(long, value_name = "FILE")]
    pub(crate) captions: Option<PathBuf>,
    /// File for a page with the scores and with the best, the worst and some random captions and their pictures.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Rotate pictures as their EXIF orientation says, which the reference implementation does not.
    #[arg(long)]
    pub(crate) apply_exif_orientation: bool,
    /// What to do with transparency: white or black lay the picture on that ground, drop shows the colours below.
    #[arg(long, value_name = "GROUND", default_value = "white")]
    pub(crate) alpha: Alpha,
    /// How weights are kept in memory: packed as f32, bf16, int8 or int4, where the last two may have a group size
    /// (int8:128); ordinary; or auto for the checkpoint's own packed format if it has one, otherwise f32.
    #[arg(long, default_value = "auto")]
    pub(crate) precision: Weights,
    /// Device to compute on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Number of threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Print one JSON object instead of the table, with all scores.
    #[arg(long)]
    pub(crate) json: bool,
}
