//! Models that have no codes of languages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use burn::tensor::Device;
use captioning::{GenerationConfig, Tokenizer};
use checkpoint::{SaveOptions, StagedFolder};
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Pictures with captions.
const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);

/// Saves a tiny ViT and GPT-2 with random weights.
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

fn evaluate(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evaluate"))
        .args(["--model", "model", "--data", "data.tsv", "--num-beams", "1"])
        .args(["--image-folder", SAMPLES, "--json"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

#[test]
fn captions_are_scored_against_those_of_the_one_language() {
    let folder = TempDir::new().unwrap();
    vit_gpt2(&folder.path().join("model"));
    let samples = fs::read(Path::new(SAMPLES).join("expected.json")).unwrap();
    let samples: Value = serde_json::from_slice(&samples).unwrap();
    let mut table = String::from("image_file\tcaption\turl\tlang_id\n");
    for sample in &samples["samples"].as_array().unwrap()[..3] {
        for language in ["en_XX", "es_XX"] {
            let truth = sample["truth"][language].as_str().unwrap();
            let image = sample["image"].as_str().unwrap();
            table += &format!("{image}\t{truth}\t\t{language}\n");
        }
    }
    fs::write(folder.path().join("data.tsv"), table).unwrap();

    let options = ["--lang", "spanish", "--captions", "captions.jsonl"];
    let output = evaluate(&folder, &options);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["pictures"], 3);
    let languages = found["languages"].as_array().unwrap();
    assert_eq!(languages.len(), 1);
    assert_eq!(languages[0]["lang"], "es_XX");
    assert_eq!(languages[0]["captions"], 3);
    let captions = fs::read_to_string(folder.path().join("captions.jsonl")).unwrap();
    let first: Value = serde_json::from_str(captions.lines().next().unwrap()).unwrap();
    let truth = &samples["samples"][0]["truth"]["es_XX"];
    assert_eq!(first["references"], json!([truth]));

    for (options, expected) in [
        (&[][..], "captions are in en_XX and in es_XX"),
        (&["--lang", "en,es"], "captions are in en_XX and in es_XX"),
        (&["--lang", "klingon"], "for --lang, found \"klingon\""),
    ] {
        let output = evaluate(&folder, options);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}
