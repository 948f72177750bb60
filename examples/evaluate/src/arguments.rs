use std::path::PathBuf;

use captioner::{ModelArguments, PictureArguments, SearchArguments};
use clap::Parser;

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
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// Only these languages, by code (es_XX), short code (es) or English name (spanish). Default: all of the data.
    #[arg(long, value_delimiter = ',')]
    pub(crate) lang: Vec<String>,
    /// Number of pictures that are captioned at once. Captions do not depend on it but for rounding.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) batch_size: u16,
    #[command(flatten)]
    pub(crate) search: SearchArguments,
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
    /// Give the model the pixels that the published one was trained with, resized as tensors without antialias, instead of
    /// those of the checkpoint's image processor. For checkpoints that `train` has made with data.as_published.
    #[arg(long)]
    pub(crate) as_published: bool,
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    /// Print one JSON object instead of the table, with all scores.
    #[arg(long)]
    pub(crate) json: bool,
}
