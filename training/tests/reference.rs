//! Losses, norms and rates of updates are PyTorch's. The program `verify training` compares everything.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use pretrained::{LoadOptions, Pretrained, Weights};
use safetensors::SafeTensors;
use serde_json::Value;
use training::{Batch, PretrainedFiles, Trainer, TrainingConfig};

/// The small copy of the reference; `None` outside of the repository.
fn reference() -> Option<PathBuf> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/verify/tests/data/training"
    );
    let folder = PathBuf::from(folder);
    if !folder.exists() {
        eprintln!("not run: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn updates_are_those_of_pytorch() {
    let Some(folder) = reference() else {
        return;
    };
    let json = std::fs::read(folder.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&json).unwrap();
    let bytes = std::fs::read(folder.join("batches.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let (pixels, labels) = (
        tensors.tensor("pixel_values").unwrap(),
        tensors.tensor("labels").unwrap(),
    );
    let [_, images, channels, height, width] = *pixels.shape() else {
        panic!("{:?}", pixels.shape());
    };
    let pixels: Vec<f32> = pixels
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    let length = labels.shape()[2];
    let labels: Vec<u32> = labels
        .data()
        .as_chunks::<8>()
        .0
        .iter()
        .map(|b| i64::from_le_bytes(*b) as u32)
        .collect();

    // References have no dropout, and this checkpoint's configuration has.
    let start = tempfile::tempdir().unwrap();
    for file in ["config.json", "generation_config.json", "model.safetensors"] {
        std::fs::copy(folder.join("start").join(file), start.path().join(file)).unwrap();
    }
    let config = std::fs::read_to_string(start.path().join("config.json")).unwrap();
    let config = config.replace("\"dropout\": 0.1", "\"dropout\": 0.0");
    std::fs::remove_file(start.path().join("config.json")).unwrap();
    std::fs::write(start.path().join("config.json"), config).unwrap();
    let device = Device::flex().autodiff();
    let options = LoadOptions {
        weights: Weights::Ordinary,
        ..LoadOptions::default()
    };
    let start = Pretrained::from_folder(start.path(), &options, &device).unwrap();
    let files = PretrainedFiles::new(&start, None);

    for case in reference["cases"].as_array().unwrap() {
        let mut options = case["options"].clone();
        let options = options.as_object_mut().unwrap();
        options.insert("max_steps".into(), options["steps"].clone());
        options.insert("pad_token_id".into(), reference["pad_token_id"].clone());
        options.remove("steps");
        if let Some(Value::String(part)) = options.remove("freeze") {
            let group = serde_json::json!({"parameters": [format!("{part}.*")], "freeze": true});
            options.insert("parameter_groups".into(), Value::Array(vec![group]));
        }
        let config: TrainingConfig =
            serde_json::from_value(Value::Object(options.clone())).unwrap();
        let mut trainer = Trainer::new(start.model.clone(), config, &files).unwrap();
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let elements = images * channels * height * width;
            let pixels = pixels[number * elements..][..elements].to_vec();
            let pixels = TensorData::new(pixels, [images, channels, height, width]);
            let rows = labels[number * images * length..][..images * length].chunks(length);
            let pixels = Tensor::<4>::from_data(pixels, &device);
            let batch = Batch::one_per_source(pixels, rows.map(<[u32]>::to_vec).collect());
            let report = trainer.update(vec![batch]).unwrap();
            let expected = |name: &str| step[name].as_f64().unwrap();
            assert!(
                (report.loss - expected("loss")).abs() < 1e-5,
                "{number} {report:?} {step}"
            );
            let norm = report.grad_norm / expected("grad_norm") - 1.0;
            assert!(norm.abs() < 1e-5, "{number} {report:?} {step}");
            assert_eq!(report.learning_rate, expected("learning_rate"));
            assert_eq!(report.tokens as f64, expected("tokens"));
        }
    }
}
