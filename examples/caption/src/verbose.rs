//! What `--verbose` says.

use std::path::Path;

use captioning::Captioner;
use checkpoint::WeightsForm;
use report::Program;

use crate::arguments::Arguments;
use crate::choice::Origin;
use crate::options::Chosen;

/// Says what was loaded and which options are used.
pub(crate) fn say(
    program: &Program,
    arguments: &Arguments,
    captioner: &Captioner,
    folder: Option<&Path>,
    chosen: &Chosen,
) {
    let model = match folder {
        Some(folder) => format!("{}, {}", report::name(folder), forms(folder)),
        None => "the embedded model".into(),
    };
    program.message(format_args!(
        "model: {model}, stored as {}",
        captioner.precision()
    ));
    let memory = match captioner.format() {
        Some(format) => format!("packed as {format}"),
        None => "ordinary f32 tensors".into(),
    };
    let kernel = match captioner.kernel() {
        Some(kernel) => format!("kernel {kernel}"),
        None => "Burn's own operations".into(),
    };
    let device = &arguments.model.device;
    program.message(format_args!(
        "weights in memory: {memory}, {kernel}, device {device}"
    ));
    for (name, option) in &chosen.records {
        let from = match option.from {
            Origin::User => "user",
            Origin::Checkpoint => "checkpoint",
            Origin::Default => "default",
        };
        program.message(format_args!("option {name}: {} ({from})", option.value));
    }
    for note in &chosen.notes {
        program.message(note);
    }
}

/// The files of weights that a folder has.
fn forms(folder: &Path) -> String {
    let forms = WeightsForm::ALL.map(WeightsForm::file);
    let found = forms.into_iter().filter(|file| folder.join(file).exists());
    found.collect::<Vec<_>>().join(" and ")
}
