//! Batches: every example once, the same after a pause, whatever the threads, with broken pictures left out.

use std::fs;
use std::path::Path;

use datasets::{
    Augmentations, Batch, CaptionChoice, ColorJitter, Dataset, Error, GaussianBlur, IndexedDataset,
    Loader, LoaderConfig, Options, Position, RandomAffine, RandomResizedCrop, Shuffle, SkipReason,
};
use image::{ImageFormat, RgbImage};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};

/// A table of pictures, each with captions in three languages. Those whose number is in `broken` are missing or no pictures.
fn dataset(folder: &Path, count: u32, broken: &[u32]) -> IndexedDataset {
    let mut table = "image_file\tcaption\turl\tlang_id\n".to_owned();
    for number in 0..count {
        let path = folder.join(format!("{number}.png"));
        if !broken.contains(&number) {
            let picture = RgbImage::from_fn(9 + number % 7, 11, |x, y| {
                image::Rgb([(x * 20) as u8, (y * 20) as u8, number as u8])
            });
            picture.save_with_format(path, ImageFormat::Png).unwrap();
        } else if number % 2 == 0 {
            fs::write(path, "no picture").unwrap();
        }
        for language in ["en", "es", "fr"] {
            table += &format!("{number}.png\t{language} {number}\t\t{language}\n");
        }
    }
    let path = folder.join("table.tsv");
    fs::write(&path, table).unwrap();
    Dataset::open(path, &Options::default())
        .unwrap()
        .index()
        .unwrap()
}

fn processor() -> ImageProcessor {
    ImageProcessor::new(ImageProcessorConfig::as_published(8)).unwrap()
}

fn config() -> LoaderConfig {
    LoaderConfig {
        batch_size: 4,
        seed: 11,
        threads: 1,
        captions: CaptionChoice::AtMost(2),
        ..LoaderConfig::default()
    }
}

fn every_augmentation() -> Augmentations {
    Augmentations {
        random_resized_crop: Some(RandomResizedCrop::default()),
        horizontal_flip: 0.5,
        random_affine: Some(RandomAffine {
            degrees: 10.0,
            stretch: 1.2,
            ..RandomAffine::default()
        }),
        color_jitter: Some(ColorJitter {
            brightness: 0.3,
            contrast: 0.3,
            saturation: 0.3,
            hue: 0.1,
        }),
        grayscale: 0.2,
        gaussian_blur: Some(GaussianBlur::default()),
    }
}

fn batches(dataset: &IndexedDataset, config: LoaderConfig, from: Position, end: u64) -> Vec<Batch> {
    let loader = Loader::new(dataset.clone(), processor(), config).unwrap();
    loader
        .batches(from, end)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Everything that a batch says.
fn shown(batches: &[Batch]) -> Vec<String> {
    batches.iter().map(|batch| format!("{batch:?}")).collect()
}

#[test]
fn every_example_comes_once_in_an_epoch_and_in_another_order_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 23, &[]);
    let all = batches(&dataset, config(), Position::default(), 3);
    assert_eq!(all.len(), 18);
    let order = |epoch| -> Vec<u64> {
        all.iter()
            .filter(|batch| batch.epoch == epoch)
            .flat_map(|batch| batch.examples.clone())
            .collect()
    };
    for epoch in 0..3 {
        let mut seen = order(epoch);
        seen.sort();
        assert!(seen.into_iter().eq(0..23));
    }
    assert_ne!(order(0), order(1));
    for batch in &all {
        let images = batch.examples.len();
        assert_eq!(batch.pixel_values.shape, [images, 3, 8, 8]);
        assert_eq!(batch.pixel_values.values.len(), images * 192);
        assert_eq!(batch.captions.len(), images * 2);
        for caption in &batch.captions {
            // The caption belongs to its image, and so do the pixels.
            let number = batch.examples[caption.image];
            assert_eq!(
                caption.text,
                format!("{} {number}", &caption.language.code[..2])
            );
        }
    }
    let off = LoaderConfig {
        shuffle: Shuffle::Off,
        captions: CaptionChoice::All,
        ..config()
    };
    let given = batches(&dataset, off, Position::default(), 1);
    let order: Vec<u64> = given
        .iter()
        .flat_map(|batch| batch.examples.clone())
        .collect();
    assert!(order.into_iter().eq(0..23));
    assert_eq!(given[0].captions.len(), 12);
}

#[test]
fn pixels_are_those_of_the_image_processor() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 5, &[]);
    let batch = &batches(&dataset, config(), Position::default(), 1)[0];
    for (image, values) in batch
        .examples
        .iter()
        .zip(batch.pixel_values.values.chunks(192))
    {
        let path = folder.path().join(format!("{image}.png"));
        let decoded = preprocess::image::decode::open(path, &Default::default()).unwrap();
        assert_eq!(processor().process(&decoded).unwrap().values, values);
    }
}

#[test]
fn going_on_from_any_position_gives_the_batches_that_would_have_come() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 19, &[2, 3, 4, 5, 11, 18]);
    for drop_last in [false, true] {
        let config = LoaderConfig {
            drop_last,
            augmentations: every_augmentation(),
            ..config()
        };
        let all = batches(&dataset, config.clone(), Position::default(), 3);
        let whole = shown(&all);
        for (number, batch) in all.iter().enumerate() {
            let text = serde_json::to_string(&batch.next).unwrap();
            let position = serde_json::from_str(&text).unwrap();
            let rest = batches(&dataset, config.clone(), position, 3);
            assert_eq!(shown(&rest), whole[number + 1..], "after batch {number}");
        }
    }
}

#[test]
fn batches_are_the_same_with_one_thread_and_with_many() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 30, &[0, 7, 8, 9]);
    let with = |threads, read_ahead| {
        let augmentations = every_augmentation();
        let config = LoaderConfig {
            threads,
            read_ahead,
            augmentations,
            ..config()
        };
        shown(&batches(&dataset, config, Position::default(), 2))
    };
    let one = with(1, 1);
    for (threads, read_ahead) in [(4, 0), (4, 2), (2, 100), (0, 0)] {
        assert_eq!(with(threads, read_ahead), one);
    }
}

#[test]
fn broken_pictures_are_named_and_replaced_by_those_that_follow() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 20, &[1, 2, 13]);
    let loader = Loader::new(dataset, processor(), config()).unwrap();
    let mut iterator = loader.batches(Position::default(), 1).unwrap();
    let all: Vec<Batch> = iterator.by_ref().map(Result::unwrap).collect();
    let sizes: Vec<usize> = all.iter().map(|batch| batch.examples.len()).collect();
    assert_eq!(sizes, [4, 4, 4, 4, 1]);
    assert_eq!(iterator.skip_counts().count(SkipReason::Unreadable), 2);
    assert_eq!(iterator.skip_counts().count(SkipReason::NotAnImage), 1);
    assert_eq!(
        all.iter().map(|batch| batch.skipped.len()).sum::<usize>(),
        3
    );
    for skipped in all.iter().flat_map(|batch| &batch.skipped) {
        assert!(skipped.to_string().contains("table.tsv, row "), "{skipped}");
        assert!(skipped.image.as_ref().unwrap().ends_with(".png"));
    }
}

#[test]
fn devices_together_have_the_images_of_one_with_a_larger_batch() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 26, &[]);
    let one = batches(
        &dataset,
        LoaderConfig {
            batch_size: 12,
            drop_last: true,
            ..config()
        },
        Position::default(),
        2,
    );
    let ranks: Vec<Vec<Batch>> = (0..3)
        .map(|rank| {
            let config = LoaderConfig {
                rank,
                world_size: 3,
                drop_last: true,
                ..config()
            };
            batches(&dataset, config, Position::default(), 2)
        })
        .collect();
    for (number, batch) in one.iter().enumerate() {
        let mut together: Vec<u64> = ranks
            .iter()
            .flat_map(|rank| rank[number].examples.clone())
            .collect();
        let mut expected = batch.examples.clone();
        together.sort();
        expected.sort();
        assert_eq!(together, expected);
    }
}

#[test]
fn devices_have_as_many_batches_whatever_is_skipped_on_each() {
    let folder = tempfile::tempdir().unwrap();
    // The first nine of an epoch that is not shuffled: all images of the first batch of one device among them.
    let dataset = dataset(folder.path(), 26, &[0, 3, 6, 9, 4, 13]);
    for (drop_last, length, rest) in [(false, 3, 2), (true, 2, 0)] {
        let mut all = Vec::new();
        for rank in 0..3 {
            let config = LoaderConfig {
                rank,
                world_size: 3,
                drop_last,
                shuffle: Shuffle::Off,
                ..config()
            };
            let loader = Loader::new(dataset.clone(), processor(), config).unwrap();
            assert_eq!(loader.batches_per_epoch(), length);
            let mut iterator = loader.batches(Position::default(), 2).unwrap();
            let found: Vec<Batch> = iterator.by_ref().map(Result::unwrap).collect();
            assert_eq!(found.len() as u64, 2 * length, "{rank}");
            let positions: Vec<Position> = found.iter().map(|batch| batch.next).collect();
            assert_eq!(positions[0], Position { epoch: 0, index: 4 });
            assert_eq!(
                positions[length as usize - 1],
                Position { epoch: 1, index: 0 }
            );
            if rank == 0 {
                assert_eq!(found[0].pixel_values.shape, [0, 3, 0, 0]);
                assert!(found[0].captions.is_empty() && found[0].skipped.len() == 4);
            }
            let middle = batches(&dataset, loader.config().clone(), positions[0], 2);
            assert_eq!(shown(&middle), shown(&found[1..]));
            all.extend(found.into_iter().filter(|batch| batch.epoch == 0));
        }
        let mut images: Vec<u64> = all
            .iter()
            .flat_map(|batch| batch.examples.clone())
            .collect();
        images.sort();
        let expected = (0..24 + rest).filter(|image| ![0, 3, 6, 9, 4, 13].contains(image));
        assert!(images.into_iter().eq(expected), "{drop_last}");
    }
}

#[test]
fn languages_and_choices_of_captions_are_kept_to() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 60, &[]);
    let only = LoaderConfig {
        languages: vec!["es".to_owned(), "french".to_owned()],
        captions: CaptionChoice::All,
        ..config()
    };
    for batch in batches(&dataset, only, Position::default(), 1) {
        let codes: Vec<&str> = batch
            .captions
            .iter()
            .map(|caption| caption.language.code)
            .collect();
        assert_eq!(codes, ["es_XX", "fr_XX"].repeat(batch.examples.len()));
    }
    let one = LoaderConfig {
        captions: CaptionChoice::AtMost(1),
        ..config()
    };
    let chosen = batches(&dataset, one, Position::default(), 1);
    for code in ["en_XX", "es_XX", "fr_XX"] {
        let count = chosen
            .iter()
            .flat_map(|batch| &batch.captions)
            .filter(|caption| caption.language.code == code)
            .count();
        assert!((8..33).contains(&count), "{code}: {count} of 60");
    }
    let none = LoaderConfig {
        languages: vec!["de".to_owned()],
        ..config()
    };
    let loader = Loader::new(dataset, processor(), none).unwrap();
    let error = loader
        .batches(Position::default(), 9)
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(error, Error::NoExamples { skipped: 60, .. }),
        "{error}"
    );
}

#[test]
fn options_that_make_no_sense_and_empty_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 3, &[]);
    let refused = |config: LoaderConfig| {
        Loader::new(dataset.clone(), processor(), config)
            .err()
            .unwrap()
            .to_string()
    };
    assert!(
        refused(LoaderConfig {
            batch_size: 0,
            ..config()
        })
        .contains("batch_size")
    );
    assert!(
        refused(LoaderConfig {
            rank: 2,
            world_size: 2,
            ..config()
        })
        .contains("rank")
    );
    assert!(
        refused(LoaderConfig {
            drop_last: true,
            ..config()
        })
        .contains("drop_last")
    );
    assert!(
        refused(LoaderConfig {
            languages: vec!["tlh".to_owned()],
            ..config()
        })
        .contains("tlh")
    );
    assert!(
        refused(LoaderConfig {
            rank: 3,
            world_size: 4,
            ..config()
        })
        .contains("found none")
    );
    let loader = Loader::new(dataset.clone(), processor(), config()).unwrap();
    assert!(loader.batches(Position { epoch: 0, index: 4 }, 1).is_err());
    // Dropped before all of it was taken, and none at all.
    drop(loader.batches(Position::default(), u64::MAX).unwrap());
    assert!(
        loader
            .batches(Position { epoch: 5, index: 0 }, 2)
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_table_that_is_written_to_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), 6, &[]);
    let loader = Loader::new(dataset, processor(), config()).unwrap();
    let path = folder.path().join("table.tsv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "9.png\tmore\t\ten\n").unwrap();
    let mut iterator = loader.batches(Position::default(), 1).unwrap();
    let error = iterator.next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    assert!(iterator.next().is_none());
}
