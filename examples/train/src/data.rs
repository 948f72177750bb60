//! From settings to loaders.

use std::path::PathBuf;

use datasets::{CaptionChoice, Columns, Dataset, Loader, LoaderConfig, Options, Shuffle};
use preprocess::text::{Language, UNDETERMINED, language};
use report::{Program, Progress};

use crate::Start;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Settings, Task};

/// The loader of what is learnt.
pub(crate) fn training(
    settings: &Settings,
    start: &Start,
    output: &Output,
    program: &Program,
) -> Result<Loader, Error> {
    let config = LoaderConfig {
        batch_size: settings.training.per_device_train_batch_size,
        seed: settings.training.seed,
        captions: settings.data.captions,
        languages: learnt(settings, start),
        threads: settings.data.threads,
        augmentations: settings.data.augmentations.clone(),
        ..LoaderConfig::default()
    };
    loader(
        settings,
        &settings.data.train_files,
        config,
        start,
        output,
        program,
    )
}

/// The loader of what is evaluated: all captions, in order, without augmentations.
pub(crate) fn validation(
    settings: &Settings,
    start: &Start,
    output: &Output,
    program: &Program,
) -> Result<Loader, Error> {
    let config = LoaderConfig {
        batch_size: settings.evaluation.batch_size,
        shuffle: Shuffle::Off,
        captions: CaptionChoice::All,
        languages: learnt(settings, start),
        threads: settings.data.threads,
        ..LoaderConfig::default()
    };
    loader(
        settings,
        &settings.data.validation_files,
        config,
        start,
        output,
        program,
    )
}

/// The codes of the languages of captions: those of the settings, or all that the tokenizer knows, so that captions in
/// others are passed over. None for labels, which are in no language, and for models that have no codes of languages.
fn learnt(settings: &Settings, start: &Start) -> Vec<String> {
    let named = &settings.data.languages;
    if !named.is_empty() || settings.task == Task::Classification {
        return named.clone();
    }
    let known = start.tokenizer.languages();
    known
        .map(|(language, _)| language.code.to_owned())
        .collect()
}

/// The languages that the settings name.
pub(crate) fn languages(settings: &Settings) -> Result<Vec<Language>, Error> {
    let names = settings.data.languages.iter();
    names.map(|name| found(name)).collect()
}

fn found(name: &str) -> Result<Language, Error> {
    language(name).ok_or_else(|| Error::Language(name.to_owned()))
}

/// How the data is read.
pub(crate) fn options(settings: &Settings) -> Result<Options, Error> {
    let mut options = Options::default();
    if let Some(folder) = &settings.data.image_folder {
        options = options.with_image_folder(folder);
    }
    if let Some(name) = &settings.data.caption_column {
        options = options.with_columns(Columns::default().with_caption(name));
    }
    // Labels are in no language.
    let labels = (settings.task == Task::Classification).then_some("en");
    if let Some(name) = settings.data.language.as_deref().or(labels) {
        options = options.with_language(found(name)?);
    }
    Ok(options)
}

fn loader(
    settings: &Settings,
    files: &[PathBuf],
    config: LoaderConfig,
    start: &Start,
    output: &Output,
    program: &Program,
) -> Result<Loader, Error> {
    let mut options = options(settings)?.with_index_folder(output.index_folder());
    if options.language.is_none() && start.tokenizer.languages().next().is_none() {
        // The model learns one language, whichever it is.
        options = options.with_language(UNDETERMINED);
    }
    let progress = Progress::spinner();
    let dataset = Dataset::open_all(files, &options)?.index_with(&mut |count| {
        progress.set_message(&format!("{count} images found"));
    })?;
    progress.finish();
    let skipped = dataset.skip_counts().total();
    if skipped > 0 {
        let first = dataset.skipped().next();
        let first = first.map_or_else(String::new, |skipped| format!(", the first: {skipped}"));
        program.message(format!(
            "{skipped} rows can't be used and are skipped{first}"
        ));
    }
    Ok(Loader::new(dataset, start.processor.clone(), config)?)
}
