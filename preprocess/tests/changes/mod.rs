//! Tries changed tokenizer files. Each ends in an error or in a tokenizer that works on any text, never in a panic, and
//! takes memory in proportion to the file.
//!
//! The environment variable `MUTATIONS` is the number of changed files of each test.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use preprocess::text::Tokenizer;

use crate::random::Random;

/// Changed files per test, unless the environment says otherwise.
const CHANGES: usize = 2000;

const TEXTS: [&str; 6] = [
    "",
    "  a dog\ts. ",
    "ﬁne ＡＢＣ ½ e\u{301} \u{1}\u{200b} 😀👩\u{200d}👩 \u{fdfa}",
    "</s>en_XX <mask> <unk>blorp <0x41>",
    "\u{200b}",
    "▁▁a`` ''\n\n",
];

fn changes() -> usize {
    std::env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap())
}

/// Reads a file and uses the tokenizer if there is one, since damage may only show in use.
fn try_file(bytes: &[u8], from: fn(&[u8]) -> Result<Tokenizer, preprocess::Error>) -> bool {
    let mut result = None;
    let memory = allocation_counter::measure(|| result = Some(from(bytes))).bytes_max;
    let limit = bytes.len() as u64 * 320 + (4 << 20);
    assert!(
        memory <= limit,
        "{memory} bytes for a file of {}",
        bytes.len()
    );
    let tokenizer = match result.unwrap() {
        Ok(tokenizer) => tokenizer,
        Err(error) => {
            assert!(error.to_string().len() < 1000);
            return false;
        }
    };
    let language = tokenizer.languages().next();
    for text in TEXTS {
        let ids = match language {
            Some((language, _)) => tokenizer.encode(text, language.code, None),
            None => tokenizer.encode_text(text, true),
        };
        let Ok(ids) = ids else {
            continue;
        };
        let size = tokenizer.vocab_size();
        assert!(ids.iter().all(|id| (*id as usize) < size));
        for ids in [
            &ids[..],
            &ids[ids.len() / 3..],
            &[0, u32::MAX, 5, 5, size as u32],
        ] {
            let text = tokenizer.decode(ids, false);
            let mut stream = tokenizer.text_stream(false);
            let streamed = stream.push(ids).map(str::to_owned);
            assert_eq!(text.is_ok(), streamed.is_ok());
        }
    }
    let _ = tokenizer.token_texts();
    let saved = tokenizer.to_tokenizer_json().unwrap();
    let back = Tokenizer::from_tokenizer_json_bytes(saved.as_bytes()).unwrap();
    assert!(back.to_tokenizer_json().unwrap() == saved);
    true
}

/// Tries changed files, and says how many were accepted.
pub(crate) fn try_changes<F>(
    name: &str,
    from: fn(&[u8]) -> Result<Tokenizer, preprocess::Error>,
    mut changed: F,
) where
    F: FnMut(&mut Random) -> Vec<u8>,
{
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ name.len() as u64);
    let (mut accepted, mut slowest) = (0, Duration::ZERO);
    let count = changes();
    for number in 0..count {
        let bytes = changed(&mut random);
        let start = Instant::now();
        let result = panic::catch_unwind(AssertUnwindSafe(|| try_file(&bytes, from)));
        slowest = slowest.max(start.elapsed());
        match result {
            Ok(is_accepted) => accepted += usize::from(is_accepted),
            Err(_) => {
                let path = std::env::temp_dir().join(format!("{name}-{number}"));
                fs::write(&path, bytes).unwrap();
                panic!("change {number} of {name}, kept as {path:?}");
            }
        }
    }
    println!("{count} changed files of {name}: {accepted} accepted, the slowest took {slowest:?}");
    assert!(accepted > 0 && accepted < count, "{accepted} of {count}");
}

pub(crate) fn one<'t, T>(random: &mut Random, choices: &'t [T]) -> &'t T {
    &choices[random.below(choices.len())]
}
