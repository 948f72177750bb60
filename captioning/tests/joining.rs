//! Calls that join captions under way get the captions that they would get alone: with packed weights bit for bit, with
//! ordinary ones but for the last digits, since products of other numbers of rows are summed in another order.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::mpsc;

use crate::common::{TWO_THINGS, config, encoded, image};
use burn::tensor::Device;
use captioning::{
    Call, Caption, CaptionDecoding, CaptionEvent, CaptionOptions, Captioner, GenerationConfig,
    Language, Weights, language,
};

/// A picture, languages and options.
struct Request {
    picture: &'static str,
    languages: Vec<Language>,
    options: CaptionOptions,
}

fn languages(codes: &[&str]) -> Vec<Language> {
    codes.iter().map(|code| language(code).unwrap()).collect()
}

/// Requests of many kinds, in an order that puts unlike ones together.
fn requests(captioner: &Captioner) -> Vec<Request> {
    let options = |beams| CaptionOptions::new(config(captioner, beams));
    let sampling = CaptionOptions::new(GenerationConfig {
        do_sample: true,
        num_return_sequences: 2,
        top_k: 20,
        seed: 7,
        ..config(captioner, 1)
    });
    let kinds = [
        (vec!["en_XX"], options(1)),
        (vec!["en_XX", "de_DE", "fr_XX", "es_XX"], options(4)),
        (
            vec!["de_DE"],
            CaptionOptions {
                prefix: "Affe".into(),
                alternatives: 3,
                ..options(2)
            },
        ),
        (vec!["fr_XX", "es_XX"], sampling),
        (
            vec!["en_XX"],
            CaptionOptions {
                required: vec!["tree".parse().unwrap()],
                forbidden: vec!["white".parse().unwrap()],
                ..options(3)
            },
        ),
        (vec!["es_XX"], options(4)),
    ];
    let pictures = TWO_THINGS.iter().map(|(name, ..)| *name).cycle();
    let requests = kinds.into_iter().cycle().zip(pictures).take(14);
    let requests = requests.map(|((codes, options), picture)| Request {
        picture,
        languages: languages(&codes),
        options,
    });
    requests.collect()
}

type Found = HashMap<&'static str, Result<Vec<Caption>, String>>;

/// Captions requests, of which `per_step[i]` join before step `i`, and the rest when the loop is empty.
fn run(captioner: &Captioner, requests: &[Request], per_step: &[usize]) -> Vec<Found> {
    let mut decoding = CaptionDecoding::new(captioner);
    let mut indices: HashMap<Call, usize> = HashMap::new();
    let mut found: Vec<Found> = requests.iter().map(|_| Found::new()).collect();
    let mut waiting = requests.iter().enumerate();
    let mut per_step = per_step.iter().copied();
    loop {
        let count = match decoding.is_empty() {
            true => per_step.next().unwrap_or(1).max(1),
            false => per_step.next().unwrap_or(0),
        };
        for (index, request) in waiting.by_ref().take(count) {
            let memory = encoded(captioner, &[request.picture]);
            let call = decoding.add(memory, &request.languages, &request.options);
            indices.insert(call.unwrap(), index);
        }
        if decoding.is_empty() {
            return found;
        }
        for ended in decoding.step().unwrap() {
            assert_eq!(ended.image, 0);
            let code = ended.captions.language.code;
            let captions = ended.captions.captions.map_err(|error| error.to_string());
            found[indices[&ended.call]].insert(code, captions);
        }
    }
}

fn join(weights: Weights) {
    let captioner = Captioner::builder()
        .weights(weights)
        .build(&Device::flex())
        .unwrap();
    let requests = requests(&captioner);
    let alone: Vec<Found> = requests
        .iter()
        .flat_map(|request| run(&captioner, std::slice::from_ref(request), &[1]))
        .collect();
    for per_step in [
        &[14][..],
        &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        &[3, 0, 0, 1, 5, 0, 2, 0, 0, 0, 0, 3],
    ] {
        let together = run(&captioner, &requests, per_step);
        for (request, (together, alone)) in together.iter().zip(&alone).enumerate() {
            match weights {
                Weights::Ordinary => assert_eq!(texts(together), texts(alone)),
                _ => assert_eq!(together, alone, "request {request} of {per_step:?}"),
            }
        }
    }
}

/// The tokens of the captions in each language, without their scores.
fn texts(found: &Found) -> Vec<(&'static str, Vec<Vec<u32>>)> {
    let mut texts: Vec<_> = found
        .iter()
        .map(|(code, captions)| {
            let captions = captions.iter().flatten();
            (*code, captions.map(|caption| caption.ids.clone()).collect())
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn with_ordinary_weights() {
    join(Weights::Ordinary);
}

#[test]
fn with_packed_f32_weights() {
    join(Weights::Packed("f32".parse().unwrap()));
}

#[test]
fn with_int8_weights() {
    join(Weights::Packed("int8".parse().unwrap()));
}

#[test]
fn with_int4_weights() {
    join(Weights::Packed("int4".parse().unwrap()));
}

#[test]
fn an_observer_ends_its_call_alone() {
    let captioner = crate::common::captioner();
    let options = CaptionOptions::new(config(&captioner, 2));
    let memory = || encoded(&captioner, &[TWO_THINGS[0].0]);
    let english = languages(&["en_XX"]);
    let expected = captioner
        .caption_with(memory(), &english, &options)
        .unwrap();
    let (sender, drafts) = mpsc::channel();
    let mut decoding = CaptionDecoding::new(&captioner);
    let whole = decoding.add(memory(), &english, &options).unwrap();
    let ended = decoding
        .add_observed(memory(), &english, &options, move |event| {
            if let CaptionEvent::Draft { draft, .. } = event {
                sender.send(draft.to_owned()).unwrap();
            }
            match event {
                CaptionEvent::Draft { draft, .. } if draft.contains(' ') => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .unwrap();
    let mut texts = HashMap::new();
    while !decoding.is_empty() {
        for one in decoding.step().unwrap() {
            texts.insert(one.call, one.captions.best().unwrap().clone());
        }
    }
    assert_eq!(&texts[&whole], expected[0][0].best().unwrap());
    assert!(texts[&ended].text.len() < texts[&whole].text.len());
    assert!(drafts.iter().count() > 1);
}

#[test]
fn pictures_are_encoded_together_as_each_alone() {
    let names = TWO_THINGS.map(|(name, ..)| name);
    for format in ["f32", "int8"] {
        let captioner = Captioner::builder()
            .weights(Weights::Packed(format.parse().unwrap()))
            .build(&Device::flex())
            .unwrap();
        let images = names.map(image);
        let together = captioner.encode(&images).unwrap().hidden;
        for (index, picture) in images.iter().enumerate() {
            let alone = captioner.encode(std::slice::from_ref(picture)).unwrap();
            let of_all = together.clone().narrow(0, index, 1);
            assert_eq!(of_all.into_data(), alone.hidden.into_data(), "{format}");
        }
    }
}
