use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// The classes that a classifier tells apart, and how many labels an image has at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Classes {
    names: Vec<String>,
    tokens: HashMap<String, u32>,
    max_labels: usize,
}

/// The form of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    max_labels: usize,
    classes: Vec<String>,
}

/// The largest number of labels of an image: more is a mistake.
const MAX_LABELS: usize = 1000;

impl Classes {
    /// What rows of labels are filled up with, and what the first label follows.
    pub const PADDING: u32 = 0;
    /// The token after the last label of an image.
    pub const END: u32 = 1;
    /// The token of the first class.
    const FIRST: u32 = 2;

    /// The classes of these images, each with its labels, in the order of the alphabet.
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if there are no labels, or an image has more than a thousand.
    pub fn of<L: IntoIterator<Item: AsRef<str>>>(
        images: impl IntoIterator<Item = L>,
    ) -> Result<Self, TrainingError> {
        let (mut names, mut max_labels) = (BTreeSet::<String>::new(), 0);
        for labels in images {
            let mut count = 0;
            for label in labels {
                count += 1;
                let label = label.as_ref();
                if !names.contains(label) {
                    names.insert(label.to_owned());
                }
            }
            max_labels = max_labels.max(count);
        }
        Self::new(names.into_iter().collect(), max_labels).map_err(TrainingError::Batch)
    }

    fn new(names: Vec<String>, max_labels: usize) -> Result<Self, String> {
        if names.is_empty() {
            return Err("there are no labels".into());
        }
        if !(1..=MAX_LABELS).contains(&max_labels) {
            return Err(format!(
                "an image has {max_labels} labels, expected 1 to {MAX_LABELS}"
            ));
        }
        let tokens: HashMap<String, u32> = names.iter().cloned().zip(Self::FIRST..).collect();
        if tokens.len() < names.len() {
            return Err("a class is there twice".into());
        }
        Ok(Self {
            names,
            tokens,
            max_labels,
        })
    }

    /// The names of the classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The largest number of labels that an image has.
    pub fn max_labels(&self) -> usize {
        self.max_labels
    }

    /// The number of tokens: those of the classes, the padding and the end.
    pub fn vocab_size(&self) -> usize {
        Self::FIRST as usize + self.names.len()
    }

    /// The tokens of an image's labels, and the end.
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if a label is no class, or there are too many.
    pub fn encode<'a>(
        &self,
        labels: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<u32>, TrainingError> {
        let mut tokens = Vec::new();
        for label in labels {
            let token = self.tokens.get(label);
            tokens.push(*token.ok_or_else(|| {
                TrainingError::Batch(format!("the label {label:?} is none of the classes"))
            })?);
        }
        if tokens.len() > self.max_labels {
            return Err(TrainingError::Batch(format!(
                "an image has {} labels, expected at most {}",
                tokens.len(),
                self.max_labels
            )));
        }
        tokens.push(Self::END);
        Ok(tokens)
    }

    /// The labels of tokens, up to the end.
    pub fn decode(&self, tokens: &[u32]) -> Vec<&str> {
        let labels = tokens.iter().take_while(|token| **token != Self::END);
        labels
            .filter_map(|token| {
                let class = token.checked_sub(Self::FIRST)?;
                self.names.get(class as usize).map(String::as_str)
            })
            .collect()
    }
}

impl TryFrom<Stored> for Classes {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        Self::new(stored.classes, stored.max_labels)
    }
}

impl From<Classes> for Stored {
    fn from(classes: Classes) -> Self {
        Self {
            max_labels: classes.max_labels,
            classes: classes.names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_tokens_and_labels_again() {
        let classes = Classes::of([vec!["red", "cat"], vec!["red", "dog", "cat"]]).unwrap();
        assert_eq!(classes.names(), ["cat", "dog", "red"]);
        assert_eq!((classes.max_labels(), classes.vocab_size()), (3, 5));
        let tokens = classes.encode(["red", "cat"]).unwrap();
        assert_eq!(tokens, [4, 2, Classes::END]);
        assert_eq!(classes.decode(&tokens), ["red", "cat"]);
        assert!(classes.encode(["bird"]).is_err());
        assert!(classes.encode(["cat"; 4]).is_err());
        assert!(Classes::of::<[&str; 0]>([]).is_err());
    }

    #[test]
    fn files_of_other_classes_are_refused() {
        let classes = Classes::of([["cat"]]).unwrap();
        let json = serde_json::to_string(&classes).unwrap();
        assert_eq!(serde_json::from_str::<Classes>(&json).unwrap(), classes);
        for json in [
            r#"{"max_labels": 1, "classes": []}"#,
            r#"{"max_labels": 0, "classes": ["a"]}"#,
            r#"{"max_labels": 1, "classes": ["a", "a"]}"#,
        ] {
            assert!(serde_json::from_str::<Classes>(json).is_err(), "{json}");
        }
    }
}
