//! Where the embedded model looks while it writes.

use crate::common::{captioner, config, unwrapped};
use captioning::{AttentionMap, Caption, Captioner, Error, Memory, RgbImage, open_image};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
const LAYERS: usize = 3;

/// Images of two things side by side, a language, and its words for the left and the right thing. The model
/// names both correctly, also in the mirror image.
#[rustfmt::skip]
const SIDE_BY_SIDE: [(&str, &str, &str, &str); 6] = [
    ("13-emojione-1f98b-and-1f54c.png",          "fr", "papillon",     "mosquée"),
    ("13-emojione-1f98b-and-1f54c.png",          "es", "mariposa",     "mezquita"),
    ("10-twemoji-1f4c1-and-2696.png",            "fr", "dossier",      "balance"),
    ("10-twemoji-1f4c1-and-2696.png",            "es", "carpeta",      "balanza"),
    ("08-fluent-emoji-flat-1f435-and-1f384.png", "fr", "tête",         "conifère"),
    ("08-fluent-emoji-flat-1f435-and-1f384.png", "de", "Affengesicht", "Nadelbaum"),
];

fn sample(name: &str) -> RgbImage {
    open_image(format!("{SAMPLES}/{name}")).unwrap()
}

fn samples() -> Vec<RgbImage> {
    let mut paths: Vec<_> = std::fs::read_dir(SAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    paths.sort();
    paths.iter().map(|path| open_image(path).unwrap()).collect()
}

fn mirrored(image: &RgbImage) -> RgbImage {
    let row = image.width() as usize * 3;
    let rows = image.pixels().chunks_exact(row);
    let pixels = rows.flat_map(|row| row.chunks_exact(3).rev().flatten().copied());
    RgbImage::new(image.width(), image.height(), pixels.collect()).unwrap()
}

/// The best of four beams for each image and language.
fn captions(captioner: &Captioner, memory: &Memory, languages: &[&str]) -> Vec<Vec<Caption>> {
    let languages: Vec<_> = languages
        .iter()
        .map(|language| captioner.language(language).unwrap())
        .collect();
    let captions = captioner
        .caption_encoded(memory.clone(), &languages, &config(captioner, 4))
        .unwrap();
    unwrapped(captions)
}

/// The fraction of the patches' weight that a word has in the left half.
fn left(maps: &[AttentionMap], word: &str) -> f32 {
    let map = maps.iter().find(|map| map.word == word);
    let map = map.unwrap_or_else(|| panic!("no {word} in {maps:?}"));
    let halves = map.patches.chunks_exact(map.columns / 2);
    halves.step_by(2).flatten().sum::<f32>() / map.patches.iter().sum::<f32>()
}

#[test]
fn every_layer_looks_at_the_half_of_the_image_that_has_the_named_thing() {
    let captioner = captioner();
    for (name, language, at_left, at_right) in SIDE_BY_SIDE {
        let picture = sample(name);
        let mirror = mirrored(&picture);
        let memory = captioner.encode(&[picture, mirror]).unwrap();
        let captions = captions(&captioner, &memory, &[language]);
        for layers in [Some(&[0][..]), Some(&[1]), Some(&[2]), None] {
            for (image, first, second) in [(0, at_left, at_right), (1, at_right, at_left)] {
                let maps = captioner.attention(&memory, image, &captions[image][0], layers);
                let maps = maps.unwrap();
                // Measured: at least 0.80, and at most 0.07.
                let (first_left, second_left) = (left(&maps, first), left(&maps, second));
                assert!(first_left > 0.7, "{first} {layers:?}: {first_left}");
                assert!(second_left < 0.2, "{second} {layers:?}: {second_left}");
            }
        }
    }
}

#[test]
fn the_joined_words_are_the_text_and_the_weights_of_each_sum_to_one() {
    let captioner = captioner();
    let memory = captioner.encode(&samples()).unwrap();
    let captions = captions(&captioner, &memory, &["en", "fr", "de", "es"]);
    assert_eq!(captions.len(), 16);
    for (image, captions) in captions.iter().enumerate() {
        for caption in captions {
            let maps = captioner.attention(&memory, image, caption, None).unwrap();
            let words: Vec<&str> = maps.iter().map(|map| map.word.as_str()).collect();
            assert_eq!(words.join(" "), caption.text);
            for map in maps {
                assert_eq!((map.rows, map.columns, map.patches.len()), (6, 6, 36));
                let sum = map.class_token + map.patches.iter().sum::<f32>();
                assert!((sum - 1.0).abs() < 1e-5, "{}: {sum}", map.word);
                let tokens = &caption.ids[map.tokens.clone()];
                let text = captioner.tokenizer().decode(tokens, true).unwrap();
                assert_eq!(text.trim(), map.word);
            }
        }
    }
}

#[test]
fn the_map_of_all_layers_is_the_mean_of_their_maps() {
    let captioner = captioner();
    let memory = captioner.encode(&[sample("02-fluent-emoji-1f40e.png")]);
    let memory = memory.unwrap();
    let caption = &captions(&captioner, &memory, &["en"])[0][0];
    let maps = |layers: Option<&[usize]>| captioner.attention(&memory, 0, caption, layers);
    let each: Vec<Vec<AttentionMap>> = (0..LAYERS)
        .map(|layer| maps(Some(&[layer])).unwrap())
        .collect();
    for all in [maps(None), maps(Some(&[2, 0, 1]))] {
        for (word, map) in all.unwrap().iter().enumerate() {
            for (patch, weight) in map.patches.iter().enumerate() {
                let layers = each.iter().map(|maps| maps[word].patches[patch]);
                let mean = layers.sum::<f32>() / LAYERS as f32;
                assert!((weight - mean).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn an_unknown_layer_is_a_typed_error_that_says_how_many_there_are() {
    let captioner = captioner();
    let memory = captioner.encode(&[sample("14-noto-v1-1f95a.png")]).unwrap();
    let caption = &captions(&captioner, &memory, &["en"])[0][0];
    for asked in [&[0, 3][..], &[]] {
        let error = captioner.attention(&memory, 0, caption, Some(asked));
        let error = error.unwrap_err();
        assert!(matches!(error, Error::AttentionLayers { layers: 3, .. }));
        assert!(error.to_string().contains("3 layers"), "{error}");
    }
}

#[test]
fn a_caption_without_words_has_no_maps() {
    let captioner = captioner();
    let memory = captioner.encode(&[sample("14-noto-v1-1f95a.png")]).unwrap();
    let caption = captions(&captioner, &memory, &["en"])[0][0].clone();
    for length in 0..3 {
        let ids = caption.ids[..length].to_vec();
        let caption = Caption {
            ids,
            ..caption.clone()
        };
        let maps = captioner.attention(&memory, 0, &caption, None);
        assert!(maps.unwrap().is_empty());
    }
}
