//! `tokenizer.json` files with changes that keep their structure: parts of one put into another, numbers and texts of
//! extreme sizes, keys and entries lost, repeated or renamed.
//!
//! `MUTATIONS=1000000 cargo test -p preprocess --test tokenizer_mutations` makes more changes.

use std::fs;

use preprocess::Error;
use preprocess::text::Tokenizer;
use serde_json::{Value, json as value};

mod changes;
mod random;
use changes::{one, try_changes};
use random::Random;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// A value that a reader may not expect.
fn extreme(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => value!(random.below(2) == 0),
        2 => value!(one(
            random,
            &[0, 1, 2, 80, 255, u64::from(u32::MAX), 1 << 40, u64::MAX]
        )),
        3 => value!(one(random, &[-1i64, i64::MIN, -300])),
        4 => value!(one(random, &[0.0, -0.0, 1e-320, 1e308, -1e308, 0.5])),
        5 => value!(one(
            random,
            &[
                "",
                " ",
                "a",
                "▁",
                "▁▁",
                "\u{0}",
                "\u{301}",
                "<0x41>",
                "<unk>",
                "</s>",
                "en_XX",
                "Right",
                "AAAA",
                "(a+)+$",
                "\u{10ffff}",
            ]
        )),
        6 => value!("a▁ ".repeat(1 << random.below(12))),
        7 => value!([]),
        _ => value!({}),
    }
}

/// Whole steps, most of which no supported tokenizer has.
fn step(random: &mut Random) -> Value {
    let number = *one(random, &[0, 1, 3, usize::MAX]);
    let text = *one(random, &["", " ", "a", "▁", "aaaa", "</w>"]);
    let other = *one(random, &["", " ", "▁", "aaaaaa"]);
    let kind = *one(
        random,
        &[
            "Fuse",
            "ByteFallback",
            "NFC",
            "NFKD",
            "Nmt",
            "BertPreTokenizer",
            "WhitespaceSplit",
            "Whitespace",
            "StripAccents",
            "Lowercase",
            "UnicodeScripts",
            "Punctuation",
        ],
    );
    match random.below(18) {
        15 => {
            value!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": random.below(2) == 0,
            "strip_accents": null, "lowercase": random.below(2) == 0})
        }
        16 => {
            value!({"type": "BertProcessing", "sep": [text, number], "cls": [other, random.below(9)]})
        }
        17 => {
            value!({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {text: {"id": text, "ids": [number], "tokens": [other]}}})
        }
        0 => value!({"type": "BPEDecoder", "suffix": text}),
        1 => value!({"type": "Strip", "content": text, "start": number, "stop": random.below(2)}),
        2 => {
            value!({"type": "CTC", "pad_token": text, "word_delimiter_token": other, "cleanup": true})
        }
        3 => value!({"type": "Replace", "pattern": {"String": text}, "content": other}),
        4 => {
            value!({"type": "Replace", "pattern": {"Regex": one(random, &[" {2,}", "(a*)*b", r"\n", "\\w{80}", "["])},
            "content": other})
        }
        5 => value!({"type": "FixedLength", "length": number}),
        6 => {
            value!({"type": "Metaspace", "replacement": text, "prepend_scheme": one(random, &["always", "first",
            "never", "often"]), "split": random.below(2) == 0})
        }
        7 => value!({"type": "WordPiece", "prefix": text, "cleanup": true}),
        8 => {
            value!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true})
        }
        9 => {
            value!({"type": "Split", "pattern": {"Regex": "a|"}, "behavior": "Isolated", "invert": true})
        }
        10 => value!({"type": "Strip", "strip_left": true, "strip_right": random.below(2) == 0}),
        11 => value!({"type": "Prepend", "prepend": text}),
        12 => value!({"type": "Precompiled", "precompiled_charsmap": text}),
        _ => value!({"type": kind}),
    }
}

/// A place in the tree other than its root, chosen by going down at random.
fn place<'v>(tree: &'v mut Value, random: &mut Random) -> &'v mut Value {
    let count = tree.as_object().map_or(0, |object| object.len());
    if count == 0 {
        return tree;
    }
    let child = random.below(count);
    let child = tree
        .as_object_mut()
        .and_then(|object| object.values_mut().nth(child));
    below(child.expect("a child with this number"), random)
}

/// This place or one below it.
fn below<'v>(tree: &'v mut Value, random: &mut Random) -> &'v mut Value {
    let children = match tree {
        Value::Array(list) => list.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    if children == 0 || random.below(4) == 0 {
        return tree;
    }
    let child = random.below(children);
    match tree {
        Value::Array(list) => below(&mut list[child], random),
        Value::Object(object) => {
            let child = object.values_mut().nth(child);
            below(child.expect("a child with this number"), random)
        }
        tree => tree,
    }
}

/// Changes one place.
fn change(tree: &mut Value, parts: &[Value], random: &mut Random) {
    let part = one(random, parts).clone();
    let steps = ["normalizer", "pre_tokenizer", "decoder", "post_processor"];
    match random.below(12) {
        0 => *place(tree, random) = extreme(random),
        1 => *place(tree, random) = part,
        2 => tree[*one(random, &steps)] = step(random),
        3 => {
            let (key, list) = *one(
                random,
                &[
                    ("normalizer", "normalizers"),
                    ("pre_tokenizer", "pretokenizers"),
                    ("decoder", "decoders"),
                ],
            );
            let list_of = (0..random.below(18))
                .map(|_| step(random))
                .collect::<Vec<_>>();
            tree[key] = value!({"type": "Sequence", list: list_of});
        }
        4 => {
            let key = *one(
                random,
                &[
                    "id",
                    "content",
                    "lstrip",
                    "rstrip",
                    "normalized",
                    "single_word",
                    "special",
                ],
            );
            if let Some(tokens) = tree["added_tokens"]
                .as_array_mut()
                .filter(|list| !list.is_empty())
            {
                let index = random.below(tokens.len());
                let found = match random.below(3) {
                    0 => extreme(random),
                    1 => value!(random.below(30)),
                    _ => value!(random.below(2) == 0),
                };
                if let Some(token) = tokens[index].as_object_mut() {
                    token.insert(key.to_owned(), found);
                }
            }
        }
        5 => {
            let key = *one(
                random,
                &[
                    "type",
                    "unk_id",
                    "vocab",
                    "byte_fallback",
                    "dropout",
                    "merges",
                    "unk_token",
                    "ignore_merges",
                    "fuse_unk",
                    "continuing_subword_prefix",
                    "end_of_word_suffix",
                    "max_input_chars_per_word",
                ],
            );
            if let Some(model) = tree["model"].as_object_mut() {
                model.insert(key.to_owned(), extreme(random));
            }
        }
        // Neighbours lost, repeated, swapped and renamed.
        kind => match place(tree, random) {
            Value::Array(list) if !list.is_empty() => {
                let [index, other] = [(); 2].map(|()| random.below(list.len()));
                match kind {
                    6 | 7 => drop(list.remove(index)),
                    8 | 9 => list.insert(other, list[index].clone()),
                    10 => list.swap(index, other),
                    _ => list[index] = extreme(random),
                }
            }
            Value::Object(object) if !object.is_empty() => {
                let index = random.below(object.len());
                let key = object.keys().nth(index).cloned().unwrap();
                match kind {
                    6..=8 => drop(object.remove(&key)),
                    9 | 10 => {
                        let value = object.remove(&key).unwrap();
                        object.insert(key + "s", value);
                    }
                    _ => drop(object.insert(key, part)),
                }
            }
            leaf => *leaf = extreme(random),
        },
    }
}

/// All parts of a tree.
fn parts(tree: &Value, list: &mut Vec<Value>) {
    list.push(tree.clone());
    match tree {
        Value::Array(children) => children.iter().take(8).for_each(|child| parts(child, list)),
        Value::Object(children) => children.values().for_each(|child| parts(child, list)),
        _ => {}
    }
}

#[test]
fn changed_trees_of_tokenizer_json_never_panic() {
    let files_of = |folder| {
        let entries = fs::read_dir(format!("{DATA}/{folder}")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
        paths.sort();
        let trees = paths
            .iter()
            .map(|path| serde_json::from_slice(&fs::read(path).unwrap()));
        trees.collect::<Result<Vec<Value>, _>>().unwrap()
    };
    let mut files = files_of("tokenizers");
    for name in ["gpt2-json", "roberta-json", "bert-json", "donut"] {
        let bytes = fs::read(format!("{DATA}/classes/{name}/tokenizer.json")).unwrap();
        files.push(serde_json::from_slice(&bytes).unwrap());
    }
    let accepted = files.len();
    files.extend(files_of("tokenizers/refused"));
    let mut all = Vec::new();
    files.iter().for_each(|file| parts(file, &mut all));
    try_changes(
        "tokenizer.json",
        Tokenizer::from_tokenizer_json_bytes,
        |random| {
            // Mostly those that are accepted.
            let mut tree = match random.below(4) {
                0 => one(random, &files).clone(),
                _ => one(random, &files[..accepted]).clone(),
            };
            for _ in 0..=random.below(2) {
                // A root that became something else has nothing left to change.
                if tree.is_object() {
                    change(&mut tree, &all, random);
                }
            }
            let mut text = tree.to_string();
            if random.below(10) == 0 {
                // What a tree can't hold: a key twice, a number without end.
                let (from, to) = *one(
                    random,
                    &[
                        ("{\"type\"", "{\"type\":\"x\",\"type\""),
                        (":true", ":1e999"),
                        (",\"model\"", ",\"decoder\":null,\"model\""),
                        ("0.0", "-1e400"),
                        ("false", "NaN"),
                    ],
                );
                text = text.replacen(from, to, 1 + random.below(3));
            }
            text.into_bytes()
        },
    );
}

/// Reads a folder of these files: each begins with a line that is its name, and [`MARK`] stands between them.
fn folder(bytes: &[u8]) -> Result<Tokenizer, Error> {
    let folder = tempfile::tempdir().unwrap();
    for file in bytes.split(|byte| *byte == MARK) {
        let name = file.split(|byte| *byte == b'\n').next().unwrap();
        let content = &file[(name.len() + 1).min(file.len())..];
        // Of a folder without files, there is one part without a name.
        if !name.is_empty() {
            let name = str::from_utf8(name).unwrap();
            fs::write(folder.path().join(name), content).unwrap();
        }
    }
    Tokenizer::from_folder(folder.path())
}

/// Between files. No text has this byte.
const MARK: u8 = 0xFF;

#[test]
fn changed_vocabulary_files_never_panic() {
    let names = [
        "gpt2-framed",
        "roberta-old",
        "bert-cased",
        "vocab-txt",
        "characters",
    ];
    let folders: Vec<Vec<(String, Vec<u8>)>> = names
        .iter()
        .map(|name| {
            let entries = fs::read_dir(format!("{DATA}/classes/{name}")).unwrap();
            let mut files: Vec<_> = entries
                .map(|entry| entry.unwrap())
                .filter(|entry| entry.file_name() != "reference.json")
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, fs::read(entry.path()).unwrap())
                })
                .collect();
            files.sort();
            files
        })
        .collect();
    try_changes("vocabulary", folder, |random| {
        let mut files = one(random, &folders).clone();
        for _ in 0..=random.below(3) {
            let index = random.below(files.len());
            let content = &mut files[index].1;
            let lines: Vec<Vec<u8>> = content
                .split_inclusive(|byte| matches!(byte, b'\n' | b','))
                .map(<[u8]>::to_vec)
                .collect();
            if lines.is_empty() {
                continue;
            }
            let [line, other] = [(); 2].map(|()| random.below(lines.len()));
            let mut lines = lines;
            match random.below(7) {
                0 => drop(lines.remove(line)),
                1 => lines.insert(other, lines[line].clone()),
                2 => lines.swap(line, other),
                3 => lines[line] = extreme(random).to_string().into_bytes(),
                4 => lines.truncate(line),
                5 => {
                    // Any byte but the mark.
                    if let Some(byte) = lines[line].first_mut() {
                        *byte = random.below(usize::from(MARK)) as u8;
                    }
                }
                _ => drop(files.remove(index)),
            }
            if let Some((_, content)) = files.get_mut(index) {
                *content = lines.concat();
            }
            if files.is_empty() {
                break;
            }
        }
        let files = files
            .iter()
            .map(|(name, content)| [name.as_bytes(), b"\n", content].concat());
        files.collect::<Vec<_>>().join(&MARK)
    });
}

#[test]
fn changed_normalisation_tables_never_panic() {
    let text = fs::read_to_string(format!("{DATA}/tokenizers/mbart50-v5.json")).unwrap();
    let key = "\"precompiled_charsmap\":\"";
    let start = text.find(key).unwrap() + key.len();
    let end = start + text[start..].find('"').unwrap();
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // The units that are not zero, and the texts after them.
    let used: Vec<usize> = (start..end)
        .filter(|place| text.as_bytes()[*place] != b'A')
        .collect();
    try_changes(
        "precompiled_charsmap",
        Tokenizer::from_tokenizer_json_bytes,
        |random| {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=random.below(4) {
                let place = match random.below(3) {
                    0 => start + random.below(end - start),
                    _ => *one(random, &used),
                };
                bytes[place] = *one(random, LETTERS);
            }
            if random.below(8) == 0 {
                let length = 4 * random.below((end - start) / 4);
                bytes.drain(end - length..end);
            }
            bytes
        },
    );
}
