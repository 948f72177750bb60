//! Text decoded token by token equals the text decoded at once: with the small vocabulary always, with the published
//! one where the checkout has it, and with the decoders that a `tokenizer.json` may name.

use std::fs;

use preprocess::text::{TextStream, Tokenizer};
use serde_json::{Value, json as value};

mod common;
mod random;
use common::{DATA, ORACLE, TOKENIZERS, joined, sentences, with_added_tokens};
use random::Random;

/// The sentences of all languages, and the texts of the references, random and hard ones among them.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = sentences().into_values().collect();
    let text = |row: &Value| row["text"].as_str().unwrap().to_owned();
    let rows = fs::read(format!("{DATA}/reference.json")).unwrap();
    let rows: Value = serde_json::from_slice(&rows).unwrap();
    texts.extend(rows.as_array().unwrap().iter().map(text));
    if let Ok(reference) = fs::read(format!("{ORACLE}/tokenizer.json.reference")) {
        let reference: Value = serde_json::from_slice(&reference).unwrap();
        texts.extend(reference["encodings"].as_array().unwrap().iter().map(text));
    }
    texts
}

/// Token ids, some of them special and some outside the vocabulary.
fn random_ids(random: &mut Random, tokenizer: &Tokenizer, length: usize) -> Vec<u32> {
    let size = tokenizer.vocab_size();
    let id = |random: &mut Random| match random.below(4) {
        0 => random.below(4),
        1 => size - 1 - random.below(52.min(size)),
        _ => random.below(size + 3),
    };
    (0..length).map(|_| id(random) as u32).collect()
}

/// A tokenizer with pieces of all kinds and this decoder. Ids: 4 special tokens, 6 pieces, 256 bytes, a language.
fn with_decoder(decoder: Value) -> Tokenizer {
    let mut tokens = ["<s>", "<pad>", "</s>", "<unk>"]
        .map(str::to_owned)
        .to_vec();
    tokens.extend(["▁a", "▁", "b", "▁▁c", "", "\u{FFFD}"].map(str::to_owned));
    tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    tokens.push("en_XX".to_owned());
    let special = [0, 1, 2, 3, tokens.len() - 1].map(|id| {
        value!({"id": id, "content": tokens[id], "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false})
    });
    let vocab: Vec<Value> = tokens.iter().map(|token| value!([token, 0.0])).collect();
    let file = value!({
        "added_tokens": special,
        "decoder": decoder,
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": true, "vocab": vocab},
    });
    Tokenizer::from_tokenizer_json_bytes(file.to_string().as_bytes()).unwrap()
}

/// The ids of these bytes in [`with_decoder`]'s vocabulary.
fn bytes(bytes: &[u8]) -> Vec<u32> {
    bytes.iter().map(|byte| 10 + u32::from(*byte)).collect()
}

/// The decoder of Llama's tokenizers.
fn byte_fallback() -> Value {
    value!({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]})
}

/// The ids without the byte pieces of an incomplete character at their end.
fn without_incomplete(tokenizer: &Tokenizer, ids: &[u32], skip_special_tokens: bool) -> Vec<u32> {
    let is_text = |id: &&u32| {
        let token = tokenizer.id_to_token(**id);
        token.is_some_and(|_| !skip_special_tokens || (4..266).contains(*id))
    };
    let ids: Vec<u32> = ids.iter().filter(is_text).copied().collect();
    for count in 1..=3.min(ids.len()) {
        let (before, last) = ids.split_at(ids.len() - count);
        let last: Option<Vec<u8>> = last
            .iter()
            .map(|id| u8::try_from(id.checked_sub(10)?).ok())
            .collect();
        let error = last.and_then(|bytes| String::from_utf8(bytes).err());
        let error = error.map(|error| error.utf8_error());
        if error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none()) {
            return before.to_vec();
        }
    }
    ids
}

/// Pushes the ids one by one. At every prefix the stream must have its text, returned so far or pending, and the text
/// with the other ids must be that of all.
fn check<'t>(
    tokenizer: &'t Tokenizer,
    ids: &[u32],
    skip_special_tokens: bool,
    expected: impl Fn(&[u32]) -> String,
) -> TextStream<'t> {
    let all = expected(ids);
    let mut stream = tokenizer.text_stream(skip_special_tokens);
    let mut returned = String::new();
    for (count, id) in (1..).zip(ids) {
        returned += stream.push(&[*id]).unwrap();
        assert_eq!(
            stream.text(),
            expected(&ids[..count]),
            "{:?}",
            &ids[..count]
        );
        assert_eq!(stream.settled(), returned, "{ids:?}");
        assert_eq!(returned.clone() + stream.pending(), stream.text());
        assert_eq!(stream.text_with(&ids[count..]).unwrap(), all, "{ids:?}");
        assert_eq!(stream.token_count(), count);
    }
    let mut at_once = tokenizer.text_stream(skip_special_tokens);
    at_once.push(ids).unwrap();
    assert_eq!(
        (at_once.text(), at_once.settled()),
        (stream.text(), stream.settled())
    );
    stream
}

#[test]
fn texts_in_all_scripts_come_token_by_token_and_are_settled_at_once() {
    for tokenizer in TOKENIZERS.iter() {
        let token_texts = tokenizer.token_texts();
        for text in texts() {
            let ids = tokenizer.encode(&text, "en_XX", None).unwrap();
            for skip in [true, false] {
                let decode = |ids: &[u32]| tokenizer.decode(ids, skip).unwrap();
                let stream = check(tokenizer, &ids, skip, decode);
                assert_eq!(stream.pending(), "");
                assert!(!skip || stream.settled() == joined(&token_texts, &ids));
            }
        }
    }
}

#[test]
fn random_tokens_come_token_by_token() {
    let mut random = Random(11);
    let added = with_added_tokens();
    for tokenizer in TOKENIZERS.iter().chain([&added]) {
        for row in 0..300 {
            let ids = random_ids(&mut random, tokenizer, row % 20);
            for skip in [true, false] {
                let decode = |ids: &[u32]| tokenizer.decode(ids, skip).unwrap();
                let stream = check(tokenizer, &ids, skip, decode);
                assert_eq!(stream.pending(), "");
            }
        }
    }
}

#[test]
fn texts_spelled_in_bytes_come_character_by_character() {
    let tokenizer = with_decoder(byte_fallback());
    for text in texts() {
        let ids = bytes(text.as_bytes());
        let decode = |ids: &[u32]| {
            let ids = without_incomplete(&tokenizer, ids, true);
            tokenizer.decode(&ids, true).unwrap()
        };
        let mut stream = check(&tokenizer, &ids, true, decode);
        assert!(!stream.text().contains('\u{FFFD}') || text.contains('\u{FFFD}'));
        // The run of byte pieces is over.
        stream.push(&[6]).unwrap();
        assert_eq!(
            stream.settled(),
            text.strip_prefix(' ').unwrap_or(&text).to_owned() + "b"
        );
    }
}

#[test]
fn random_bytes_and_pieces_come_as_with_every_decoder() {
    let replace = value!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "});
    let fallback = value!({"type": "ByteFallback"});
    let fuse = value!({"type": "Fuse"});
    let strip = |start| value!({"type": "Strip", "content": " ", "start": start, "stop": 0});
    let sequence = |steps: &[&Value]| value!({"type": "Sequence", "decoders": steps});
    let metaspace = value!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"});
    let mut random = Random(13);
    for (decoder, byte_fallback) in [
        (byte_fallback(), true),
        (sequence(&[&replace, &fallback]), true),
        (sequence(&[&replace, &fallback, &fuse, &strip(2)]), true),
        (sequence(&[&fallback, &strip(1)]), true),
        (sequence(&[&replace, &fuse, &strip(3)]), false),
        (sequence(&[&fuse, &replace]), false),
        (sequence(&[&metaspace, &fallback]), false),
        (sequence(&[&replace, &fallback, &fallback]), false),
        (metaspace.clone(), false),
        (Value::Null, false),
        (
            value!({"type": "WordPiece", "prefix": "b", "cleanup": true}),
            false,
        ),
        (
            value!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
            false,
        ),
        (
            value!({"type": "Replace", "pattern": {"String": "a"}, "content": ""}),
            false,
        ),
        (strip(1), false),
    ] {
        let tokenizer = with_decoder(decoder);
        for row in 0..600 {
            let ids: Vec<u32> = (0..row % 12)
                .map(|_| match random.below(4) {
                    0 => random.below(tokenizer.vocab_size() + 1) as u32,
                    1 => 4 + random.below(6) as u32,
                    // Bytes that often make characters.
                    2 => 10 + u32::from([b'x', 0xC3, 0xE2, 0xF0][random.below(4)]),
                    _ => 10 + u32::from([0x80u8, 0x82, 0xAC, 0x9F][random.below(4)]),
                })
                .collect();
            for skip in [true, false] {
                check(&tokenizer, &ids, skip, |ids| {
                    let ids = match byte_fallback {
                        true => without_incomplete(&tokenizer, ids, skip),
                        false => ids.to_vec(),
                    };
                    // Some decoders panic without tokens.
                    let has_text = |id: &&u32| !skip || (4..266).contains(*id);
                    let known = |id: &&u32| tokenizer.id_to_token(**id).is_some();
                    match ids.iter().filter(known).any(|id| has_text(&id)) {
                        true => tokenizer.decode(&ids, skip).unwrap(),
                        false => String::new(),
                    }
                });
            }
        }
    }
}

#[test]
fn a_character_comes_when_its_last_byte_does_and_settles_when_its_run_ends() {
    let tokenizer = with_decoder(byte_fallback());
    let mut stream = tokenizer.text_stream(true);
    assert_eq!(stream.push(&[4]).unwrap(), "a");
    let euro = bytes("€".as_bytes());
    for id in &euro[..2] {
        assert_eq!(stream.push(&[*id]).unwrap(), "");
        assert_eq!(stream.text(), "a");
    }
    stream.push(&euro[2..]).unwrap();
    assert_eq!((stream.settled(), stream.pending()), ("a", "€"));
    // An invalid byte changes the whole run, as in `decode`.
    assert_eq!(
        stream.text_with(&bytes(&[0x80])).unwrap(),
        "a\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"
    );
    // A special token that is skipped does not end the run.
    assert_eq!(stream.push(&[2]).unwrap(), "");
    assert_eq!(stream.push(&[6]).unwrap(), "€b");
}

#[test]
fn a_clone_goes_its_own_way() {
    let tokenizer = &TOKENIZERS[0];
    let ids = tokenizer.encode("a dog on a beach", "en_XX", None).unwrap();
    let (first, rest) = ids.split_at(3);
    let mut stream = tokenizer.text_stream(true);
    stream.push(first).unwrap();
    let mut clone = stream.clone();
    clone.push(rest).unwrap();
    assert_eq!(clone.text(), "a dog on a beach");
    assert_eq!(stream.text(), tokenizer.decode(first, true).unwrap());
}
