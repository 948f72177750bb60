//! Captions while they are written.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::common::{TWO_THINGS, captioner, config, encoded, unwrapped};
use captioning::{CaptionEvent, CaptionOptions, Error, GenerationConfig};

#[test]
fn settled_text_only_grows_until_it_is_the_caption() {
    let captioner = captioner();
    let names = TWO_THINGS.map(|(name, ..)| name);
    let memory = encoded(&captioner, &names);
    for num_beams in [1, 4] {
        let options = CaptionOptions::new(config(&captioner, num_beams));
        let mut shown: HashMap<(usize, &str), Vec<String>> = HashMap::new();
        let mut finished = HashMap::new();
        let mut shown_early = 0;
        let captions = captioner
            .stream(memory.clone(), captioner.languages(), &options, |event| {
                match event {
                    CaptionEvent::Draft {
                        image,
                        language,
                        settled,
                        draft,
                        ..
                    } => {
                        assert!(draft.starts_with(settled), "{draft:?} {settled:?}");
                        let texts = shown.entry((image, language.code)).or_default();
                        texts.push(settled.to_owned());
                    }
                    CaptionEvent::Finished {
                        image,
                        language,
                        captions,
                    } => {
                        finished.insert((image, language.code), captions[0].clone());
                    }
                    _ => {}
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        let same = captioner
            .caption_with(memory.clone(), captioner.languages(), &options)
            .unwrap();
        let captions = unwrapped(captions);
        assert_eq!(captions, unwrapped(same), "an observer changes nothing");
        for (image, captions) in captions.iter().enumerate() {
            for caption in captions {
                let key = (image, caption.language.code);
                assert_eq!(finished[&key], *caption);
                let texts = &shown[&key];
                assert!(texts.is_sorted_by(|a, b| b.starts_with(a)), "{texts:?}");
                let last = texts.last().unwrap();
                match num_beams {
                    1 => assert_eq!(*last, caption.text, "all but the end token is settled"),
                    // What is left is settled by the last step, which finishes the caption.
                    _ => assert!(caption.text.starts_with(last)),
                }
                shown_early += usize::from(texts.iter().any(|text| !text.is_empty()));
            }
        }
        // Nothing is settled before the end if the beams differ in the first word.
        let least = if num_beams == 1 { 12 } else { 4 };
        assert!(
            shown_early >= least,
            "{num_beams} beams: {shown_early} of 12"
        );
    }
}

#[test]
fn each_sampled_caption_has_its_own_drafts() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0]);
    let english = [captioner.language("en").unwrap()];
    let options = CaptionOptions::new(GenerationConfig {
        do_sample: true,
        temperature: 3.0,
        num_return_sequences: 3,
        ..config(&captioner, 1)
    });
    let mut last = HashMap::new();
    let captions = captioner
        .stream(memory, &english, &options, |event| {
            if let CaptionEvent::Draft {
                sequence, settled, ..
            } = event
            {
                last.insert(sequence, settled.to_owned());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    let captions = unwrapped(captions);
    assert_eq!(captions[0].len(), 3);
    for (sequence, caption) in captions[0].iter().enumerate() {
        assert!(caption.text.starts_with(&last[&sequence]));
    }
}

#[test]
fn stopping_returns_the_captions_as_they_are() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0]);
    for num_beams in [1, 4] {
        let options = CaptionOptions::new(config(&captioner, num_beams));
        let mut steps = 0;
        let captions = captioner
            .stream(memory.clone(), captioner.languages(), &options, |_| {
                steps += 1;
                match steps < 20 {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })
            .unwrap();
        assert_eq!(steps, 20);
        let captions = unwrapped(captions);
        assert_eq!(captions[0].len(), 4);
        for caption in &captions[0] {
            assert!((4..8).contains(&caption.ids.len()), "{caption:?}");
        }
    }
}

#[test]
fn a_caption_that_is_not_found_fails_while_the_others_go_on() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0, TWO_THINGS[1].0]);
    let languages = ["de", "en"].map(|code| captioner.language(code).unwrap());
    // Three tokens do not suffice for what is required.
    let options = CaptionOptions {
        required: ["camera", "whale"]
            .map(|word| word.parse().unwrap())
            .to_vec(),
        ..CaptionOptions::new(GenerationConfig {
            max_length: None,
            max_new_tokens: Some(3),
            ..config(&captioner, 2)
        })
    };
    let mut failed = Vec::new();
    let captions = captioner
        .stream(memory, &languages, &options, |event| {
            match event {
                CaptionEvent::Failed {
                    image,
                    language,
                    error,
                } => {
                    assert!(matches!(error, Error::WordsMissing { .. }), "{error}");
                    failed.push((image, language.code));
                }
                CaptionEvent::Finished { captions, .. } => panic!("found {captions:?}"),
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    failed.sort_unstable();
    let each = [(0, "de_DE"), (0, "en_XX"), (1, "de_DE"), (1, "en_XX")];
    assert_eq!(failed, each);
    for one in captions.iter().flatten() {
        assert!(one.best().is_none());
        let code = one.language.code;
        let error = one.captions.as_ref().unwrap_err();
        assert!(matches!(error, Error::WordsMissing { language } if *language == code));
    }
}
