//! Unchanged references: everything that can be compared is equal, and the rest is named.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use generation::GenerationConfig;
use serde_json::Value;

use crate::folders::{Folder, add, folders_in, shared};
use crate::run::{Run, verify};

/// Checks that nothing differs in the cases and so many tensors, and that only cases with unsupported options were not
/// run.
fn assert_agrees(run: &Run, reference: &Path, tensors: usize) {
    let json = fs::read(reference.join("reference.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let cases = json["cases"].as_array().unwrap();
    let unsupported: Vec<(String, String)> = cases
        .iter()
        .filter_map(|case| {
            let names = GenerationConfig::unsupported_options(case["options"].as_object().unwrap());
            let reason = format!("unsupported: {}", names.join(", "));
            (!names.is_empty()).then(|| (format!("generate {}", case["options"]), reason))
        })
        .collect();
    let not_run: Vec<(String, String)> = run
        .with_status("not_run")
        .iter()
        .map(|comparison| {
            let text = |field: &str| comparison[field].as_str().unwrap().to_owned();
            (text("what"), text("reason"))
        })
        .collect();
    assert_eq!(not_run, unsupported);
    assert!(run.with_status("differs").is_empty(), "{}", run.output);
    let expected = if unsupported.is_empty() { 0 } else { 3 };
    assert_eq!(run.code, Some(expected), "{}{}", run.output, run.errors);

    // Two comparisons for each case, its texts and its log-probabilities.
    let run_cases = cases.len() - unsupported.len();
    assert!(run_cases > 15);
    assert_eq!(run.with_status("ok").len(), 2 * run_cases + tensors);
}

/// [`assert_agrees`] for a model with CLIP's encoder, whose pooled output is compared too.
fn assert_model_agrees(run: &Run, reference: &Path) {
    assert_agrees(run, reference, 4);
}

#[test]
fn the_wide_model_agrees() {
    let folder = Folder::copy_of("hf-wide");
    let run = verify([
        OsStr::new("model"),
        folder.path().as_os_str(),
        OsStr::new("--json"),
    ]);
    assert_model_agrees(&run, folder.path());
}

/// References of other searches and options, made with versions of transformers that have them.
const OTHER_FILES: [&str; 3] = [
    "reference_options.json",
    "reference_group_beam.json",
    "reference_contrastive.json",
];

#[test]
fn other_searches_and_options_agree() {
    let folder = Folder::copy_of("hf-wide");
    for file in OTHER_FILES {
        let run = |folder: &Folder| {
            verify([
                OsStr::new("model"),
                folder.path().as_os_str(),
                OsStr::new("--json"),
                OsStr::new("--reference-file"),
                OsStr::new(file),
            ])
        };
        let agreeing = run(&folder);
        assert_eq!(
            agreeing.code,
            Some(0),
            "{}{}",
            agreeing.output,
            agreeing.errors
        );

        // A changed token of any case is found.
        let reference = folder.read_json(file);
        for case in 0..reference["cases"].as_array().unwrap().len() {
            let mut changed = reference.clone();
            let token = &mut changed["cases"][case]["sequences"][1][2];
            *token = (token.as_u64().unwrap() + 1).into();
            folder.write_json(file, &changed);
            let run = run(&folder);
            assert_eq!(run.code, Some(1), "{case} of {file}\n{}", run.output);
        }
        folder.write_json(file, &reference);
    }
}

#[test]
fn cases_that_another_run_can_not_repeat_are_not_run() {
    let folder = Folder::copy_of("hf-wide");
    let mut reference = folder.read_json("reference.json");
    for (option, value, reason) in [
        ("do_sample", Value::from(true), "draws other texts"),
        ("max_time", 0.5.into(), "depends on the machine"),
        ("stop_strings", ".".into(), "need a tokenizer"),
    ] {
        reference["cases"][0]["options"] = serde_json::json!({ option: value });
        let only = reference["cases"][0].clone();
        reference["cases"] = serde_json::json!([only]);
        folder.write_json("reference.json", &reference);
        let run = verify([
            OsStr::new("model"),
            folder.path().as_os_str(),
            OsStr::new("--json"),
        ]);
        assert_eq!(run.code, Some(3), "{}{}", run.output, run.errors);
        let not_run = run.with_status("not_run");
        assert!(not_run[0]["reason"].as_str().unwrap().contains(reason));
    }
}

#[test]
fn the_shared_models_agree() {
    for name in ["hf-projected", "hf-same-width", "hf-wide"] {
        let Some(folder) = shared(name) else { return };
        let run = verify([
            OsStr::new("model"),
            folder.as_os_str(),
            OsStr::new("--json"),
        ]);
        assert_model_agrees(&run, &folder);
    }
}

#[test]
fn the_shared_models_of_other_families_agree() {
    for name in [
        "deit-roberta",
        "deit-trocr",
        "donut-mbart",
        "swin-gpt2",
        "swin-mbart",
        "vit-bert",
        "vit-gpt2",
        "vit-trocr",
    ] {
        let Some(folder) = shared(&format!("auto/{name}")) else {
            return;
        };
        let run = verify([
            OsStr::new("model"),
            folder.as_os_str(),
            OsStr::new("--json"),
        ]);
        assert_agrees(&run, &folder, 3);
    }
}

/// Compares weights in another form with the reference of `hf-projected`.
fn run_form(form: &str) -> Option<(Run, PathBuf)> {
    let (folder, reference) = (shared(&format!("formats/{form}"))?, shared("hf-projected")?);
    let run = verify([
        OsStr::new("model"),
        folder.as_os_str(),
        OsStr::new("--reference"),
        reference.as_os_str(),
        OsStr::new("--json"),
    ]);
    Some((run, reference))
}

#[test]
fn weights_in_other_forms_agree() {
    for form in ["v4-keys", "sharded", "pytorch"] {
        let Some((run, reference)) = run_form(form) else {
            return;
        };
        assert_model_agrees(&run, &reference);
    }
}

#[test]
fn weights_of_half_precision_agree_within_their_rounding() {
    for (form, logits) in [("float16", 0.01..0.1), ("bfloat16", 0.1..0.8)] {
        let Some((run, _)) = run_form(form) else {
            return;
        };
        assert!(run.with_status("differs").is_empty(), "{}", run.output);
        assert_eq!(run.code, Some(0), "{}", run.errors);
        let comparisons = run.comparisons();
        let found = comparisons
            .iter()
            .find(|comparison| comparison["what"] == "logits");
        let difference = found.unwrap()["difference"].as_f64().unwrap();
        assert!(logits.contains(&difference), "{form}: {difference}");
    }
}

/// Checks that the pixels equal those of each mode.
fn assert_images_agree(arguments: &[&OsStr], tensors: usize) {
    let run = verify([&[OsStr::new("images"), OsStr::new("--json")], arguments].concat());
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    assert_eq!(run.with_status("ok").len(), tensors);
    for comparison in run.with_status("ok") {
        let what = comparison["what"].as_str().unwrap();
        let difference = comparison["difference"].as_f64().unwrap();
        // The program allows one level, but our resize equals the reference to the last bit. Without antialias, a
        // pixel that two decoders of JPEG see differently counts more.
        let allowed = match what.contains(".jpg") {
            false => 0.0,
            true if what.contains("seed-training") => 4.0,
            true => 2.0,
        };
        assert!(difference <= allowed, "{comparison}");
    }
}

#[test]
fn the_pixels_of_a_few_images_agree() {
    let folder = Folder::copy_of("images");
    assert_images_agree(&[folder.path().as_os_str()], 5);
}

#[test]
fn the_pixels_of_the_shared_images_agree_in_all_three_modes() {
    if let Some(folder) = shared("images") {
        assert_images_agree(&[folder.as_os_str()], 3 * 14);
    }
}

#[test]
fn the_pixels_of_other_image_processors_agree() {
    let Some(images) = shared("images/images") else {
        return;
    };
    let Some(references) = shared("auto-images") else {
        return;
    };
    for entry in std::fs::read_dir(references).unwrap() {
        let folder = entry.unwrap().path();
        let images = [OsStr::new("--images"), images.as_os_str()];
        assert_images_agree(&[&[folder.as_os_str()], &images[..]].concat(), 14);
    }
}

#[test]
fn a_mode_that_is_not_known_is_named() {
    let folder = Folder::copy_of("images");
    let (known, unknown) = (b"torchvision/tiny.png", b"another-way/tiny.png");
    let mut bytes = folder.read("pixels.safetensors");
    let place = bytes.windows(known.len()).position(|part| part == known);
    bytes[place.unwrap()..][..known.len()].copy_from_slice(unknown);
    folder.write("pixels.safetensors", bytes);
    let run = verify([OsStr::new("images"), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(3), "{}{}", run.output, run.errors);
    assert!(
        run.output.contains("unsupported: mode another-way"),
        "{}",
        run.output
    );
}

/// The option lays a transparent picture on a ground, which the reference does not.
#[test]
fn what_to_do_with_transparency_is_an_option() {
    let Some(folder) = shared("images") else {
        return;
    };
    let run = |alpha: &str| {
        let alpha = [OsStr::new("--alpha"), OsStr::new(alpha)];
        verify([&[OsStr::new("images"), folder.as_os_str()], &alpha[..]].concat())
    };
    assert_eq!(run("drop").code, Some(0));
    for ground in ["white", "black"] {
        let run = run(ground);
        assert_eq!(run.code, Some(1));
        assert!(
            run.output.contains("DIFFERS pillow/alpha.png"),
            "{}",
            run.output
        );
        assert!(run.output.contains("3 differ"), "{}", run.output);
    }
    assert_eq!(run("grey").code, Some(2));
}

#[test]
fn the_small_tokenizer_agrees() {
    let run = verify([OsStr::new("text"), Folder::of_text().path().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
}

#[test]
fn the_published_tokenizer_agrees() {
    let Some(folder) = shared("text") else { return };
    let run = verify([OsStr::new("text"), folder.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
}

#[test]
fn tokenizers_of_other_classes_agree() {
    let mut folders = Folder::of_classes();
    if let Some(shared) = shared("auto-text") {
        folders.extend(folders_in(&shared));
    }
    assert!(folders.len() >= 10);
    for folder in folders {
        let run = verify([OsStr::new("text"), folder.as_os_str()]);
        assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
        assert!(run.output.contains("5 comparisons hold"), "{}", run.output);
    }
}

#[test]
fn a_tokenizer_that_can_only_decode_is_not_run_on_texts() {
    let folder = Folder::of_class("characters");
    let config = r#"{"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}"#;
    folder.write("tokenizer_config.json", config);
    let run = verify([OsStr::new("text"), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(3), "{}{}", run.output, run.errors);
    assert!(run.output.contains("MeCab"), "{}", run.output);
}

#[test]
fn options_within_those_of_a_processor_are_read() {
    let Some(references) = shared("auto-images") else {
        return;
    };
    let folder = Folder::empty();
    let options =
        std::fs::read_to_string(references.join("deit/preprocessor_config.json")).unwrap();
    let options =
        format!(r#"{{"image_processor": {options}, "processor_class": "TrOCRProcessor"}}"#);
    folder.write("processor_config.json", options);
    let pixels = std::fs::read(references.join("deit/pixels.safetensors")).unwrap();
    folder.write("pixels.safetensors", pixels);
    let images = references.join("../images/images");
    let images = [OsStr::new("--images"), images.as_os_str()];
    assert_images_agree(&[&[folder.path().as_os_str()], &images[..]].concat(), 14);
}

#[test]
fn an_image_without_a_tensor_is_not_run() {
    let folder = Folder::copy_of("images");
    folder.write("images/new.png", folder.read("images/tiny.png"));
    let run = verify([OsStr::new("images"), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(3));
    assert!(
        run.output.contains("not run images/new.png"),
        "{}",
        run.output
    );
}

#[test]
fn an_unknown_tensor_is_not_run() {
    let folder = Folder::copy_of("hf-wide");
    let mut bytes = folder.read("reference.safetensors");
    let name = b"encoder_pooler_output";
    let start = bytes
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    bytes[start..start + name.len()].copy_from_slice(b"encoder_pooled_values");
    folder.write("reference.safetensors", bytes);
    let run = verify([OsStr::new("model"), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(3));
    assert!(
        run.output.contains("not run encoder_pooled_values"),
        "{}",
        run.output
    );
}

/// Two comparisons for each case, its tokens and its texts, two tensors and three of the tokenizer.
#[test]
fn the_shared_translation_model_agrees() {
    let Some(folder) = shared("auto/marian") else {
        return;
    };
    let run = verify([
        OsStr::new("model"),
        folder.as_os_str(),
        OsStr::new("--json"),
    ]);
    let not_ok = [run.with_status("differs"), run.with_status("not_run")].concat();
    assert!(not_ok.is_empty(), "{}", run.output);
    assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);
    let json = fs::read(folder.join("reference.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let cases = json["cases"].as_array().unwrap().len();
    assert_eq!(run.with_status("ok").len(), 2 * cases + 5);
}

/// The small translation models of `pretrained`, which have no tokenizer.
#[test]
fn translation_models_agree_and_a_changed_value_is_found() {
    for name in ["shared", "separate", "untied"] {
        let folder = Folder::copy_of(&format!("../../../../pretrained/tests/data/marian/{name}"));
        let arguments = || [OsStr::new("model"), folder.path().as_os_str()];
        let run = verify(arguments());
        assert_eq!(run.code, Some(0), "{}{}", run.output, run.errors);

        let original = folder.read_json("reference.json");
        for changed in ["token", "score"] {
            let mut reference = original.clone();
            match changed {
                "token" => reference["cases"][1]["sequences"][0][2] = 3.into(),
                _ => reference["cases"][1]["sequence_scores"][0] = 0.5.into(),
            }
            folder.write_json("reference.json", &reference);
            assert_eq!(verify(arguments()).code, Some(1), "{changed}");
        }
        folder.write_json("reference.json", &original);
        for tensor in ["encoder_last_hidden_state", "logits"] {
            let bytes = folder.read("reference.safetensors");
            let mut changed = bytes.clone();
            add(&mut changed, tensor, 7, 1e-3);
            folder.write("reference.safetensors", changed);
            assert_eq!(verify(arguments()).code, Some(1), "{tensor}");
            folder.write("reference.safetensors", bytes);
        }
    }
}
