//! A pipeline gives each picture the captions that it gets alone, bit for bit, in order, within bounds; and one that fails
//! stops no other.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{captioner, config};
use captioning::{
    BatchSize, CaptionOptions, Captioner, Failure, GenerationConfig, LanguageCaptions, Pipeline,
    Plan, RgbImage, Weights,
};

fn images() -> Vec<RgbImage> {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    let paths = std::fs::read_dir(samples).unwrap();
    let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "png"));
    paths.sort();
    let images = paths.iter().map(captioning::open_image);
    images.map(Result::unwrap).collect()
}

/// Everything about the captions of a picture that can be compared, scores by their bits.
fn bits(captions: &[LanguageCaptions]) -> Vec<String> {
    let captions = captions
        .iter()
        .flat_map(|one| one.captions.as_ref().unwrap());
    let bits = captions.map(|one| {
        let scores: Vec<u32> = one
            .token_log_probs
            .iter()
            .map(|score| score.to_bits())
            .collect();
        format!(
            "{:?} {:?} {} {scores:?}",
            one.language.code,
            one.ids,
            one.score.to_bits()
        )
    });
    bits.collect()
}

fn alone(captioner: &Captioner, options: &CaptionOptions, images: &[RgbImage]) -> Vec<Vec<String>> {
    let alone = images.iter().map(|image| {
        let memory = captioner.encode(std::slice::from_ref(image)).unwrap();
        let captions = captioner.caption_with(memory, captioner.languages(), options);
        bits(&captions.unwrap()[0])
    });
    alone.collect()
}

fn plan(workers: usize, threads: usize, pictures: usize, readers: usize) -> Plan {
    Plan {
        workers,
        threads,
        pictures,
        readers,
        ahead: pictures + readers,
        window: 4 * workers * pictures + readers,
    }
}

#[test]
fn captions_are_those_of_one_at_a_time_bit_for_bit_whatever_the_plan() {
    for weights in ["f32", "int8"] {
        let captioner = Captioner::builder()
            .weights(Weights::Packed(weights.parse().unwrap()))
            .build(&burn::tensor::Device::flex())
            .unwrap();
        let sampling = GenerationConfig {
            do_sample: true,
            num_return_sequences: 2,
            seed: 7,
            ..config(&captioner, 1)
        };
        // Enough for several batches, whose captions end in different steps.
        let images = &images()[..9];
        for generation in [config(&captioner, 3), config(&captioner, 1), sampling] {
            let options = CaptionOptions::new(generation);
            let expected = alone(&captioner, &options, images);
            let pipeline = || Pipeline::new(&captioner, captioner.languages(), &options).unwrap();
            let plans = [plan(1, 2, 5, 2), plan(2, 1, 3, 1), plan(3, 1, 1, 3)];
            let pipelines = plans.map(|plan| pipeline().with_plan(plan));
            let eight = BatchSize::Pictures(8.try_into().unwrap());
            for pipeline in [pipeline(), pipeline().with_batch_size(eight)]
                .into_iter()
                .chain(pipelines)
            {
                let mut found = Vec::new();
                let take = |record: captioning::Record<usize, captioning::Error>| {
                    assert_eq!(record.index, found.len() as u64);
                    assert!(record.is_complete());
                    found.push(bits(&record.captions.unwrap()));
                    ControlFlow::Continue(())
                };
                let open = |index: &mut usize| Ok(images[*index].clone());
                pipeline.run(0..images.len(), open, take).unwrap();
                assert!(found == expected, "{weights}, {:?}", pipeline.plan());
            }
        }
    }
}

#[test]
fn what_fails_is_a_record_and_the_others_have_captions() {
    let captioner = captioner();
    let options = CaptionOptions::new(config(&captioner, 2));
    let images = images();
    let languages = &captioner.languages()[..2];
    for unordered in [false, true] {
        let mut pipeline = Pipeline::new(&captioner, languages, &options).unwrap();
        pipeline = pipeline.with_plan(plan(2, 1, 2, 2));
        if unordered {
            pipeline = pipeline.unordered();
        }
        let (mut seen, mut failed) = (HashSet::new(), 0);
        let open = |index: &mut usize| match *index % 5 {
            1 => Err("no such picture"),
            3 => panic!("picture {index}"),
            _ => Ok(images[*index % images.len()].clone()),
        };
        let take = |record: captioning::Record<usize, &str>| {
            assert!(seen.insert(record.picture));
            match (record.picture % 5, &record.captions) {
                (1, Err(Failure::Open("no such picture"))) => failed += 1,
                (3, Err(Failure::Panicked { message })) if message.starts_with("picture ") => {
                    failed += 1;
                }
                (0 | 2 | 4, Ok(captions)) => assert_eq!(captions.len(), 2),
                (_, other) => panic!("{other:?}"),
            }
            ControlFlow::Continue(())
        };
        pipeline.run(0..40, open, take).unwrap();
        assert_eq!((seen.len(), failed), (40, 16));
    }
}

#[test]
fn no_more_pictures_are_under_way_than_the_window_and_a_break_ends_at_once() {
    let captioner = captioner();
    let options = CaptionOptions::new(config(&captioner, 1));
    let images = images();
    let pipeline = Pipeline::new(&captioner, &captioner.languages()[..1], &options).unwrap();
    let pipeline = pipeline.with_plan(plan(1, 1, 2, 2));
    let window = pipeline.plan().window;
    let (begun, mut taken) = (AtomicUsize::new(0), 0);
    let endless = std::iter::from_fn(|| Some(begun.fetch_add(1, Ordering::SeqCst)));
    let open = |index: &mut usize| Ok::<_, String>(images[*index % images.len()].clone());
    pipeline
        .run(endless, open, |_| {
            taken += 1;
            assert!(begun.load(Ordering::SeqCst) < taken + window);
            match taken < 30 {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })
        .unwrap();
    assert_eq!(taken, 30);
}

#[test]
fn no_pictures_and_no_languages_are_no_records_and_no_captions() {
    let captioner = captioner();
    let options = CaptionOptions::new(config(&captioner, 2));
    let image = images().remove(0);
    let open = |_: &mut u8| Ok::<_, String>(image.clone());
    let pipeline = Pipeline::new(&captioner, captioner.languages(), &options).unwrap();
    pipeline
        .run(std::iter::empty(), open, |_| {
            unreachable!("there is no picture")
        })
        .unwrap();
    let pipeline = Pipeline::new(&captioner, &[], &options).unwrap();
    let mut records = 0;
    pipeline
        .run([1, 2].into_iter(), open, |record| {
            assert!(record.captions.unwrap().is_empty());
            records += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(records, 2);
}

#[test]
#[should_panic(expected = "the iterator")]
fn a_panic_of_the_iterator_reaches_the_caller() {
    let captioner = captioner();
    let options = CaptionOptions::new(config(&captioner, 1));
    let image = images().remove(0);
    let pipeline = Pipeline::new(&captioner, &captioner.languages()[..1], &options).unwrap();
    let pictures = (0..9).inspect(|number| assert!(*number < 5, "the iterator"));
    let open = |_: &mut i32| Ok::<_, String>(image.clone());
    let _ = pipeline.run(pictures, open, |_| ControlFlow::Continue(()));
}
