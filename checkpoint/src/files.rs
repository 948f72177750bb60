//! The files of a checkpoint folder, and which of them a program needs.

use std::collections::HashSet;

use crate::error::list;
use crate::form::{WeightsForm, shard_numbers};

/// The model's configuration, which every checkpoint has.
pub const CONFIG: &str = "config.json";

/// The generation options, which newer checkpoints have in a separate file.
pub const GENERATION_CONFIG: &str = "generation_config.json";

/// The configuration of the preprocessing.
pub const PREPROCESSOR_CONFIG: &str = "preprocessor_config.json";

/// The same in newer checkpoints.
pub const PROCESSOR_CONFIG: &str = "processor_config.json";

/// All configurations of a checkpoint; the first is required.
const CONFIGURATIONS: [&str; 4] = [
    CONFIG,
    GENERATION_CONFIG,
    PREPROCESSOR_CONFIG,
    PROCESSOR_CONFIG,
];

/// The files of which each is a tokenizer. Marian's is in several, all of which it needs.
pub(crate) const SUFFICIENT_TOKENIZER: &[&str] = &[
    "tokenizer.json",
    "sentencepiece.bpe.model",
    "source.spm",
    "merges.txt",
    "vocab.txt",
];

/// The files of a tokenizer.
pub(crate) const TOKENIZER: [&str; 11] = [
    SUFFICIENT_TOKENIZER[0],
    SUFFICIENT_TOKENIZER[1],
    SUFFICIENT_TOKENIZER[2],
    SUFFICIENT_TOKENIZER[3],
    SUFFICIENT_TOKENIZER[4],
    "target.spm",
    "vocab.json",
    "target_vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Files that a folder must have and does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {wanted} ({}), found {}", .looked_for.join(", "), found_files(.found))]
#[non_exhaustive]
pub struct MissingFiles {
    /// What is missing, in words.
    pub wanted: &'static str,
    /// The names of the files that were looked for.
    pub looked_for: Vec<String>,
    /// The names of the files that exist.
    pub found: Vec<String>,
}

/// Selects the files of a checkpoint: the configurations, the tokenizer if there is one, and the weights in
/// one form, the first of [`WeightsForm::ALL`] that exists and that this program can read.
///
/// `names` are the names of the files in a folder. Files in its subfolders are ignored.
///
/// # Errors
/// [`MissingFiles`] if there is no `config.json`, there are no weights in a form that this program can
/// read, or shards are missing.
pub fn checkpoint_files(names: &[String]) -> Result<Vec<String>, MissingFiles> {
    let mut files = present(&CONFIGURATIONS, names);
    if !contains(names, CONFIG) {
        return Err(missing(
            "a checkpoint's configuration",
            vec![CONFIG.into()],
            names,
        ));
    }
    files.extend(present(&TOKENIZER, names));
    let readable = || {
        WeightsForm::ALL
            .into_iter()
            .filter(|form| form.is_readable())
    };
    let Some(form) = readable().find(|form| contains(names, form.file())) else {
        let mut looked_for: Vec<String> = readable().map(|form| form.file().into()).collect();
        if !WeightsForm::PyTorch.is_readable() {
            let file = WeightsForm::PyTorch.file();
            looked_for.push(format!("with the feature `pytorch` also {file}"));
        }
        return Err(missing(
            "weights in a form that this program reads",
            looked_for,
            names,
        ));
    };
    files.push(form.file().into());
    // The name of an index contains the stem and the extension of its shards.
    if let Some((stem, extension)) = form
        .file()
        .strip_suffix(".index.json")
        .and_then(|file| file.rsplit_once('.'))
    {
        files.extend(shards(stem, extension, names)?);
    }
    Ok(files)
}

/// Selects the files of a tokenizer: those of `tokenizer.json`, `sentencepiece.bpe.model`, `source.spm`, `merges.txt` and
/// `vocab.txt` that exist, and the files that belong to them.
///
/// `names` are the names of the files in a folder. Files in its subfolders are ignored.
///
/// # Errors
/// [`MissingFiles`] if there is none of these five files.
pub fn tokenizer_files(names: &[String]) -> Result<Vec<String>, MissingFiles> {
    let sufficient = SUFFICIENT_TOKENIZER;
    if present(sufficient, names).is_empty() {
        let looked_for = sufficient.iter().map(|&name| name.into()).collect();
        return Err(missing("a tokenizer", looked_for, names));
    }
    Ok(present(&TOKENIZER, names))
}

/// The shards of a checkpoint, all of which have to exist.
fn shards(stem: &str, extension: &str, names: &[String]) -> Result<Vec<String>, MissingFiles> {
    let name = |index: &str, count: &str| format!("{stem}-{index}-of-{count}.{extension}");
    let mut numbers = names
        .iter()
        .filter_map(|name| shard_numbers(name, stem, extension));
    let count = numbers.next().map(|(_, count)| count);
    let Some(count) = count else {
        return Err(missing(
            "the shards of an index",
            vec![name("*", "*")],
            names,
        ));
    };
    let digits = count.len();
    let mut files = Vec::new();
    // There may be as many shards as files.
    let present: HashSet<&str> = names.iter().map(String::as_str).collect();
    // A number that is too large to parse is larger than the number of files.
    for index in 1..=count.parse().unwrap_or(u64::MAX) {
        let shard = name(&format!("{index:0digits$}"), count);
        if !present.contains(shard.as_str()) {
            return Err(missing("all shards of the weights", vec![shard], names));
        }
        files.push(shard);
    }
    Ok(files)
}

fn present(wanted: &[&str], names: &[String]) -> Vec<String> {
    let wanted = wanted.iter().filter(|name| contains(names, name));
    wanted.map(|&name| name.into()).collect()
}

fn contains(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| name == wanted)
}

fn missing(wanted: &'static str, looked_for: Vec<String>, names: &[String]) -> MissingFiles {
    MissingFiles {
        wanted,
        looked_for,
        found: names.to_vec(),
    }
}

fn found_files(names: &[String]) -> String {
    match names {
        [] => "no files".into(),
        names => list(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn weights(present: &[&str]) -> Result<Vec<String>, MissingFiles> {
        let mut all = names(&["config.json"]);
        all.extend(names(present));
        Ok(checkpoint_files(&all)?.split_off(1))
    }

    const SHARDS: [&str; 3] = [
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];

    #[test]
    fn as_many_shards_as_files_take_proportionate_time() {
        const COUNT: usize = 200_000;
        let shards = (1..=COUNT).map(|n| format!("model-{n:06}-of-{COUNT:06}.safetensors"));
        let mut names: Vec<String> = shards.collect();
        names.extend(["config.json".into(), "model.safetensors.index.json".into()]);
        // A comparison of each with each takes minutes.
        assert_eq!(checkpoint_files(&names).unwrap().len(), COUNT + 2);
    }

    #[test]
    fn only_needed_files_are_selected() {
        let all = names(&[
            "README.md",
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "training_args.bin",
            "preprocessor_config.json",
            "special_tokens_map.json",
            "onnx/model.onnx",
            "sub/config.json",
            "added_tokens.json",
            "tf_model.h5",
        ]);
        let expected = names(&[
            "config.json",
            "preprocessor_config.json",
            "tokenizer.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "model.safetensors",
        ]);
        assert_eq!(checkpoint_files(&all).unwrap(), expected);
        let expected = names(&[
            "tokenizer.json",
            "special_tokens_map.json",
            "added_tokens.json",
        ]);
        assert_eq!(tokenizer_files(&all).unwrap(), expected);
    }

    #[test]
    fn both_languages_of_a_translation_model_are_selected() {
        let all = names(&[
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "rust_model.ot",
            "source.spm",
            "target.spm",
            "tokenizer_config.json",
            "vocab.json",
        ]);
        let mut expected = all.clone();
        expected.retain(|name| name != "rust_model.ot");
        let mut found = checkpoint_files(&all).unwrap();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(tokenizer_files(&all).unwrap().len(), 4);
    }

    #[test]
    fn one_form_of_weights_is_selected_and_safetensors_is_preferred() {
        let flax = "flax_model.msgpack";
        let mut all = vec![flax];
        assert_eq!(weights(&all).unwrap(), [flax]);
        all.push("pytorch_model.bin");
        let expected = if cfg!(feature = "pytorch") {
            "pytorch_model.bin"
        } else {
            flax
        };
        assert_eq!(weights(&all).unwrap(), [expected]);
        all.extend(SHARDS);
        assert_eq!(weights(&all).unwrap(), SHARDS);
        all.push("model.safetensors");
        assert_eq!(weights(&all).unwrap(), ["model.safetensors"]);
    }

    #[test]
    fn all_shards_have_to_exist() {
        let error = weights(&SHARDS[..2]).unwrap_err().to_string();
        assert!(error.contains(SHARDS[2]), "{error}");
        let error = weights(&SHARDS[..1]).unwrap_err().to_string();
        assert!(error.contains("model-*-of-*.safetensors"), "{error}");
        let endless = [
            "model.safetensors.index.json",
            "model-1-of-99999999999999999999.safetensors",
        ];
        assert!(weights(&endless).is_err());
    }

    #[test]
    fn an_error_names_the_missing_files_and_those_that_exist() {
        let message = |present: &[&str]| checkpoint_files(&names(present)).unwrap_err().to_string();
        let no_config = message(&["model.safetensors", "sub/config.json"]);
        assert!(
            no_config.contains("config.json), found model.safetensors, sub/config.json"),
            "{no_config}"
        );
        assert!(message(&[]).contains("found no files"));

        let no_weights = message(&[
            "config.json",
            "tf_model.h5",
            "flax_model.msgpack.index.json",
        ]);
        for name in [
            "model.safetensors",
            "pytorch_model.bin",
            "flax_model.msgpack",
            "tf_model.h5",
        ] {
            assert!(no_weights.contains(name), "{name}: {no_weights}");
        }
        let no_tokenizer = tokenizer_files(&names(&["tokenizer_config.json"]))
            .unwrap_err()
            .to_string();
        assert!(
            no_tokenizer.contains("sentencepiece.bpe.model"),
            "{no_tokenizer}"
        );
    }
}
