use super::*;
use crate::Origin;
use crate::cleaning::explanation;

fn facts(identity: u8) -> Facts {
    Facts::Sound(Sound {
        width: 100,
        height: 80,
        identity: [identity; 16],
        near: None,
    })
}

fn example(name: &str, captions: &[(&str, &str)]) -> Example {
    Example {
        image: ImageSource::File(name.into()),
        captions: captions
            .iter()
            .map(|(language, text)| Caption {
                language: preprocess::text::language(language).unwrap(),
                text: (*text).to_owned(),
            })
            .collect(),
        url: None,
        origin: Origin {
            file: "table.tsv".into(),
            row: 2,
        },
    }
}

/// What becomes of an example: its captions, or the reasons; and the reasons of captions.
fn summary(verdict: Verdict) -> String {
    let texts = |example: &Example| {
        let texts = example.captions.iter().map(|caption| caption.text.clone());
        texts.collect::<Vec<_>>().join(", ")
    };
    let (result, dropped) = match &verdict {
        Verdict::Kept(kept) => (texts(&kept.example), &kept.dropped_captions),
        Verdict::Dropped(dropped) => {
            let reasons = dropped.reasons.iter().map(ToString::to_string);
            (
                format!("- {}", reasons.collect::<Vec<_>>().join(", ")),
                &dropped.dropped_captions,
            )
        }
    };
    let rules = dropped
        .iter()
        .flat_map(|caption| caption.reasons.iter().map(|reason| reason.rule));
    let rules: Vec<_> = rules
        .inspect(|rule| assert!(explanation(rule).is_some()))
        .collect();
    match rules.is_empty() {
        true => result,
        false => format!("{result} | {}", rules.join(", ")),
    }
}

#[test]
fn a_bad_caption_costs_itself_and_an_image_without_captions_is_dropped() {
    let mut cleaner = Cleaner::new(CleaningConfig::default()).unwrap();
    for (identity, captions, expected) in [
        (
            1,
            &[
                ("en", "a cat"),
                ("fr", "<br>"),
                ("en", "a cat "),
                ("de", "a cat"),
            ][..],
            "a cat, a cat | html, repeated_caption",
        ),
        (2, &[("en", " \t")], "- no_caption | empty_caption"),
        (3, &[], "- no_caption"),
        (
            4,
            &[("en", "a\u{fffd}\0 cat")],
            "- no_caption | control_characters, replacement_characters",
        ),
        (5, &[("zh", "猫"), ("en", "ab")], "猫 | too_short"),
    ] {
        let verdict = cleaner.decide(example("a.png", captions), facts(identity));
        assert_eq!(summary(verdict), expected);
    }
}

#[test]
fn only_wanted_languages_are_kept_and_all_of_them_if_required() {
    let mut config = CleaningConfig {
        languages: vec!["en".into(), "French".into()],
        ..CleaningConfig::default()
    };
    let both = [("en", "a cat"), ("fr", "un chat"), ("de", "eine Katze")];
    let one = [("fr", "un chat"), ("en", "")];
    let run = |config: &CleaningConfig, captions: &[(&str, &str)]| {
        let mut cleaner = Cleaner::new(config.clone()).unwrap();
        summary(cleaner.decide(example("a.png", captions), facts(1)))
    };
    assert_eq!(run(&config, &both), "a cat, un chat | unwanted_language");
    assert_eq!(run(&config, &one), "un chat | empty_caption");
    config.require_all_languages = true;
    assert_eq!(run(&config, &both), "a cat, un chat | unwanted_language");
    assert_eq!(
        run(&config, &one),
        "- missing_language: en_XX | empty_caption"
    );
}

#[test]
fn the_languages_of_an_image_count_wherever_its_rows_stand() {
    let config = CleaningConfig {
        languages: vec!["en".into(), "fr".into()],
        require_all_languages: true,
        ..CleaningConfig::default()
    };
    let rows = [
        ("a.png", vec![("en", "a cat")]),
        ("b.png", vec![("en", "a dog")]),
        ("a.png", vec![("fr", "un chat")]),
        ("c.png", vec![("en", "a cow"), ("fr", "")]),
        ("c.png", vec![("en", "a brown cow")]),
    ];
    let run = |survey: bool| {
        let mut cleaner = Cleaner::new(config.clone()).unwrap();
        for (name, captions) in &rows {
            match survey {
                true => cleaner.survey(&example(name, captions)),
                false => continue,
            }
        }
        let facts = |name: &str| facts(name.as_bytes()[0]);
        let decide = |(name, captions): &(&str, Vec<(&str, &str)>)| {
            summary(cleaner.decide(example(name, captions), facts(name)))
        };
        rows.iter().map(decide).collect::<Vec<_>>()
    };
    let missing = "- missing_language: fr_XX";
    assert_eq!(
        run(true),
        [
            "a cat",
            missing,
            "un chat",
            "- missing_language: fr_XX | empty_caption",
            missing
        ]
    );
    assert!(
        run(false)
            .iter()
            .all(|found| found.starts_with("- missing"))
    );
}

#[test]
fn the_first_picture_that_is_kept_stays_and_the_same_name_is_no_duplicate() {
    let mut cleaner = Cleaner::new(CleaningConfig::default()).unwrap();
    let good = [("en", "a cat")];
    let mut run = |name: &str, captions: &[(&str, &str)]| {
        summary(cleaner.decide(example(name, captions), facts(1)))
    };
    assert_eq!(run("bad.png", &[]), "- no_caption");
    assert_eq!(run("first.png", &good), "a cat");
    assert_eq!(run("second.png", &good), "- duplicate_image: of example 2");
    assert_eq!(run("first.png", &[("fr", "un chat")]), "un chat");
    let mut config = CleaningConfig::default();
    config.duplicates.drop_exact = false;
    let mut cleaner = Cleaner::new(config).unwrap();
    let parts =
        ["a.png", "b.png"].map(
            |name| match cleaner.decide(example(name, &good), facts(1)) {
                Verdict::Kept(kept) => kept.split,
                Verdict::Dropped(_) => panic!(),
            },
        );
    assert_eq!(parts[0], parts[1], "a picture is never in both parts");
}

#[cfg(feature = "near-duplicates")]
#[test]
fn a_picture_that_was_saved_smaller_is_a_near_duplicate() {
    use preprocess::image::{Resample, decode, resize};

    let data = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../preprocess/tests/data/images"
    );
    let picture = decode::open(
        format!("{data}/jpeg-420.jpg"),
        &decode::DecodeOptions::default(),
    )
    .unwrap();
    let smaller = resize(
        &picture,
        picture.width() * 3 / 4,
        picture.height() * 3 / 4,
        Resample::Bicubic,
    )
    .unwrap();
    let bytes = |picture: &preprocess::image::RgbImage| {
        let mut bytes = format!("P6 {} {} 255\n", picture.width(), picture.height()).into_bytes();
        bytes.extend(picture.pixels());
        bytes
    };
    let mut config = CleaningConfig::default();
    config.pictures.min_side = 1;
    config.duplicates.near_distance = Some(3);
    let mut cleaner = Cleaner::new(config).unwrap();
    let found = [("a", &picture), ("b", &smaller)].map(|(name, picture)| {
        let mut example = example("", &[("en", "a harbour")]);
        example.image = ImageSource::Bytes {
            name: name.into(),
            bytes: bytes(picture),
        };
        summary(cleaner.clean(example).unwrap())
    });
    assert_eq!(found, ["a harbour", "- near_duplicate_image: of example 1"]);
}

#[test]
fn a_common_caption_stays_with_the_first_images() {
    let mut config = CleaningConfig::default();
    config.captions.max_images_per_caption = Some(2);
    let mut cleaner = Cleaner::new(config).unwrap();
    let found: Vec<_> = (0..4)
        .map(|identity| {
            summary(cleaner.decide(
                example("a.png", &[("en", "a photo"), ("fr", "un no")]),
                facts(identity),
            ))
        })
        .collect();
    assert_eq!(found[1], "a photo, un no");
    assert_eq!(found[2], "- no_caption | common_caption, common_caption");
}

#[test]
fn captions_change_only_if_asked() {
    let run = |normalise| {
        let config = CleaningConfig {
            normalise,
            ..CleaningConfig::default()
        };
        let mut cleaner = Cleaner::new(config).unwrap();
        summary(cleaner.decide(
            example("a.png", &[("fr", " le cafe\u{301}  noir")]),
            facts(1),
        ))
    };
    assert_eq!(run(false), " le cafe\u{301}  noir");
    assert_eq!(run(true), "le café noir");
}

#[test]
fn a_rule_of_ones_own_is_one_more() {
    struct Shouting;
    impl CaptionRule for Shouting {
        fn name(&self) -> &'static str {
            "shouting"
        }

        fn check(&self, caption: &Caption) -> Option<String> {
            caption
                .text
                .ends_with('!')
                .then(|| "an exclamation mark".into())
        }
    }
    let cleaner = Cleaner::new(CleaningConfig::default()).unwrap();
    let mut cleaner = cleaner.with_caption_rule(Box::new(Shouting));
    let Verdict::Dropped(dropped) = cleaner.decide(example("a.png", &[("en", "a cat!")]), facts(1))
    else {
        panic!()
    };
    assert_eq!(
        dropped.dropped_captions[0].reasons[0].to_string(),
        "shouting: an exclamation mark"
    );
}

/// Kept pictures are all that is remembered. Run with `--ignored --nocapture` for ten million.
fn bytes_for_each(count: u32, near: bool) -> f64 {
    let mut config = CleaningConfig::default();
    if near {
        config.duplicates.near_distance = Some(3);
    }
    let allocated = allocation_counter::measure(|| {
        let mut cleaner = Cleaner::new(config).unwrap();
        for number in 0..count {
            // Numbers that look random, and none of them twice (the end of SplitMix64).
            let mixed = u64::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            let hash = mixed ^ mixed >> 31;
            let identity = u128::from(hash) << 64 | u128::from(hash);
            let picture = Sound {
                width: 100,
                height: 80,
                identity: identity.to_le_bytes(),
                near: near.then_some(hash),
            };
            let verdict =
                cleaner.decide(example("a.png", &[("en", "a cat")]), Facts::Sound(picture));
            // A few look alike by chance.
            assert!(near || matches!(verdict, Verdict::Kept(_)));
        }
    });
    allocated.bytes_max as f64 / f64::from(count)
}

#[test]
fn memory_is_some_bytes_for_each_picture_that_is_kept() {
    let bytes = bytes_for_each(500_000, false);
    assert!(bytes < 40.0, "{bytes}");
}

#[test]
#[ignore = "takes long; prints what the documentation says"]
fn memory_of_ten_million_pictures() {
    println!(
        "{} bytes for each picture",
        bytes_for_each(10_000_000, false)
    );
    if cfg!(feature = "near-duplicates") {
        println!(
            "{} bytes with near duplicates",
            bytes_for_each(10_000_000, true)
        );
    }
}
