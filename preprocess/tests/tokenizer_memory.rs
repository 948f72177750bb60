//! Reading takes memory in proportion to the file, and using a tokenizer takes memory and time in proportion to the
//! text, whatever the file holds.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use preprocess::Error;
use preprocess::text::Tokenizer;
use serde_json::{Map, Value, json as value};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

/// Bytes of memory for each byte of a file. Almost all of it is the model's trie, which takes some 350 bytes for each
/// byte that a piece does not share with others; a trained vocabulary shares most of them.
const FACTOR: u64 = 320;

/// The same for a file that is refused before its vocabulary becomes a model.
const REFUSED_FACTOR: u64 = 24;

/// What every tokenizer takes: a cache of the model with room for 10,000 words, and tables of the crates.
const CONSTANT: u64 = 2 << 20;

/// The largest size of the memory that reading these bytes takes at a time, and the result.
fn read(
    bytes: &[u8],
    read: fn(&[u8]) -> Result<Tokenizer, Error>,
) -> (u64, Result<Tokenizer, Error>) {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(read(bytes)));
    (info.bytes_max, result.unwrap())
}

fn check(name: &str, bytes: &[u8], from: fn(&[u8]) -> Result<Tokenizer, Error>) -> bool {
    let (memory, result) = read(bytes, from);
    let factor = match result {
        Ok(_) => FACTOR,
        Err(_) => REFUSED_FACTOR,
    };
    let size = bytes.len() as u64;
    println!(
        "{name}: {size} bytes, {memory} of memory, accepted: {}",
        result.is_ok()
    );
    assert!(
        memory <= size * factor + CONSTANT,
        "{name}: {memory} bytes for a file of {size}"
    );
    result.is_ok()
}

fn json(bytes: &[u8]) -> Result<Tokenizer, Error> {
    Tokenizer::from_tokenizer_json_bytes(bytes)
}

fn sentencepiece(bytes: &[u8]) -> Result<Tokenizer, Error> {
    Tokenizer::from_sentencepiece_bytes(bytes)
}

fn file() -> Value {
    serde_json::from_slice(&fs::read(format!("{DATA}/tokenizers/mbart50-v5.json")).unwrap())
        .unwrap()
}

/// A file whose vocabulary has these pieces after those of the small one.
fn with_pieces(pieces: impl Iterator<Item = String>) -> Vec<u8> {
    let mut file = file();
    file["added_tokens"] = value!([]);
    let vocabulary = file["model"]["vocab"].as_array_mut().unwrap();
    vocabulary.extend(pieces.map(|piece| value!([piece, -1.0])));
    file.to_string().into_bytes()
}

/// Texts of this length that share no beginning.
fn different(count: usize, length: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |index| {
        let mut text = format!("{index:05}");
        text.extend(std::iter::repeat_n('x', length.saturating_sub(text.len())));
        text
    })
}

/// A field of a protocol buffer that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend(bytes);
    field
}

fn sentencepiece_of<'p>(pieces: impl Iterator<Item = &'p str>) -> Vec<u8> {
    let specials = ["<unk>", "<s>", "</s>"].into_iter();
    let pieces = specials.chain(pieces);
    pieces
        .flat_map(|piece| field(1, &field(1, piece.as_bytes())))
        .collect()
}

#[test]
fn vocabularies_take_memory_in_proportion_to_their_files() {
    let name = "text/sentencepiece.bpe.model";
    let bytes = fs::read(format!("{DATA}/{name}")).unwrap();
    assert!(check(name, &bytes, sentencepiece));
    for entry in fs::read_dir(format!("{DATA}/tokenizers")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert!(check(
                &path.display().to_string(),
                &fs::read(&path).unwrap(),
                json
            ));
        }
    }
    // The most memory for each byte that the limits allow, in both forms.
    let pieces: Vec<_> = different(20_000, 20).collect();
    assert!(check(
        "different pieces",
        &with_pieces(pieces.iter().cloned()),
        json
    ));
    let bytes = sentencepiece_of(pieces.iter().map(String::as_str));
    assert!(check("different pieces", &bytes, sentencepiece));
    // Twice as long ones share too little.
    let pieces: Vec<_> = different(20_000, 40).collect();
    assert!(!check(
        "long pieces",
        &with_pieces(pieces.iter().cloned()),
        json
    ));
    let bytes = sentencepiece_of(pieces.iter().map(String::as_str));
    assert!(!check("long pieces", &bytes, sentencepiece));
}

#[test]
fn hostile_files_take_no_memory_to_speak_of() {
    let bytes = fs::read(format!(
        "{DATA}/tokenizers/refused/many-regular-expressions.json"
    ))
    .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(!check("regular expressions", text.as_bytes(), json));
    let attack = format!("{SHARED}/attack/05-tokenizer-json-1500-regexes/tokenizer.json");
    if let Ok(bytes) = fs::read(attack) {
        assert!(!check("1500 regular expressions", &bytes, json));
    }
    for (name, part, found) in [
        (
            "steps",
            "decoder",
            value!({"type": "Sequence", "decoders": vec![0; 1 << 20]}),
        ),
        ("text", "normalizer", value!({"type": "x".repeat(4 << 20)})),
        (
            "text of a step",
            "normalizer",
            value!({"type": "Replace", "pattern": {"String": "x".repeat(4 << 20)}, "content": ""}),
        ),
        (
            "table",
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": "A".repeat(8 << 20)}),
        ),
        (
            "table at the limit",
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": "AAAA".repeat(1 << 20)}),
        ),
        (
            "key",
            "model",
            value!({"type": "Unigram", "x".repeat(4 << 20): 1}),
        ),
        (
            "piece",
            "model",
            value!({"type": "Unigram", "unk_id": 0, "vocab": [["x".repeat(4 << 20), 0.0]]}),
        ),
        (
            "empty pieces",
            "model",
            value!({"type": "Unigram", "unk_id": 0, "vocab": vec![value!(["", 0]); 1 << 20]}),
        ),
        ("numbers", "added_tokens", value!(vec![0; 1 << 20])),
        (
            "added token",
            "added_tokens",
            value!([{"id": 20, "content": "x".repeat(4 << 20), "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false, "special": true}]),
        ),
    ] {
        let mut file = file();
        file[part] = found;
        assert!(!check(name, file.to_string().as_bytes(), json));
    }
    let empty = [0x0A, 0x00].repeat(2 << 20);
    assert!(!check("empty pieces", &empty, sentencepiece));
    let one = sentencepiece_of(["x".repeat(4 << 20).as_str()].into_iter());
    assert!(!check("long piece", &one, sentencepiece));
    let table = field(3, &field(2, &vec![0; 8 << 20]));
    assert!(!check(
        "table",
        &[sentencepiece_of(["a"].into_iter()), table].concat(),
        sentencepiece
    ));
}

/// A file with BPE's model of this vocabulary and these merges.
fn with_merges(tokens: impl Iterator<Item = String>, merges: &[[&str; 2]]) -> Vec<u8> {
    let vocabulary: Map<String, Value> = tokens.zip((0..).map(|id: u32| value!(id))).collect();
    value!({"model": {"type": "BPE", "vocab": vocabulary, "merges": merges}})
        .to_string()
        .into_bytes()
}

#[test]
fn vocabularies_with_ids_take_memory_in_proportion_to_their_files() {
    for name in ["gpt2-json", "roberta-json", "bert-json", "donut"] {
        let bytes = fs::read(format!("{DATA}/classes/{name}/tokenizer.json")).unwrap();
        assert!(check(name, &bytes, json));
    }
    let short = || (0..200_000).map(|index| format!("{index:x}"));
    assert!(check("short tokens", &with_merges(short(), &[]), json));
    let merges = vec![["1", "0"]; 200_000];
    assert!(check("many merges", &with_merges(short(), &merges), json));
    let many = (0..=1 << 20).map(|index| format!("{index:x}"));
    assert!(!check("too many tokens", &with_merges(many, &[]), json));
    let far = br#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1048575}, "merges": []}}"#;
    assert!(check("a far id", far, json));
    let far = br#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 4294967295}, "merges": []}}"#;
    assert!(!check("a farther id", far, json));
}

#[test]
fn long_words_take_time_in_proportion_whatever_is_merged() {
    // Merges that begin at the end of a word, at its start, and everywhere at once.
    let doubles: Vec<String> = (0..8).map(|power| "a".repeat(1 << power)).collect();
    let doubling: Vec<[&str; 2]> = doubles[..7].iter().map(|part| [&**part; 2]).collect();
    let longer: Vec<String> = (1..250).map(|length| "a".repeat(length)).collect();
    let growing: Vec<[&str; 2]> = longer[..248].iter().map(|part| [&**part, "a"]).collect();
    for (tokens, merges) in [(&doubles, &doubling), (&longer, &growing)] {
        let tokenizer = json(&with_merges(tokens.iter().cloned(), merges)).unwrap();
        let time = |length: usize| {
            let start = processor_time();
            let ids = tokenizer.encode_text(&"a".repeat(length), true).unwrap();
            assert!(ids.len() >= length / 250);
            processor_time() - start
        };
        let [short, long] = [time(30_000), time(300_000)];
        println!("{short:?} for 30,000 letters, {long:?} for 300,000");
        // With some room for a busy machine; a quadratic way takes a hundred times as long.
        assert!(long < short * 40 + Duration::from_millis(100));
    }
}

#[test]
fn added_tokens_take_memory_in_proportion_to_the_file() {
    for normalized in [false, true] {
        let mut file = file();
        let mut tokens = file["added_tokens"].as_array().unwrap().clone();
        for (id, content) in (20..).zip(different(5000, 200)) {
            tokens.push(value!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": normalized, "special": false}));
        }
        file["added_tokens"] = value!(tokens);
        check("added tokens", file.to_string().as_bytes(), json);
    }
}

#[test]
fn pieces_that_all_begin_alike_are_limited() {
    // Each character of "xxx..." would be compared with all of them.
    let nested = with_pieces((1..250).map(|length| "x".repeat(length)));
    let error = json(&nested).unwrap_err();
    assert!(error.to_string().contains("begins with"), "{error}");
    json(&with_pieces((1..80).map(|length| "x".repeat(length)))).unwrap();
}

/// The time that this thread has computed, which does not count the work of others on a busy machine; where the system
/// does not say it, the time since the first call.
fn processor_time() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split_whitespace().next();
    match nanoseconds.and_then(|number| number.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => FIRST.elapsed(),
    }
}

#[test]
fn hundreds_of_thousands_of_pieces_load_in_proportion() {
    let syllables = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"];
    let piece = |index: usize| {
        let mut piece = "▁".to_owned();
        piece.extend((0..6).map(|digit| syllables[index / 10usize.pow(digit) % 10]));
        piece
    };
    let time = |count: usize| {
        let bytes = with_pieces((0..count).map(piece));
        let start = processor_time();
        let tokenizer = json(&bytes).unwrap();
        assert_eq!(tokenizer.vocab_size(), count + 18);
        processor_time() - start
    };
    let [few, many] = [time(30_000), time(300_000)];
    println!("{few:?} for 30,000 pieces, {many:?} for 300,000");
    // Ten times as many, with some room for a busy machine; a quadratic way takes a hundred times as long.
    assert!(many < few * 40 + Duration::from_millis(100));
}

/// What texts are made of that take unusual ways through a tokenizer: spaces, characters that are replaced or removed,
/// long sequences of characters that belong together, tokens that take the space beside them.
const UNITS: [&str; 26] = [
    "a",
    "a ",
    " ",
    "  a",
    "\u{200b}",
    "\u{ff21}",
    "\u{fb01}",
    "e\u{301}",
    "\u{301}",
    "😀",
    "🇨🇭",
    "👩\u{200d}",
    "<mask>",
    " <mask> ",
    "blorp",
    " blorp ",
    "</s>",
    "▁",
    "▁a",
    "\u{0}",
    "\n",
    "☃",
    "க்ஷ",
    "각",
    "\u{1100}",
    "dog.",
];

/// Unicode's longest replacement: 33 bytes for 3.
const LONGEST: (&str, usize) = ("\u{fdfa}", 11);

#[test]
fn long_texts_take_time_and_memory_in_proportion() {
    // So many bytes for each byte of the text: words and tokens with their places, texts and alignments.
    const TEXT_FACTOR: usize = 300;
    // Byte-level BPE and BERT's steps make a word of each space or sign.
    const SMALL_WORDS_FACTOR: usize = 400;
    let units = UNITS.map(|unit| (unit, 1)).into_iter().chain([LONGEST]);
    for name in [
        "tokenizers/mbart50-v5",
        "tokenizers/xlm-roberta-2020",
        "tokenizers/byte-fallback",
        "classes/gpt2-json/tokenizer",
        "classes/bert-json/tokenizer",
        "classes/donut/tokenizer",
    ] {
        let path = format!("{DATA}/{name}.json");
        let tokenizer = Tokenizer::from_tokenizer_json(path).unwrap();
        for (unit, growth) in units.clone() {
            let text = unit.repeat(100_000 / unit.len());
            let start = processor_time();
            let mut ids = Vec::new();
            let info = allocation_counter::measure(|| {
                ids = tokenizer.encode_text(&text, true).unwrap();
            });
            tokenizer.decode(&ids, false).unwrap();
            let time = processor_time() - start;
            println!(
                "{name} {unit:?}: {time:?}, {} bytes, {} tokens",
                info.bytes_max,
                ids.len()
            );
            let factor = match name.contains("gpt2") || name.contains("bert") {
                true => SMALL_WORDS_FACTOR,
                false => TEXT_FACTOR,
            };
            let limit = (text.len() * growth * factor) as u64;
            assert!(
                info.bytes_max < limit,
                "{name} {unit:?} takes {} bytes",
                info.bytes_max
            );
            // A quadratic way takes minutes.
            assert!(
                time < Duration::from_secs(10) * growth as u32,
                "{name} {unit:?} takes {time:?}"
            );
        }
    }
}
