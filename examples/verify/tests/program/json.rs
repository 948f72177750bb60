//! `--json` prints one object per line, whatever is compared.

use std::ffi::OsStr;

use serde_json::Value;

use crate::folders::Folder;
use crate::run::verify;

fn assert_documented(comparison: &Value) {
    let object = comparison.as_object().unwrap();
    let mut fields: Vec<&str> = object.keys().map(String::as_str).collect();
    fields.retain(|field| *field != "reason");
    fields.sort();
    let documented = [
        "cases",
        "difference",
        "equal",
        "status",
        "tolerance",
        "what",
    ];
    assert_eq!(fields, documented);
    assert!(object["what"].is_string());
    let number = |field: &str| object[field].is_null() || object[field].is_f64();
    assert!(number("difference") && number("tolerance"), "{comparison}");
    let (equal, cases) = (&object["equal"], &object["cases"]);
    assert!(equal.as_u64() <= cases.as_u64() && cases.is_u64());
    match object["status"].as_str().unwrap() {
        "ok" => assert!(equal == cases && !object.contains_key("reason")),
        "differs" => {}
        "not_run" => assert!(object["reason"].is_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn every_line_is_an_object_with_the_same_fields() {
    let (model, images, text) = (
        Folder::copy_of("hf-wide"),
        Folder::copy_of("images"),
        Folder::of_text(),
    );
    for (command, folder) in [("model", &model), ("images", &images), ("text", &text)] {
        // The option is accepted before the command and after it.
        for json_first in [true, false] {
            let folder = folder.path().as_os_str();
            let [command, json] = [command, "--json"].map(OsStr::new);
            let arguments = match json_first {
                true => [json, command, folder],
                false => [command, folder, json],
            };
            let run = verify(arguments);
            let comparisons = run.comparisons();
            assert!(comparisons.len() > 4, "{}", run.output);
            comparisons.iter().for_each(assert_documented);
        }
    }
}

#[test]
fn a_comparison_that_differs_names_the_case() {
    let folder = Folder::of_text();
    let mut reference = folder.read_json("tokenizer.json.reference");
    reference["encodings"][2]["ids"][1] = 11.into();
    folder.write_json("tokenizer.json.reference", &reference);
    let run = verify([
        OsStr::new("text"),
        folder.path().as_os_str(),
        OsStr::new("--json"),
    ]);
    let differing = run.with_status("differs");
    differing.iter().for_each(assert_documented);
    let reason = differing[0]["reason"].as_str().unwrap();
    assert!(reason.contains("lt_LT \"a dog on a beach\""), "{reason}");
}
