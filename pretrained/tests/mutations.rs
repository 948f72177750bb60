//! Damaged files of every form are errors; they never cause a panic, or an allocation larger than the
//! file can fill. The targets are those of `fuzz/`, here with changes from a seeded generator, so that
//! they run with any compiler. `MUTATIONS=1000000 cargo test --release --test mutations` makes more
//! changes.

#[path = "../fuzz/readers.rs"]
mod readers;

use std::panic;
use std::path::Path;

use burn::tensor::Device;
use checkpoint::StagedFolder;
use generation::GenerationConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use serde_json::{Value, json};

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

fn try_changes(file: &str, target: Target) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/forms")
        .join(file);
    let original = std::fs::read(path).unwrap();
    try_changes_of(file, &original, changes(), target, changed);
}

/// What reads a file, and has to do so without a panic.
type Target = fn(&[u8]);

/// The number of changes per file.
fn changes() -> usize {
    std::env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap())
}

/// Gives the target a file and its changes.
fn try_changes_of(
    file: &str,
    original: &[u8],
    changes: usize,
    target: Target,
    changed: impl Fn(&[u8], &mut Random) -> Vec<u8>,
) {
    target(original);
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ file.len() as u64);
    for number in 0..changes {
        let bytes = changed(original, &mut random);
        let result = panic::catch_unwind(|| target(&bytes));
        assert!(result.is_ok(), "change {number} of {file}");
    }
}

/// Hostile files of every kind that was found, and their changes. `cargo fuzz run TARGET corpus/TARGET seeds/TARGET`
/// begins with them too.
#[test]
fn files_of_the_corpus_and_their_changes_never_panic() {
    let targets: [(&str, Target); 6] = [
        ("config", readers::config),
        ("index", readers::index),
        ("safetensors", readers::safetensors),
        ("packed", readers::packed),
        ("flax", readers::flax),
        #[cfg(feature = "pytorch")]
        ("pytorch", readers::pytorch),
        #[cfg(not(feature = "pytorch"))]
        ("flax", readers::flax),
    ];
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, target) in targets {
        for entry in std::fs::read_dir(seeds.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let original = std::fs::read(&path).unwrap();
            let name = path.display().to_string();
            // Fewer of each, because there are many files.
            try_changes_of(&name, &original, changes() / 10, target, changed);
        }
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
    try_changes_of("index", index, changes(), readers::index, changed);
    try_changes_of(
        "tree of an index",
        index,
        changes(),
        readers::index,
        changed_tree,
    );
}

#[test]
fn changed_packed_files_never_panic() {
    for format in ["f32", "int8", "int4:8"] {
        let original = packed(format);
        // Fewer, because such a file is larger than the others.
        let changes = changes() / 5;
        try_changes_of(format, &original, changes, readers::packed, changed);
        try_changes_of(format, &original, changes, readers::packed, changed_header);
    }
}

#[test]
fn changed_headers_of_safetensors_never_panic() {
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let original = std::fs::read(forms.join("safetensors/model.safetensors")).unwrap();
    try_changes_of(
        "header",
        &original,
        changes(),
        readers::safetensors,
        changed_header,
    );
}

#[test]
fn changed_configurations_never_panic() {
    try_changes("safetensors/config.json", readers::config);
    try_changes("flax-published/config.json", readers::config);
    for form in ["safetensors", "flax-published", "clip", "mbart"] {
        let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
        let original = std::fs::read(forms.join(form).join("config.json")).unwrap();
        try_changes_of(form, &original, changes(), readers::config, changed_tree);
    }
}

/// A small packed file.
fn packed(format: &str) -> Vec<u8> {
    let config = VisionEncoderDecoderConfig::tiny();
    let weights = Weights::Packed(format.parse().unwrap());
    let options = GenerationConfig::default();
    let model = Pretrained::from_config(config, options, weights, &Device::flex());
    let folder = tempfile::tempdir().unwrap();
    let staged = StagedFolder::new(folder.path()).unwrap();
    model.write_packed(&staged).unwrap();
    staged.commit().unwrap();
    std::fs::read(folder.path().join("model.packed.safetensors")).unwrap()
}

/// Changes the JSON of a header, and keeps the rest of the file where the header says that it is.
fn changed_header(original: &[u8], random: &mut Random) -> Vec<u8> {
    let length = u64::from_le_bytes(original[..8].try_into().unwrap()) as usize;
    let (header, rest) = original[8..].split_at(length);
    let header = changed_tree(header, random);
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], &header, rest].concat()
}

/// Changes one to three values of a JSON text: to another type, an extreme or one from elsewhere in the text; or
/// removes, repeats or renames an entry. The text is JSON again.
fn changed_tree(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut tree: Value = serde_json::from_slice(original).unwrap();
    for _ in 0..=random.below(3) {
        let places = count(&tree);
        let donor = {
            let place = random.below(places);
            value_at(&mut tree, place).map_or(Value::Null, |value| value.clone())
        };
        let place = random.below(places);
        let Some(value) = value_at(&mut tree, place) else {
            continue;
        };
        match random.below(5) {
            0 | 1 => *value = extreme(random),
            2 => *value = donor,
            3 => match value {
                Value::Object(entries) => {
                    let key = entries.keys().nth(random.below(entries.len())).cloned();
                    if let Some((key, entry)) = key.and_then(|key| entries.remove_entry(&key)) {
                        entries.insert(format!("{key}."), entry);
                    }
                }
                Value::Array(items) => items.truncate(random.below(items.len())),
                other => *other = Value::Null,
            },
            _ => match value {
                Value::Object(entries) => {
                    let key = entries.keys().nth(random.below(entries.len())).cloned();
                    key.map(|key| entries.remove(&key));
                }
                Value::Array(items) => items.extend(items.clone()),
                Value::String(text) => text.insert(0, '/'),
                Value::Number(number) => {
                    *value = number.as_i64().unwrap_or(0).wrapping_add(1).into();
                }
                other => *other = Value::Bool(true),
            },
        }
    }
    serde_json::to_vec(&tree).unwrap()
}

/// The number of values in a tree.
fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Object(entries) => entries.values().map(count).sum::<usize>(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The value at a place of the tree, counted from its root.
fn value_at(tree: &mut Value, place: usize) -> Option<&mut Value> {
    if place == 0 {
        return Some(tree);
    }
    let children: Box<dyn Iterator<Item = &mut Value>> = match tree {
        Value::Object(entries) => Box::new(entries.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => return None,
    };
    let mut rest = place - 1;
    for child in children {
        let size = count(child);
        if rest < size {
            return value_at(child, rest);
        }
        rest -= size;
    }
    None
}

fn extreme(random: &mut Random) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1u64 << 20),
        json!(1u64 << 24),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(0.5),
        json!(1e308),
        json!(""),
        json!("../../x"),
        json!("int8:1x1"),
        json!("int4:99999999999x64"),
        json!("\u{202e}\u{0}"),
        json!([]),
        json!([0]),
        json!([u64::MAX, u64::MAX]),
        json!([[[]]]),
        json!({}),
        json!({"": {"": {}}}),
    ];
    values[random.below(values.len())].clone()
}
