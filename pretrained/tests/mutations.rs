//! Damaged files of every form are errors; they never cause a panic, or an allocation larger than the
//! file can fill. The targets are those of `fuzz/`, here with changes from a seeded generator, so that
//! they run with any compiler. `MUTATIONS=1000000 cargo test --release --test mutations` makes more
//! changes.

#[path = "../fuzz/readers.rs"]
mod readers;

use std::panic;
use std::path::Path;

/// Changes per file, unless the environment says otherwise.
const CHANGES: usize = 3000;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Makes one to four changes of the kinds that break parsers: bits, bytes, extreme values, and lost,
/// repeated or moved parts. Headers are changed more often than the values after them.
fn changed(original: &[u8], random: &mut Random) -> Vec<u8> {
    const EXTREME: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(4) {
        let end = match random.below(4) {
            0 => bytes.len(),
            1 => bytes.len().min(64),
            _ => bytes.len().min(4096),
        };
        let place = random.below(end);
        let length = 1 + random.below(16);
        let last = bytes.len().min(place + length);
        if bytes.is_empty() {
            break;
        }
        match random.below(8) {
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = random.next() as u8,
            2 => bytes[place..last].fill(EXTREME[random.below(EXTREME.len())]),
            3 => bytes.truncate(place),
            4 => drop(bytes.drain(place..last)),
            5 => {
                let part = bytes[place..last].to_vec();
                let target = random.below(bytes.len());
                bytes.splice(target..target, part);
            }
            6 => {
                let part = bytes[place..last].to_vec();
                let target = random.below(bytes.len() + 1 - part.len());
                bytes[target..target + part.len()].copy_from_slice(&part);
            }
            _ => bytes.extend((0..length).map(|_| random.next() as u8)),
        }
    }
    bytes
}

fn try_changes(file: &str, target: fn(&[u8])) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/forms")
        .join(file);
    let original = std::fs::read(path).unwrap();
    target(&original);
    let changes = std::env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap());
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ file.len() as u64);
    for number in 0..changes {
        let bytes = changed(&original, &mut random);
        let result = panic::catch_unwind(|| target(&bytes));
        assert!(result.is_ok(), "change {number} of {file}");
    }
}

#[test]
fn changed_safetensors_files_never_panic() {
    try_changes("safetensors/model.safetensors", readers::safetensors);
}

#[test]
fn changed_flax_files_never_panic() {
    try_changes("flax-published/flax_model.msgpack", readers::flax);
    try_changes("flax-parts-bfloat16/flax_model.msgpack", readers::flax);
}

#[cfg(feature = "pytorch")]
#[test]
fn changed_pytorch_files_never_panic() {
    try_changes("pytorch/pytorch_model.bin", readers::pytorch);
    try_changes("pytorch-legacy/pytorch_model.bin", readers::pytorch);
}

#[test]
fn changed_indices_never_panic_and_never_leave_the_folder() {
    let index = br#"{"metadata": {"total_size": 4}, "weight_map": {"a": "shard"}}"#;
    readers::index(index);
    let mut random = Random(7);
    for _ in 0..CHANGES {
        readers::index(&changed(index, &mut random));
    }
}

#[test]
fn changed_configurations_never_panic() {
    try_changes("safetensors/config.json", readers::config);
    try_changes("flax-published/config.json", readers::config);
}
