//! What Unicode calls things, in the languages of the captions.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::caption::Language;
use crate::error::Error;
use crate::packages::read_json;

/// Names by language and emoji.
#[derive(Debug)]
pub(crate) struct Names([HashMap<String, Annotation>; Language::ALL.len()]);

#[derive(Debug, Deserialize)]
struct Annotation {
    /// What a screen reader says.
    #[serde(default)]
    tts: Vec<String>,
}

#[derive(Deserialize)]
struct Annotations {
    annotations: HashMap<String, Annotation>,
}

#[derive(Deserialize)]
struct File {
    annotations: Annotations,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DerivedFile {
    annotations_derived: Annotations,
}

impl Names {
    /// Reads the names of CLDR.
    pub(crate) fn read(packages: &Path) -> Result<Self, Error> {
        let mut names = Self(Default::default());
        for (language, names) in Language::ALL.into_iter().zip(&mut names.0) {
            let file = |package: &str, folder: &str| {
                let folder = packages.join(package).join(folder);
                folder.join(language.code()).join("annotations.json")
            };
            let derived = file("cldr-annotations-derived-full", "annotationsDerived");
            let derived: DerivedFile = read_json(&derived)?;
            names.extend(derived.annotations_derived.annotations);
            let ordinary: File = read_json(&file("cldr-annotations-full", "annotations"))?;
            names.extend(ordinary.annotations.annotations);
        }
        Ok(names)
    }

    /// The names of an emoji, in the order of [`Language::ALL`]; `None` if a language has none.
    pub(crate) fn of(&self, emoji: &str) -> Option<[String; Language::ALL.len()]> {
        let mut names: [String; Language::ALL.len()] = Default::default();
        for (name, annotations) in names.iter_mut().zip(&self.0) {
            let spoken = annotations.get(emoji)?.tts.first()?;
            name.clone_from(spoken);
        }
        names.iter().all(|name| !name.is_empty()).then_some(names)
    }
}
