//! The captions of the embedded model, and its other results.

use burn::tensor::Device;
use captioning::{
    Caption, CaptionOptions, Captioner, GenerationConfig, LanguageCaptions, Precision, RgbImage,
    SaveOptions, open_image,
};
use serde_json::{Value, json};

use crate::devices::{SCORES, STATES, assert_close, on_every_device, values};

const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);

/// How much the score of a caption may differ from the reference's: the embedded weights have half precision,
/// the reference's single precision.
const HALF: f32 = 5e-3;

/// Pictures of one thing and of two, without the one in which half precision decides a near-tie differently.
const PICTURES: [usize; 4] = [0, 2, 10, 13];

fn samples() -> Vec<(RgbImage, Value)> {
    let json = std::fs::read_to_string(format!("{SAMPLES}/expected.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let sample = |number: usize| {
        let sample = &json["samples"][number];
        let path = format!("{SAMPLES}/{}", sample["image"].as_str().unwrap());
        (open_image(path).unwrap(), sample["generated"].clone())
    };
    PICTURES.map(sample).to_vec()
}

fn config(captioner: &Captioner, num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_length: Some(40),
        ..captioner.generation_config().clone()
    }
}

#[test]
fn captions_are_those_of_transformers() {
    let (images, references): (Vec<_>, Vec<_>) = samples().into_iter().unzip();
    on_every_device(|name, device| {
        let captioner = Captioner::embedded(device).unwrap();
        for (search, num_beams) in [("greedy", 1), ("4 beams", 4)] {
            let config = config(&captioner, num_beams);
            let captions = captioner
                .caption(&images, captioner.languages(), &config)
                .unwrap();
            let (mut scores, mut expected_scores) = (Vec::new(), Vec::new());
            for (captions, reference) in captions.into_iter().zip(&references) {
                assert_eq!(captions.len(), 4);
                for caption in found(captions) {
                    let key = format!("{} {search}", caption.language.code);
                    let expected = &reference[&key];
                    let caption_json = json!({"ids": caption.ids, "text": caption.text});
                    for part in ["ids", "text"] {
                        assert_eq!(caption_json[part], expected[part], "{key} on {name}");
                    }
                    if let Some(score) = expected["score"].as_f64() {
                        scores.push(caption.score);
                        expected_scores.push(score as f32);
                    }
                }
            }
            assert_eq!(scores.len(), if num_beams == 1 { 0 } else { 16 });
            let what = format!("scores of {search} on {name}");
            let apart = assert_close(&what, &scores, &expected_scores, HALF);
            println!("{what}: {apart:.1e}");
        }
    });
}

/// All captions of an image.
fn found(captions: Vec<LanguageCaptions>) -> Vec<Caption> {
    let captions = captions.into_iter().map(|found| found.captions.unwrap());
    captions.flatten().collect()
}

/// The memory of an image, the scores of captions with a shortlist, the attention of their words, and the
/// log-probabilities of the same texts when they are given.
fn results(captioner: &Captioner, image: &RgbImage) -> [Vec<f32>; 4] {
    let memory = captioner.encode(std::slice::from_ref(image)).unwrap();
    let languages = captioner.languages();
    let options = CaptionOptions {
        shortlist: Some(captioner.shortlist_of_languages(languages).unwrap()),
        ..CaptionOptions::new(config(captioner, 3))
    };
    let captions = captioner.caption_with(memory.clone(), languages, &options);
    let captions: Vec<Caption> = captions.unwrap().into_iter().flat_map(found).collect();
    let scores = captions.iter().map(|caption| caption.score).collect();
    let attention = captions.iter().flat_map(|caption| {
        let maps = captioner.attention(&memory, 0, caption, None).unwrap();
        maps.into_iter().flat_map(|map| map.patches)
    });
    let attention = attention.collect();
    let texts: Vec<&str> = captions.iter().map(|c| c.text.as_str()).collect();
    let config = config(captioner, 1);
    let given = captioner.score(memory.clone(), languages[0], &texts, &config);
    let given = given.unwrap().into_iter().flatten().map(Result::unwrap);
    let log_probs = given.flat_map(|given| given.token_log_probs).collect();
    [values(memory.hidden), scores, attention, log_probs]
}

#[test]
fn shortlists_attention_and_given_texts_are_as_on_flex() {
    let (image, _) = samples().swap_remove(3);
    let expected = results(&Captioner::embedded(&Device::flex()).unwrap(), &image);
    on_every_device(|name, device| {
        let found = results(&Captioner::embedded(device).unwrap(), &image);
        for ((what, tolerance), (found, expected)) in [
            ("memory", STATES),
            ("scores with a shortlist", SCORES),
            ("attention", SCORES),
            ("log-probabilities of given texts", STATES),
        ]
        .into_iter()
        .zip(found.iter().zip(&expected))
        {
            let what = format!("{what} on {name}");
            let apart = assert_close(&what, found, expected, tolerance);
            println!("{what}: {apart:.1e}");
        }
    });
}

#[test]
fn a_model_that_was_on_a_device_is_saved_unchanged() {
    let options = SaveOptions {
        precision: Precision::F16, // that of the embedded model
        ..SaveOptions::default()
    };
    let weights = |device: &Device| {
        let folder = tempfile::TempDir::new().unwrap();
        let captioner = Captioner::embedded(device).unwrap();
        captioner.save(folder.path(), &options).unwrap();
        std::fs::read(folder.path().join("model.safetensors")).unwrap()
    };
    let expected = weights(&Device::flex());
    on_every_device(|name, device| {
        assert!(weights(device) == expected, "{name} changed a weight");
    });
}
