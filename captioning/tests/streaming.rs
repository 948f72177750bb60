//! Captions as they come.

mod common;

use std::collections::HashMap;
use std::ops::ControlFlow;

use captioning::{CaptionEvent, CaptionOptions, GenerationConfig};
use common::{TWO_THINGS, captioner, config, encoded};

#[test]
fn what_was_shown_stays_and_the_end_is_what_is_returned() {
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
        assert_eq!(captions, same, "watching changes nothing");
        for (image, captions) in captions.iter().enumerate() {
            for caption in captions {
                let key = (image, caption.language.code);
                assert_eq!(finished[&key], *caption);
                let texts = &shown[&key];
                assert!(texts.is_sorted_by(|a, b| b.starts_with(a)), "{texts:?}");
                assert!(caption.text.starts_with(texts.last().unwrap()));
                shown_early += usize::from(texts.iter().any(|text| !text.is_empty()));
            }
        }
        // Beams that do not agree on the first word have nothing to show before the end.
        let least = if num_beams == 1 { 12 } else { 4 };
        assert!(
            shown_early >= least,
            "{num_beams} beams: {shown_early} of 12"
        );
    }
}

#[test]
fn samples_are_shown_side_by_side() {
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
    assert_eq!(captions[0].len(), 3);
    for (sequence, caption) in captions[0].iter().enumerate() {
        assert!(caption.text.starts_with(&last[&sequence]));
    }
}

#[test]
fn who_stops_gets_what_there_is() {
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
        assert_eq!(captions[0].len(), 4);
        for caption in &captions[0] {
            assert!((4..8).contains(&caption.ids.len()), "{caption:?}");
        }
    }
}
