//! The embedded model: pictures in, captions out.

use burn::tensor::Device;
use captioning::{
    CaptionOptions, Captioner, GenerationConfig, Precision, RgbImage, SaveOptions, open_image,
};
use serde_json::{Value, json};

use crate::devices::{SCORES, STATES, assert_close, numbers, on_every_device};

const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);

/// How far half precision may move the score of a caption from the reference's, which has single.
const HALF: f32 = 5e-3;

/// Pictures of one thing and of two. Not that one in which half precision turns a near-tie.
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
            for (captions, reference) in captions.iter().zip(&references) {
                assert_eq!(captions.len(), 4);
                for caption in captions {
                    let key = format!("{} {search}", caption.language.code);
                    let expected = &reference[&key];
                    let found = json!({"ids": caption.ids, "text": caption.text});
                    for part in ["ids", "text"] {
                        assert_eq!(found[part], expected[part], "{key} on {name}");
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

/// What a captioner tells beside captions, in numbers.
fn told(captioner: &Captioner, image: &RgbImage) -> [Vec<f32>; 4] {
    let memory = captioner.encode(std::slice::from_ref(image)).unwrap();
    let languages = captioner.languages();
    let options = CaptionOptions {
        shortlist: Some(captioner.shortlist_of_languages(languages).unwrap()),
        ..CaptionOptions::new(config(captioner, 3))
    };
    let captions = captioner.caption_with(memory.clone(), languages, &options);
    let captions = captions.unwrap().concat();
    let scores = captions.iter().map(|caption| caption.score).collect();
    let looked = captions.iter().flat_map(|caption| {
        let maps = captioner.attention(&memory, 0, caption, None).unwrap();
        maps.into_iter().flat_map(|map| map.patches)
    });
    let looked = looked.collect();
    let texts: Vec<&str> = captions.iter().map(|c| c.text.as_str()).collect();
    let config = config(captioner, 1);
    let given = captioner.score(memory.clone(), languages[0], &texts, &config);
    let given = given.unwrap().concat();
    let given = given.into_iter().flat_map(|given| given.token_log_probs);
    [numbers(memory.hidden), scores, looked, given.collect()]
}

#[test]
fn shortlists_attention_and_given_texts_are_as_on_flex() {
    let (image, _) = samples().swap_remove(3);
    let expected = told(&Captioner::embedded(&Device::flex()).unwrap(), &image);
    on_every_device(|name, device| {
        let found = told(&Captioner::embedded(device).unwrap(), &image);
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
fn a_model_comes_back_from_the_device_as_it_was() {
    let options = SaveOptions {
        precision: Precision::F16, // as the embedded one
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
