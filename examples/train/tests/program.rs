//! The program on a tiny model and a few pictures.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use burn::tensor::Device;
use captioning::Captioner;
use checkpoint::{SaveOptions, StagedFolder};
use generation::GenerationConfig;
use image::{Rgb, RgbImage};
use preprocess::text::Tokenizer;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a tiny checkpoint and data.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        checkpoint(&place.path("model"));
        let mut table = String::from("image_file\tcaption\turl\tlang_id\n");
        for number in 0..10_u32 {
            let shade = 20 * number as u8;
            let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([shade, x as u8, y as u8]));
            picture.save(place.path(&format!("{number}.png"))).unwrap();
            for (language, text) in [("en", "a red thing"), ("fr", "une chose rouge")] {
                table += &format!("{number}.png\t{text} {number}\t\t{language}\n");
            }
        }
        fs::write(place.path("data.tsv"), table).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, output: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
        command
            .args([
                "--model",
                "model",
                "--train-file",
                "data.tsv",
                "--output-dir",
                output,
            ])
            .args(["--per-device-train-batch-size", "3", "--warmup-steps", "2"])
            .current_dir(self.0.path());
        command
    }

    fn run(&self, output: &str, options: &[&str]) -> Output {
        self.command(output).args(options).output().unwrap()
    }
}

/// Saves a tiny model with the vocabulary of the embedded one.
fn checkpoint(folder: &Path) {
    let device = Device::flex();
    let embedded = Captioner::embedded(&device).unwrap();
    let mut config = VisionEncoderDecoderConfig::tiny();
    let pretrained::DecoderConfig::MBart(decoder) = &mut config.decoder else {
        panic!("the decoder is of another family");
    };
    decoder.vocab_size = embedded.tokenizer().vocab_size();
    // Dropout is random, and must be the same after a kill.
    decoder.dropout = 0.1;
    let options = GenerationConfig {
        max_length: Some(12),
        ..embedded.generation_config().clone()
    };
    device.seed(1);
    let model = Pretrained::from_config(config, options, Weights::Ordinary, &device);
    let staged = StagedFolder::new(folder).unwrap();
    model.write(&staged, &SaveOptions::default()).unwrap();
    embedded.tokenizer().save(staged.path()).unwrap();
    staged.commit().unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(
        output.status.success(),
        "{:?}: {}",
        output.status,
        text(&output.stderr)
    );
}

#[test]
fn a_training_writes_checkpoints_tables_events_evaluations_and_a_page() {
    let place = Place::new();
    let options = [
        "--validation-file",
        "data.tsv",
        "--max-steps",
        "6",
        "--eval-steps",
        "3",
        "--save-steps",
        "2",
        "--save-total-limit",
        "2",
        "--json",
        "--set",
        "training.logging_steps=1",
    ];
    let done = place.run("run", &options);
    succeeds(&done);
    let lines: Vec<Value> = text(&done.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let updates: Vec<&Value> = lines
        .iter()
        .filter(|line| line["loss"].is_number())
        .collect();
    assert_eq!(updates.len(), 6);
    let evaluation = lines
        .iter()
        .find(|line| line["evaluation"].is_object())
        .unwrap();
    for name in ["eval_loss", "eval_loss_fr_XX", "eval_bleu4_en_XX"] {
        assert!(
            evaluation["evaluation"][name].is_number(),
            "{name}: {evaluation}"
        );
    }

    let table = fs::read_to_string(place.path("run/updates.csv")).unwrap();
    assert_eq!(table.lines().count(), 7);
    let evaluations = fs::read_to_string(place.path("run/evaluations.jsonl")).unwrap();
    assert_eq!(evaluations.lines().count(), 2);
    let page = fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(page.contains("data:image/jpeg;base64,") && page.contains("une chose rouge"));
    assert!(fs::read_dir(place.path("run/tensorboard")).unwrap().count() == 1);
    assert!(!place.path("run/checkpoint-2").exists());
    // A checkpoint is a captioner.
    Captioner::from_folder(place.path("run/checkpoint-6"), &Device::flex()).unwrap();
}

/// The table of updates and the weights at the end.
fn result(place: &Place, output: &str, last: usize) -> (String, Vec<u8>) {
    let weights = place.path(&format!("{output}/checkpoint-{last}/model.safetensors"));
    (
        fs::read_to_string(place.path(&format!("{output}/updates.csv"))).unwrap(),
        fs::read(weights).unwrap(),
    )
}

#[test]
fn a_training_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let place = Place::new();
    let options = [
        "--max-steps",
        "40",
        "--save-steps",
        "2",
        "--save-total-limit",
        "2",
    ];
    succeeds(&place.run("whole", &options));
    let whole = result(&place, "whole", 40);

    let mut command = place.command("killed");
    command
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let saved = || {
        let entries = fs::read_dir(place.path("killed")).into_iter().flatten();
        entries.count()
    };
    let mut kills = 0;
    while kills < 60 {
        let mut child: Child = command.spawn().unwrap();
        // Not before it has come a little further, and then at another moment each time.
        let (before, start) = (saved(), Instant::now());
        while saved() == before && start.elapsed() < Duration::from_secs(20) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(7 * (kills % 16)));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "after {kills} kills");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    succeeds(&place.run("killed", &options));
    eprintln!("{kills} kills");
    assert!(kills >= 3, "{kills} kills");
    let killed = result(&place, "killed", 40);
    assert_eq!(killed.0, whole.0);
    assert!(killed.1 == whole.1, "the weights differ");
}

#[test]
fn a_training_that_is_interrupted_saves_and_says_how_to_go_on() {
    let place = Place::new();
    let options = ["--max-steps", "100000", "--save-steps", "100000"];
    let mut command = place.command("run");
    command.args(options).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let table = place.path("run/updates.csv");
    let start = Instant::now();
    while fs::read_to_string(&table).is_ok_and(|text| text.lines().count() < 11) || !table.exists()
    {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let message = text(&done.stderr);
    assert!(
        message.contains("the same command goes on from run/checkpoint-"),
        "{message}"
    );

    let next = place.run("run", &["--max-steps", "2", "--save-steps", "100000"]);
    assert_eq!(next.status.code(), Some(2));
    assert!(
        text(&next.stderr).contains("training.max_steps"),
        "{}",
        text(&next.stderr)
    );
}

#[test]
fn what_is_wrong_is_named() {
    let place = Place::new();
    let fails = |options: &[&str], expected: &str| {
        let done = place.run("wrong", options);
        let message = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    };
    fails(&["--eval-steps", "2"], "--validation-file");
    fails(&["--languages", "klingon"], "klingon");
    fails(&["--set", "training.sed=1"], "sed");
    fails(&["--set", "training.learning_rate=-1"], "learning_rate");
    fails(&["--train-file", "nothing.tsv"], "nothing.tsv");
    fs::write(place.path("other.tsv"), "a\tb\n1\t2\n").unwrap();
    fails(&["--train-file", "other.tsv"], "image_file");
}

#[test]
fn pictures_that_vanish_are_named_and_passed_over() {
    let place = Place::new();
    fs::remove_file(place.path("3.png")).unwrap();
    let done = place.run("run", &["--num-train-epochs", "2"]);
    succeeds(&done);
    let message = text(&done.stderr);
    assert_eq!(message.matches("row 8 (3.png)").count(), 2, "{message}");
}

#[test]
fn an_encoder_learns_labels_and_is_then_taught_captions() {
    let place = Place::new();
    let (red, blue) = (Rgb([220, 30, 30]), Rgb([30, 30, 220]));
    let mut table = String::from("image_file\tlabel\n");
    for (name, left, right) in [("r", red, red), ("b", blue, blue), ("rb", red, blue)] {
        let picture = RgbImage::from_fn(32, 32, |x, _| if x < 16 { left } else { right });
        let file = format!("{name}.png");
        picture.save(place.path(&file)).unwrap();
        for label in name.chars() {
            table += &format!("{file}\t{label}\n");
        }
    }
    fs::write(place.path("labels.tsv"), table).unwrap();
    let options = [
        "--task",
        "classification",
        "--caption-column",
        "label",
        "--train-file",
        "labels.tsv",
        "--validation-file",
        "labels.tsv",
        "--learning-rate",
        "0.005",
        "--max-steps",
        "200",
        "--eval-steps",
        "200",
        "--json",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command
        .args(["--model", "model", "--output-dir", "labels"])
        .args(["--per-device-train-batch-size", "3", "--warmup-steps", "2"])
        .args(options)
        .current_dir(place.0.path());
    let done = command.output().unwrap();
    succeeds(&done);
    let evaluation = text(&done.stdout);
    let evaluation = evaluation
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["evaluation"].is_object())
        .unwrap();
    let accuracy = evaluation["evaluation"]["eval_accuracy"].as_f64().unwrap();
    assert_eq!(accuracy, 1.0, "{evaluation}");
    let checkpoint = place.path("labels/checkpoint-200");
    let classes = fs::read_to_string(checkpoint.join("classes.json")).unwrap();
    let classes: Value = serde_json::from_str(&classes).unwrap();
    assert_eq!(
        classes,
        serde_json::json!({"max_labels": 2, "classes": ["b", "r"]})
    );

    // The encoder has learnt, the decoder is as it was.
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    let (before, after) = (weights(&place.path("model")), weights(&checkpoint));
    let tensor = |file: &[u8], start: &str, end: &str| {
        let file = safetensors::SafeTensors::deserialize(file).unwrap();
        let mut tensors = file.tensors().into_iter();
        let (_, found) = tensors
            .find(|(name, _)| name.starts_with(start) && name.ends_with(end))
            .unwrap();
        found.data().to_vec()
    };
    for (start, end, has_learnt) in [
        ("encoder.", "layers.0.mlp.fc1.weight", true),
        ("decoder.", "layers.0.fc1.weight", false),
    ] {
        let [before, after] = [&before, &after].map(|file| tensor(file, start, end));
        assert_eq!(before != after, has_learnt, "{start}");
    }

    let options = ["--model", "labels/checkpoint-200", "--max-steps", "2"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command
        .args(options)
        .args(["--train-file", "data.tsv", "--output-dir", "captions"])
        .current_dir(place.0.path());
    succeeds(&command.output().unwrap());
    assert!(!place.path("captions/checkpoint-2/classes.json").exists());

    // Some of the labels would be learnt as all of them.
    let refused = place.run(
        "refused",
        &[
            "--task",
            "classification",
            "--set",
            "data.captions={at_most=1}",
        ],
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("data.captions"),
        "{}",
        text(&refused.stderr)
    );
}

/// Saves a tiny ViT and GPT-2, whose tokenizer has no codes of languages.
fn vit_gpt2(folder: &Path) {
    let classes = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../preprocess/tests/data/classes/gpt2-json"
    );
    let tokenizer = Tokenizer::from_folder(classes).unwrap();
    let config = json!({
        "model_type": "vision-encoder-decoder",
        "encoder": {
            "model_type": "vit", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
            "num_attention_heads": 4, "image_size": 32, "patch_size": 8,
        },
        "decoder": {
            "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
            "add_cross_attention": true, "vocab_size": tokenizer.vocab_size(),
        },
    });
    let config = VisionEncoderDecoderConfig::from_json(&config.to_string()).unwrap();
    // GPT-2 has one token for all of these.
    let end = tokenizer.token_id("<|endoftext|>");
    let options = GenerationConfig {
        decoder_start_token_id: end,
        eos_token_id: end.into_iter().collect(),
        pad_token_id: end,
        max_length: Some(12),
        ..GenerationConfig::default()
    };
    let device = Device::flex();
    device.seed(1);
    let model = Pretrained::from_config(config, options, Weights::Ordinary, &device);
    let staged = StagedFolder::new(folder).unwrap();
    model.write(&staged, &SaveOptions::default()).unwrap();
    tokenizer.save(staged.path()).unwrap();
    staged.commit().unwrap();
}

#[test]
fn a_model_without_codes_of_languages_learns_one_language_and_its_end() {
    let place = Place::new();
    vit_gpt2(&place.path("model"));
    let mut table = String::from("image_file\tcaption\n");
    for number in 0..10 {
        table += &format!("{number}.png\ta dog\n");
    }
    fs::write(place.path("plain.tsv"), table).unwrap();
    let learns = |output: &str, file: &str, languages: &[&str], caption: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
        let options = "--max-steps 60 --eval-steps 60 --learning-rate 0.01 --json";
        let done = command
            .args(["--model", "model", "--output-dir", output])
            .args(["--train-file", file, "--validation-file", file])
            .args(["--per-device-train-batch-size", "3", "--warmup-steps", "2"])
            .args(options.split(' '))
            .args(languages)
            .current_dir(place.0.path())
            .output()
            .unwrap();
        succeeds(&done);
        let lines = text(&done.stdout);
        let mut lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found = lines.find(|line| line["evaluation"].is_object()).unwrap();
        for name in ["eval_loss", "eval_exact"] {
            let value = &found["evaluation"][format!("{name}_{caption}")];
            assert!(value.is_number(), "{name}: {found}");
        }
        found["evaluation"].clone()
    };
    // Without a column of languages. All captions are the same, so the model learns where they end.
    let found = learns("plain", "plain.tsv", &[], "und");
    assert_eq!(found["eval_exact"], 1.0, "{found}");
    assert!(place.path("plain/checkpoint-60/model.safetensors").exists());
    // One language of two.
    learns("english", "data.tsv", &["--languages", "en"], "en_XX");
}

#[test]
fn several_languages_without_codes_are_refused() {
    let place = Place::new();
    vit_gpt2(&place.path("model"));
    for (options, expected) in [
        (
            &["--max-steps", "2"][..],
            "captions are in en_XX and in fr_XX",
        ),
        (
            &["--languages", "en,fr"],
            "data.languages names en, fr, but the model has no codes of languages",
        ),
    ] {
        let done = place.run("run", options);
        let stderr = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}
