use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use datasets::cleaning::{CleaningConfig, Identity};

use crate::error::CleanError;

/// Clean a data set of images and captions, and split it into training and validation.
///
/// Writes to OUT: train.tsv and validation.tsv (image_file, caption, url, lang_id), dropped.tsv (everything that was dropped,
/// with the reason), report.json and report.html (the numbers, and examples for each reason). Without options, only what
/// nobody wants to train with is dropped; report.json has the rules with all their values.
///
/// The same command goes on where one was stopped or killed. What was found out about pictures stays in
/// OUT/pictures.journal, so that a command with other rules does not decode them again, nor one with more or fewer rows, or
/// in another order; only the first --near-duplicates, another kind of --duplicates and a lower --max-pixels have to.
///
/// Exit code 0: the data set is written; 1: it is written but nothing was kept, or the work failed; 2: arguments or inputs
/// can't be used; 130: stopped with Ctrl-C.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Tables with the columns image_file, caption, url and lang_id, other files of image-text data, or a folder of pictures
    /// with captions beside them (cat.jpg with cat.txt, or cat.en.txt and cat.fr.txt, a caption per line).
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder to write: a new one, an empty one, or one that this program has written.
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Folder that paths of images in a table start from. Default: the folder of the table.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) images: Option<PathBuf>,
    /// Language of captions that name none.
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Copy all images to OUT/images. Without this, only those that are stored in shards are, and tables name others by
    /// their absolute paths. Copies that the new tables don't name are deleted in the end.
    #[arg(long)]
    pub(crate) copy_images: bool,
    /// Read rules from a JSON file, such as the "rules" of a report.json. Options of the command line go before.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Wanted languages, separated by commas: en,fr,de,es. Captions in others are dropped. Default: all.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    languages: Vec<String>,
    /// Keep only images that have a good caption in each of --languages, wherever their rows stand.
    #[arg(long)]
    require_all_languages: bool,
    /// Rewrite captions: composed characters (Unicode NFC), single spaces, none at the ends.
    #[arg(long, visible_alias = "normalize")]
    normalise: bool,
    /// Share of images for validation, from 0 to 1. Default: 0.01.
    #[arg(long, value_name = "SHARE")]
    validation: Option<f64>,
    /// Seed of the split. An image's part depends on its content and the seed alone.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Shortest side of a picture, in pixels. Default: 64.
    #[arg(long, value_name = "N", help_heading = "Pictures")]
    min_side: Option<u32>,
    /// Longest side of a picture, in pixels.
    #[arg(long, value_name = "N", help_heading = "Pictures")]
    max_side: Option<u32>,
    /// Smallest number of pixels.
    #[arg(long, value_name = "N", help_heading = "Pictures")]
    min_pixels: Option<u64>,
    /// Largest number of pixels. Default: 89478485.
    #[arg(long, value_name = "N", help_heading = "Pictures")]
    max_pixels: Option<u64>,
    /// Longest side divided by the shortest, at most. Default: 5.
    #[arg(long, value_name = "RATIO", help_heading = "Pictures")]
    max_aspect_ratio: Option<f64>,
    /// What makes two pictures the same: the content of their files, or their decoded pixels; or keep duplicates.
    #[arg(long, value_name = "WHAT", value_parser = ["file", "pixels", "keep"], help_heading = "Pictures")]
    duplicates: Option<String>,
    /// Drop pictures that look like an earlier one: perceptual hashes of 64 bits differ in at most this many bits (0 to 11, 3
    /// if no number is given).
    #[arg(long, value_name = "BITS", num_args = 0..=1, require_equals = true, default_missing_value = "3", help_heading = "Pictures")]
    near_duplicates: Option<u32>,

    /// Fewest characters of a caption. Default: 3.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    min_characters: Option<usize>,
    /// Most characters of a caption. Default: 1000.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    max_characters: Option<usize>,
    /// Fewest words of a caption. Default: 1.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    min_words: Option<usize>,
    /// Most words of a caption. Default: 256.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    max_words: Option<usize>,
    /// Most tokens of a caption, with --tokenizer. Default: 64.
    #[arg(
        long,
        value_name = "N",
        requires = "tokenizer",
        help_heading = "Captions"
    )]
    max_tokens: Option<usize>,
    /// Folder with the tokenizer that counts tokens.
    #[arg(long, value_name = "FOLDER", help_heading = "Captions")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// What stands for something that was removed. May be given several times. Default: `<PERSON>`.
    #[arg(long, value_name = "TEXT", help_heading = "Captions")]
    placeholder: Vec<String>,
    /// Most placeholders in a row. Default: 2.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    max_placeholder_run: Option<usize>,
    /// Most images that may have the same caption.
    #[arg(long, value_name = "N", help_heading = "Captions")]
    max_images_per_caption: Option<u32>,
    /// Rules to turn off, separated by commas. Captions that no table can hold (NUL, tabs) are dropped in any case.
    #[arg(
        long, value_name = "RULES", value_delimiter = ',', help_heading = "Captions",
        value_parser = ["control_characters", "replacement_characters", "mojibake", "html", "placeholders", "repeated_caption"]
    )]
    keep: Vec<String>,

    /// Threads that look at pictures. Default: one for each core.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Print report.json as one line, in place of the table.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// The rules: defaults, changed by the file of --config, changed by options.
    pub(crate) fn rules(&self) -> Result<CleaningConfig, CleanError> {
        let mut rules = match &self.config {
            Some(path) => {
                let text = whole_files::read_text(path, whole_files::limits::JSON)?;
                serde_json::from_str(&text).map_err(|source| CleanError::Rules {
                    path: path.clone(),
                    source,
                })?
            }
            None => CleaningConfig::default(),
        };
        if !self.languages.is_empty() {
            rules.languages.clone_from(&self.languages);
        }
        rules.require_all_languages |= self.require_all_languages;
        rules.normalise |= self.normalise;
        set(&mut rules.validation, self.validation);
        set(&mut rules.seed, self.seed);

        let pictures = &mut rules.pictures;
        set(&mut pictures.min_side, self.min_side);
        set_some(&mut pictures.max_side, self.max_side);
        set(&mut pictures.min_pixels, self.min_pixels);
        set(&mut pictures.max_pixels, self.max_pixels);
        set_some(&mut pictures.max_aspect_ratio, self.max_aspect_ratio);
        match self.duplicates.as_deref() {
            Some("keep") => rules.duplicates.drop_exact = false,
            Some(identity) => {
                rules.duplicates.drop_exact = true;
                rules.duplicates.identity = match identity {
                    "pixels" => Identity::Pixels,
                    _ => Identity::File,
                };
            }
            None => {}
        }
        set_some(&mut rules.duplicates.near_distance, self.near_duplicates);

        let captions = &mut rules.captions;
        set(&mut captions.min_characters, self.min_characters);
        set_some(&mut captions.max_characters, self.max_characters);
        set(&mut captions.min_words, self.min_words);
        set_some(&mut captions.max_words, self.max_words);
        set_some(&mut captions.max_tokens, self.max_tokens);
        if !self.placeholder.is_empty() {
            captions.placeholders.clone_from(&self.placeholder);
        }
        set_some(&mut captions.max_placeholder_run, self.max_placeholder_run);
        set_some(
            &mut captions.max_images_per_caption,
            self.max_images_per_caption,
        );
        for rule in &self.keep {
            match rule.as_str() {
                "control_characters" => captions.drop_control_characters = false,
                "replacement_characters" => captions.drop_replacement_characters = false,
                "mojibake" => captions.drop_mojibake = false,
                "html" => captions.drop_html = false,
                "placeholders" => captions.placeholders.clear(),
                _ => captions.drop_repeated = false,
            }
        }
        rules.validate()?;
        Ok(rules)
    }
}

fn set<T: Copy>(value: &mut T, option: Option<T>) {
    *value = option.unwrap_or(*value);
}

fn set_some<T: Copy>(value: &mut Option<T>, option: Option<T>) {
    *value = option.or(*value);
}
