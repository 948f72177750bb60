//! The text that each token adds: in the small vocabulary always, in the published one where the checkout has it.

use std::fs;

use preprocess::text::{LANGUAGES, Tokenizer};
use serde_json::{Value, json as value};

mod common;
use common::{DATA, ORACLE, TOKENIZERS, joined, sentences, with_added_tokens};

/// Hard texts: emoji with joiners, combining marks, spaces of all kinds, the mark that stands for a space.
const HARD: [&str; 10] = [
    "",
    "   two  spaces ",
    "😀🚒🏄\u{200d}♀️ end",
    "e\u{301}e\u{301} a\u{30a}\u{323} क\u{93c}ि",
    "▁▁under ▁lines▁",
    "\ttab\nline\u{a0}hard\u{3000}wide\u{200b}zero",
    "</s> es_XX literal <mask> <unk>",
    "½ ﬁne ＡＢＣ １２３ ㌔ ｶﾀｶﾅ",
    "\u{1F469}\u{200d}\u{1F469}\u{200d}\u{1F467} 👍🏽 🇨🇭",
    "3,5 m² — “naïve” … 10€",
];

/// The sentences of all languages, the hard texts and those of the references, which include random ones.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = sentences().into_values().collect();
    texts.extend(HARD.map(str::to_owned));
    let rows: Value =
        serde_json::from_slice(&fs::read(format!("{DATA}/reference.json")).unwrap()).unwrap();
    let mut rows = rows.as_array().unwrap().clone();
    if let Ok(bytes) = fs::read(format!("{ORACLE}/tokenizer.json.reference")) {
        let reference: Value = serde_json::from_slice(&bytes).unwrap();
        rows.extend(reference["encodings"].as_array().unwrap().iter().cloned());
    }
    texts.extend(
        rows.iter()
            .map(|row| row["text"].as_str().unwrap().to_owned()),
    );
    texts
}

/// A tokenizer of the ids `<s> <pad> </s> <unk> ▁a <0x41> <0xE2> en_XX` with this decoder.
fn with_decoder(decoder: Value) -> Tokenizer {
    let tokens = [
        "<s>", "<pad>", "</s>", "<unk>", "▁a", "<0x41>", "<0xE2>", "en_XX",
    ];
    let special = [0, 1, 2, 3, 7].map(|id: usize| {
        value!({"id": id, "content": tokens[id], "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false})
    });
    let file = value!({
        "added_tokens": special,
        "decoder": decoder,
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": true,
            "vocab": tokens.map(|token| value!([token, 0.0]))},
    });
    Tokenizer::from_tokenizer_json_bytes(file.to_string().as_bytes()).unwrap()
}

#[test]
fn the_texts_of_tokens_joined_are_the_decoded_text() {
    for tokenizer in TOKENIZERS.iter() {
        let token_texts = tokenizer.token_texts();
        for text in texts() {
            let ids = tokenizer.encode(&text, "en_XX", None).unwrap();
            let decoded = tokenizer.decode(&ids, true).unwrap();
            assert_eq!(joined(&token_texts, &ids), decoded, "{text:?}");
        }
    }
}

#[test]
fn the_texts_of_random_ids_joined_are_the_decoded_text() {
    for tokenizer in TOKENIZERS.iter() {
        let token_texts = tokenizer.token_texts();
        // A linear congruential generator, so that failures repeat.
        let mut random = 1u64;
        for row in 0..2000 {
            let ids: Vec<u32> = (0..row % 12)
                .map(|_| {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                    ((random >> 33) % tokenizer.vocab_size() as u64) as u32
                })
                .collect();
            let decoded = tokenizer.decode(&ids, true).unwrap();
            assert_eq!(joined(&token_texts, &ids), decoded, "{ids:?}");
        }
    }
}

#[test]
fn every_token_alone_adds_its_text() {
    for tokenizer in TOKENIZERS.iter() {
        let token_texts = tokenizer.token_texts();
        assert_eq!(token_texts.len(), tokenizer.vocab_size());
        for id in 0..tokenizer.vocab_size() as u32 {
            let decoded = tokenizer.decode(&[id], true).unwrap();
            assert_eq!(joined(&token_texts, &[id]), decoded, "{id}");
        }
    }
}

#[test]
fn the_mark_for_a_space_is_a_space_and_special_tokens_have_no_text() {
    for tokenizer in TOKENIZERS.iter() {
        let token_texts = tokenizer.token_texts();
        let text = |token| &token_texts[tokenizer.token_id(token).unwrap() as usize];
        assert_eq!(text("▁sun").as_deref(), Some(" sun"));
        assert_eq!(text("▁").as_deref(), Some(" "));
        assert_eq!(text("a").as_deref(), Some("a"));
        let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
        let codes = LANGUAGES.map(|language| language.code);
        for token in special.into_iter().chain(codes) {
            assert_eq!(*text(token), None, "{token}");
        }
        let without = token_texts.iter().filter(|text| text.is_none()).count();
        assert_eq!(without, special.len() + LANGUAGES.len());
    }
}

#[test]
fn added_tokens_have_a_text_unless_they_are_special() {
    assert_eq!(
        with_added_tokens().token_texts()[1653..],
        [None, None, Some("blorp".to_owned())]
    );
}

#[test]
fn a_byte_is_the_text_that_it_decodes_to_alone() {
    let tokenizer = with_decoder(value!({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]}));
    let texts = tokenizer.token_texts();
    assert_eq!(
        texts[4..],
        [" a", "A", "\u{FFFD}"]
            .map(|text| Some(text.to_owned()))
            .into_iter()
            .chain([None])
            .collect::<Vec<_>>()
    );
    assert_eq!(tokenizer.decode(&[4, 5, 4], true).unwrap(), "aA a");
    assert_eq!(joined(&texts, &[4, 5, 4]), "aA a");
}

#[test]
fn without_a_decoder_tokens_are_joined_by_spaces() {
    let tokenizer = with_decoder(Value::Null);
    let texts = tokenizer.token_texts();
    assert_eq!(texts[4].as_deref(), Some(" ▁a"));
    let decoded = tokenizer.decode(&[4, 5, 4], true).unwrap();
    assert_eq!(joined(&texts, &[4, 5, 4]), decoded);
}
