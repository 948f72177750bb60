//! Corpora that are empty, large or not captions at all.

use metrics::{Cider, Corpus, Error, MAX_TEXT_BYTES};

/// A generator of the same numbers in every run (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    /// A text of any characters, of which those that tokenizers look at are common.
    fn text(&mut self, longest: usize) -> String {
        let marks: Vec<char> = "  \n.,:;'\"`-()[]<>&?!0sntlw\u{2019}\u{bb}"
            .chars()
            .collect();
        let mut text = String::new();
        for _ in 0..self.below(longest) {
            match self.below(3) {
                0 => text.extend(char::from_u32(self.below(0x11_0000) as u32)),
                _ => text.push(marks[self.below(marks.len())]),
            }
        }
        text
    }
}

#[test]
fn an_empty_corpus_scores_0() {
    let scores = Corpus::default().score();
    assert_eq!(scores.captions, 0);
    for score in [
        scores.sacre_bleu,
        scores.chrf,
        scores.rouge_l,
        scores.cider,
        scores.exact_match,
        scores.mean_length,
    ] {
        assert_eq!(score, 0.0);
    }
    for scores in [scores.bleu, scores.batch_bleu, scores.coco_bleu] {
        assert_eq!(scores, [0.0; 4]);
    }
    assert_eq!(scores.distinct, [0.0; 2]);
}

#[test]
fn any_text_has_scores_within_their_bounds() {
    let mut random = Random(16);
    let mut corpus = Corpus::default();
    for _ in 0..400 {
        let references: Vec<String> = (0..1 + random.below(3)).map(|_| random.text(60)).collect();
        let prediction = match random.below(3) {
            0 => references[0].clone(),
            _ => random.text(60),
        };
        corpus.add(&prediction, &references).unwrap();
        let scores = corpus.score();
        let units = [scores.bleu, scores.batch_bleu, scores.coco_bleu].concat();
        for unit in [
            units,
            scores.distinct.to_vec(),
            vec![scores.rouge_l, scores.exact_match],
        ]
        .concat()
        {
            assert!((0.0..=1.000_001).contains(&unit), "{scores:?}");
        }
        for percent in [scores.sacre_bleu, scores.chrf, scores.cider * 10.0] {
            assert!((0.0..=100.000_1).contains(&percent), "{scores:?}");
        }
    }
}

/// Captions of words of which few are common and many rare, as in any language.
fn caption(random: &mut Random, words: usize) -> String {
    let word = |random: &mut Random| {
        let common = 1 << random.below(14);
        let rank = random.below(common);
        format!("word{rank}")
    };
    (0..words)
        .map(|_| word(random))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn equal_corpora_have_equal_scores_to_the_last_bit() {
    let corpus = || {
        let mut random = Random(5);
        let mut corpus = Corpus::default();
        for _ in 0..300 {
            let references = [caption(&mut random, 12), caption(&mut random, 10)];
            let mut prediction = references[0].clone();
            prediction.truncate(40);
            corpus.add(&prediction, &references).unwrap();
        }
        corpus.score()
    };
    let first = corpus();
    for _ in 0..20 {
        let again = corpus();
        assert_eq!(again.cider.to_bits(), first.cider.to_bits());
        assert_eq!(again, first);
    }
}

#[test]
fn memory_is_what_the_documentation_says() {
    let words = 2 * 20_000 * 12;
    let mut random = Random(6);
    let captions: Vec<[String; 2]> = (0..20_000)
        .map(|_| [caption(&mut random, 12), caption(&mut random, 12)])
        .collect();
    let cider = allocation_counter::measure(|| {
        let mut cider = Cider::default();
        for [prediction, reference] in &captions {
            cider.add(prediction, &[reference]).unwrap();
        }
        assert!(cider.score() < 10.0);
    });
    let corpus = allocation_counter::measure(|| {
        let mut corpus = Corpus::default();
        for [prediction, reference] in &captions {
            corpus.add(prediction, &[reference]).unwrap();
        }
        assert!(corpus.score().cider < 10.0);
    });
    let [cider, corpus] = [cider, corpus].map(|used| used.bytes_max as f64 / f64::from(words));
    println!("bytes for each word: CIDEr {cider}, all scores {corpus}");
    assert!(cider < 100.0 && corpus < 120.0, "{cider} and {corpus}");
}

#[test]
fn a_perfect_corpus_has_perfect_scores() {
    let captions = [
        "a dog and a red ball",
        "two cats on the grass",
        "one boat, two people",
    ];
    let references: Vec<_> = captions.iter().map(|caption| vec![*caption]).collect();
    let scores = Corpus::of(&captions, &references).unwrap().score();
    for score in [scores.bleu, scores.batch_bleu, scores.coco_bleu].concat() {
        assert!((score - 1.0).abs() < 1e-8);
    }
    assert!((scores.sacre_bleu - 100.0).abs() < 1e-9 && (scores.chrf - 100.0).abs() < 1e-9);
    assert_eq!((scores.rouge_l, scores.exact_match), (1.0, 1.0));
    assert!((scores.cider - 10.0).abs() < 1e-9);
    assert_eq!(scores.mean_length, 16.0 / 3.0);
}

#[test]
fn captions_that_cannot_be_scored_are_refused_and_change_nothing() {
    let mut corpus = Corpus::default();
    corpus.add("a dog", &["a dog"]).unwrap();
    let before = corpus.score();
    assert_eq!(corpus.add("a dog", &[] as &[&str]), Err(Error::NoReference));
    let long = "a ".repeat(MAX_TEXT_BYTES / 2 + 1);
    for (prediction, reference) in [(long.as_str(), "a"), ("a", long.as_str())] {
        let error = corpus.add(prediction, &[reference]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a text has 65538 bytes, more than the 65536 that a caption may have"
        );
    }
    assert_eq!(corpus.score(), before);
    let error = Corpus::of(&["a", "b"], &[vec!["a"]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are 2 predictions and references for 1: expected as many of one as of the other"
    );
}

#[test]
fn the_longest_text_of_any_kind_is_scored() {
    for unit in [
        "a ",
        "'",
        ". ",
        "! ",
        "\"",
        "`",
        "-",
        "a.b",
        "can",
        "n't ",
        "  ",
        "\u{1f436}",
        "1,",
    ] {
        let text = unit.repeat(MAX_TEXT_BYTES / unit.len());
        let mut corpus = Corpus::default();
        corpus.add(&text, &[&text]).unwrap();
        assert_eq!(corpus.score().exact_match, 1.0);
    }
}
