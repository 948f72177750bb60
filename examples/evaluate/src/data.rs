use std::io::{IsTerminal, stderr};

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
        let found = language(text.trim());
        options.language = Some(found.ok_or_else(|| StartError::Language(text.clone()))?);
    }
    Ok(Dataset::open_all(&arguments.data, &options)?)
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
