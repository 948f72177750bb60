use std::io::{IsTerminal, stderr};

use captioning::{Captioner, Language, UNDETERMINED};
use datasets::{Dataset, Options};
use preprocess::text::language;
use report::Progress;

use crate::arguments::Arguments;
use crate::error::StartError;

const BAR: &str = "{bar:30} {pos}/{len} pictures, {per_sec}, {eta} left";
const SPINNER: &str = "{spinner} {pos} pictures, {per_sec}, {elapsed}";

/// Opens the data set that the arguments name.
pub(crate) fn open(arguments: &Arguments) -> Result<Dataset, StartError> {
    let mut options = Options::default();
    options.image_folder.clone_from(&arguments.image_folder);
    if let Some(text) = &arguments.language {
        options.language = Some(found("--language", text)?);
    }
    Ok(Dataset::open_all(&arguments.data, &options)?)
}

/// The languages of captions that are evaluated, as the user names them; all if empty.
pub(crate) fn languages(
    captioner: &Captioner,
    names: &[String],
) -> Result<Vec<Language>, StartError> {
    if captioner.languages() != [UNDETERMINED] {
        return Ok(captioner::languages(captioner, names)?);
    }
    // Only the data has languages.
    let languages = names.iter().map(|text| found("--lang", text));
    let languages: Vec<Language> = languages.collect::<Result<_, _>>()?;
    match languages[..] {
        [first, second, ..] => Err(StartError::SeveralLanguages {
            first: first.code,
            second: second.code,
        }),
        _ => Ok(languages),
    }
}

fn found(option: &'static str, text: &str) -> Result<Language, StartError> {
    language(text.trim()).ok_or_else(|| StartError::Language {
        option,
        text: text.to_owned(),
    })
}

/// A bar whose length is counted first, if there is somebody to see it.
pub(crate) fn progress(data: &Dataset) -> Progress {
    if !stderr().is_terminal() {
        return Progress::hidden();
    }
    let counting = Progress::spinner();
    counting.set_message("counting");
    let index = data.index();
    counting.finish();
    match index {
        Ok(index) => Progress::bar(index.len(), BAR),
        // What can't be counted is named when it is read.
        Err(_) => Progress::bar(0, SPINNER),
    }
}
