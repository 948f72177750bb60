//! SentencePiece models with changed pieces, scores, kinds and normalisation tables, and with damaged bytes.
//!
//! `MUTATIONS=1000000 cargo test -p preprocess --test sentencepiece_mutations` makes more changes.

use preprocess::text::Tokenizer;

mod changes;
mod random;
use changes::{one, try_changes};
use random::Random;

/// A field of a protocol buffer.
fn field(bytes: &mut Vec<u8>, number: u8, kind: u8, content: &[u8]) {
    bytes.push(number << 3 | kind);
    if kind == 2 {
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
    }
    bytes.extend(content);
}

/// A small SentencePiece model, whose pieces, scores and kinds are changed.
fn model(random: &mut Random) -> Vec<u8> {
    let mut pieces: Vec<&str> = ["<unk>", "<s>", "</s>"].to_vec();
    let known = [
        "▁", "▁a", "a", "▁dog", "d", "o", "g", "s", "", "▁▁", "\u{301}", "<0x41>", "\u{0}", "x",
    ];
    pieces.extend((0..random.below(30)).map(|_| *one(random, &known)));
    if random.below(20) == 0 {
        let index = random.below(pieces.len());
        pieces[index] = *one(random, &["<pad>", "en_XX", "<mask>", "</s>", "<unk>"]);
    }
    let mut bytes = Vec::new();
    for piece in pieces {
        let mut message = Vec::new();
        field(&mut message, 1, 2, piece.as_bytes());
        let score = *one(random, &[0.0f32, -1.0, -7.5, -3.0]);
        let wild = [
            f32::NAN,
            f32::INFINITY,
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
        ];
        let score = if random.below(60) == 0 {
            *one(random, &wild)
        } else {
            score
        };
        field(&mut message, 2, 5, &score.to_le_bytes());
        field(
            &mut message,
            3,
            0,
            &[*one(random, &[1, 1, 1, 1, 2, 3, 4, 5, 6])],
        );
        if random.below(60) == 0 {
            let length = random.below(message.len());
            message.truncate(length);
        }
        field(&mut bytes, 1, 2, &message);
    }
    if random.below(3) == 0 {
        let kind = *one(random, &[1, 1, 1, 2, 3, 4, 0, 127]);
        field(&mut bytes, 2, 2, &[0x18, kind]);
    }
    if random.below(3) == 0 {
        let mut units = vec![0u32; 256 + random.below(3)];
        units[0] = *one(random, &[0, 1, 64, 256, 1 << 21]) << 10;
        for _ in 0..random.below(12) {
            let index = random.below(units.len());
            units[index] = (random.below(300) as u32) << 10
                | (random.below(2) as u32) << 8
                | (index as u32 & 0xFF);
        }
        let mut table = (units.len() as u32 * 4).to_le_bytes().to_vec();
        table.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        table.extend(
            one(
                random,
                &["b\0", "", "\0", "long text without an end", "é\0"],
            )
            .as_bytes(),
        );
        let mut message = Vec::new();
        field(&mut message, 2, 2, &table);
        field(&mut bytes, 3, 2, &message);
    }
    if random.below(4) == 0 {
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[place] ^= 1 << random.below(8),
                1 => bytes[place] = *one(random, &[0, 1, 0x7F, 0x80, 0xFF]),
                2 => bytes.truncate(place.max(1)),
                _ => bytes.insert(place, 0xFF),
            }
        }
    }
    bytes
}

#[test]
fn changed_sentencepiece_models_never_panic() {
    try_changes(
        "sentencepiece.bpe.model",
        Tokenizer::from_sentencepiece_bytes,
        model,
    );
}
