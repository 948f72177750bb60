//! A single changed id, language code or text of a tokenizer reference is found.

use std::ffi::OsStr;

use serde_json::Value;

use crate::folders::{Folder, positions};
use crate::run::verify;

const REFERENCE: &str = "tokenizer.json.reference";
const CLASS_REFERENCE: &str = "reference.json";

/// A change of the value at a JSON pointer of the reference.
struct Change {
    pointer: String,
    /// Returns the changed value.
    change: Box<dyn Fn(&Value) -> Value>,
}

fn at(pointer: impl Into<String>, change: impl Fn(&Value) -> Value + 'static) -> Change {
    Change {
        pointer: pointer.into(),
        change: Box::new(change),
    }
}

/// Checks that the program finds each change of the original reference.
fn assert_found(changes: impl IntoIterator<Item = Change>) {
    let folder = Folder::of_text();
    let original = folder.read_json(REFERENCE);
    for Change { pointer, change } in changes {
        let mut changed = original.clone();
        let value = changed.pointer_mut(&pointer).unwrap();
        *value = change(value);
        assert_ne!(changed, original, "{pointer}");
        folder.write_json(REFERENCE, &changed);
        let run = verify([OsStr::new("text"), folder.path().as_os_str()]);
        assert_eq!(run.code, Some(1), "{pointer}\n{}{}", run.output, run.errors);
    }
}

fn one_more(value: &Value) -> Value {
    (value.as_u64().unwrap() + 1).into()
}

#[test]
fn changed_sizes_and_ids_of_special_tokens_are_found() {
    assert_found([
        at("/vocab_size", one_more),
        at("/mask", one_more),
        at("/languages/ar_AR", one_more),
        at("/languages/en_XX", one_more),
        at("/languages/sl_SI", one_more),
    ]);
}

#[test]
fn missing_and_additional_language_codes_are_found() {
    assert_found([
        at("/languages", |languages| {
            let mut fewer = languages.clone();
            fewer.as_object_mut().unwrap().remove("de_DE");
            fewer
        }),
        at("/languages", |languages| {
            let mut more = languages.clone();
            more["xx_XX"] = 1.into();
            more
        }),
    ]);
}

#[test]
fn changed_ids_are_found() {
    let reference = Folder::of_text().read_json(REFERENCE);
    let encodings = reference["encodings"].as_array().unwrap();
    let mut changes = Vec::new();
    for (row, encoding) in encodings.iter().enumerate() {
        for field in ["ids", "ids_max16"] {
            for index in positions(encoding[field].as_array().unwrap().len()) {
                changes.push(at(format!("/encodings/{row}/{field}/{index}"), one_more));
            }
            changes.push(at(format!("/encodings/{row}/{field}"), |ids| {
                let ids = ids.as_array().unwrap();
                ids[..ids.len() - 1].into()
            }));
        }
    }
    assert!(changes.len() > 80);
    assert_found(changes);
}

#[test]
fn changed_texts_and_codes_are_found() {
    let reference = Folder::of_text().read_json(REFERENCE);
    let rows = reference["encodings"].as_array().unwrap().len();
    let mut changes = Vec::new();
    for row in 0..rows {
        for field in ["text", "decoded", "decoded_with_special"] {
            changes.push(at(format!("/encodings/{row}/{field}"), |text| {
                format!("{}z", text.as_str().unwrap()).into()
            }));
        }
        for code in ["hr_HR", "xx_XX", ""] {
            changes.push(at(format!("/encodings/{row}/lang"), move |_| code.into()));
        }
    }
    assert_found(changes);
}

#[test]
fn changed_values_of_other_classes_are_found() {
    let folder = Folder::of_class("bert-json");
    let original = folder.read_json(CLASS_REFERENCE);
    let mut changes = vec![at("/vocab_size", one_more)];
    for (list, fields) in [
        (
            "encodings",
            &["text", "decoded", "decoded_with_special"][..],
        ),
        ("decodings", &["decoded"]),
    ] {
        for (row, case) in original[list].as_array().unwrap().iter().enumerate() {
            for index in positions(case["ids"].as_array().unwrap().len()) {
                // The first id that is no special token, whatever it was: a neighbour may be special too.
                changes.push(at(format!("/{list}/{row}/ids/{index}"), |id| {
                    let other = if *id == 5 { 6 } else { 5 };
                    other.into()
                }));
            }
            for field in fields {
                // A word more: a letter more may be another unknown word, with the same id.
                changes.push(at(format!("/{list}/{row}/{field}"), |text| {
                    format!("{} dog", text.as_str().unwrap()).into()
                }));
            }
        }
    }
    assert!(changes.len() > 100);
    for Change { pointer, change } in changes {
        let mut changed = original.clone();
        let value = changed.pointer_mut(&pointer).unwrap();
        *value = change(value);
        folder.write_json(CLASS_REFERENCE, &changed);
        let run = verify([OsStr::new("text"), folder.path().as_os_str()]);
        assert_eq!(run.code, Some(1), "{pointer}\n{}{}", run.output, run.errors);
    }
}
