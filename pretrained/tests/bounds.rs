//! Files that announce more than they have are refused within a second, in memory that is in proportion to the file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Sizes, chain, write};
use pretrained::VisionEncoderDecoderConfig;
use tempfile::TempDir;

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 1,
    vocabulary: 60,
};

/// Tries to load a folder. Asserts that it fails, with which message, how fast, and that it takes no more than `bytes`.
fn refused(folder: &Path, bytes: u64, expected: &str) {
    let start = Instant::now();
    let mut result = None;
    let used = allocation_counter::measure(|| result = Some(crate::common::load(folder)));
    let message = chain(&result.unwrap().unwrap_err());
    assert!(message.contains(expected), "{expected}: {message}");
    let (time, peak) = (start.elapsed(), used.bytes_max);
    assert!(peak < bytes, "{expected}: {peak} bytes");
    // Ten times as much for machines that are busy with other tests.
    assert!(time < Duration::from_secs(10), "{expected}: {time:?}");
}

/// A checkpoint without weights.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), SMALL.config_json()).unwrap();
    folder
}

/// Refuses a file of weights in memory of `factor` times its size and a mebibyte.
fn refuse(file: &str, content: &[u8], factor: u64, expected: &str) {
    let folder = folder();
    fs::write(folder.path().join(file), content).unwrap();
    let bytes = factor * content.len() as u64 + (1 << 20);
    refused(folder.path(), bytes, expected);
}

fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

#[test]
fn configurations_take_no_memory_for_what_is_not_used() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &SMALL.config_json(), &SMALL.tensors());
    let path = folder.path().join("config.json");
    let nested = r#"{"":0},"#.repeat(500_000) + "0";
    let whole = SMALL.config_json();
    let inner = whole.trim_end().strip_suffix('}').unwrap();
    let with = |entry: &str| format!("{inner}, {entry}}}");
    let unused = with(&format!(r#""unused": [{nested}]"#));
    let used = allocation_counter::measure(|| {
        VisionEncoderDecoderConfig::from_json(&unused).unwrap();
    });
    assert!(used.bytes_max < 1 << 20, "{}", used.bytes_max);
    fs::write(&path, &unused).unwrap();
    let size = unused.len() as u64;
    let used = allocation_counter::measure(|| drop(crate::common::load(folder.path()).unwrap()));
    assert!(used.bytes_max < 2 * size, "{}", used.bytes_max);

    for (key, value) in [
        ("eos_token_id", format!("[{nested}]")),
        (
            "bad_words_ids",
            "[".repeat(1_000_000) + &"]".repeat(1_000_000),
        ),
    ] {
        let text = with(&format!(r#""{key}": {value}"#));
        fs::write(&path, &text).unwrap();
        // As in transformers, an option is an error only for who uses it. Until then its text is kept.
        let mut loaded = None;
        let used =
            allocation_counter::measure(|| loaded = Some(crate::common::load(folder.path())));
        assert!(
            used.bytes_max < 6 * text.len() as u64,
            "{key}: {}",
            used.bytes_max
        );
        let options = loaded.unwrap().unwrap().generation_config;
        let message = chain(&options.validate(1).unwrap_err());
        assert!(message.contains(key) && message.len() < 1000, "{message}");
    }
    let part = whole.replace(r#""d_model": 24"#, &format!(r#""d_model": [{nested}]"#));
    fs::write(&path, &part).unwrap();
    refused(
        folder.path(),
        2 * part.len() as u64 + (1 << 20),
        "d_model has",
    );
    let long = with(&format!(r#""x": "{}""#, "a".repeat(17 << 20)));
    fs::write(&path, &long).unwrap();
    refused(folder.path(), 1 << 20, "more than the 4194304");
}

#[test]
fn sizes_are_compared_with_the_weights_before_memory_is_asked_for() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &SMALL.config_json(), &SMALL.tensors());
    let path = folder.path().join("config.json");
    let original = SMALL.config_json();
    let size = fs::metadata(folder.path().join("model.safetensors"))
        .unwrap()
        .len();
    for (from, to, expected) in [
        (
            r#""vocab_size": 60"#,
            r#""vocab_size": 16777216"#,
            "embed_tokens",
        ),
        (
            r#""vocab_size": 60"#,
            r#""vocab_size": 2147483648"#,
            "vocab_size",
        ),
        (r#""d_model": 24"#, r#""d_model": 16777216"#, "shape"),
        (r#""d_model": 24"#, r#""d_model": 1099511627776"#, "d_model"),
        (r#""hidden_size": 16"#, r#""hidden_size": 1048576"#, "shape"),
        (
            r#""decoder_layers": 1"#,
            r#""decoder_layers": 1000000"#,
            "decoder_layers",
        ),
        (
            r#""decoder_layers": 1"#,
            r#""decoder_layers": 1000"#,
            "layers.1.",
        ),
        (
            r#""image_size": 16"#,
            r#""image_size": 1048576"#,
            "position_embedding",
        ),
        (
            r#""decoder_ffn_dim": 32"#,
            r#""decoder_ffn_dim": 16777216"#,
            "fc1",
        ),
        (
            r#""max_position_embeddings": 20"#,
            r#""max_position_embeddings": 16777216"#,
            "embed_positions",
        ),
    ] {
        assert!(original.contains(from), "{from}");
        fs::write(&path, original.replace(from, to)).unwrap();
        // A thousand layers, the most that a configuration may have, take 25 to 27 MB before a tensor is read.
        refused(folder.path(), 10 * size + (32 << 20), expected);
    }
}

#[test]
fn headers_of_safetensors_are_bounded() {
    let entry = r#""a0000000":{"dtype":"U8","shape":[],"data_offsets":[0,0]}"#;
    let mut many = String::from("{");
    for number in 0..120_000 {
        write!(
            many,
            "{},",
            entry.replace("0000000", &format!("{number:07}"))
        )
        .unwrap();
    }
    many.pop();
    many.push('}');
    refuse(
        "model.safetensors",
        &safetensors(&many),
        8,
        "more than 100000 tensors",
    );
    let shape = format!(
        r#"{{"a":{{"dtype":"U8","shape":[{}0],"data_offsets":[0,0]}}}}"#,
        "0,".repeat(1_000_000)
    );
    refuse(
        "model.safetensors",
        &safetensors(&shape),
        2,
        "more than 64 dimensions",
    );
    let mut texts = String::from(r#"{"__metadata__":{"#);
    for number in 0..120_000 {
        write!(texts, r#""{number}":"","#).unwrap();
    }
    texts.push_str(r#""a":""}}"#);
    refuse(
        "model.safetensors",
        &safetensors(&texts),
        20,
        "more than 100000 texts",
    );
    refuse(
        "model.packed.safetensors",
        &safetensors(&texts),
        20,
        "more than 100000 texts",
    );
    let claim = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    refuse("model.safetensors", &claim, 1, "claims");
    let claim = [&99_999_999u64.to_le_bytes()[..], b"{}"].concat();
    refuse("model.safetensors", &claim, 1, "claims");
    let huge = r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#;
    refuse("model.safetensors", &safetensors(huge), 1, "promises");
}

#[test]
fn indices_of_shards_are_bounded_and_read_in_linear_time() {
    let index = |entries: usize, file: fn(usize) -> String| {
        let mut text = String::from(r#"{"weight_map":{"#);
        for number in 0..entries {
            write!(text, r#""t{number}":"{}","#, file(number)).unwrap();
        }
        text.pop();
        text.push_str("}}");
        text
    };
    let file = "model.safetensors.index.json";
    let many = index(120_000, |_| "s".into());
    refuse(file, many.as_bytes(), 16, "more than 100000 entries");
    let files = index(90_000, |number| format!("s{number}"));
    refuse(file, files.as_bytes(), 20, "it names 90000 files");
    refuse(file, &vec![b' '; 17 << 20], 0, "more than the 16777216");
}

#[test]
fn flax_files_are_bounded() {
    // A map of as many empty maps, and one that claims more than there are.
    let mut maps = b"\xdf\x00\x10\x00\x00".to_vec();
    maps.extend(b"\xa1a\x80".repeat(1 << 20));
    refuse("flax_model.msgpack", &maps, 1, "no tensor");
    refuse(
        "flax_model.msgpack",
        b"\xdf\xff\xff\xff\xff",
        1,
        "ends too early",
    );
    refuse(
        "flax_model.msgpack",
        &b"\x81\xa1a".repeat(100_000),
        1,
        "nested",
    );
    let leaf = b"\xc7\x0d\x01\x93\x91\x00\xa7float32\xc4\x00";
    let mut leaves = b"\xdf\x00\x02\x00\x00".to_vec();
    for number in 0..1 << 17 {
        leaves.extend(b"\xa6");
        leaves.extend(format!("{number:06}").as_bytes());
        leaves.extend(leaf);
    }
    refuse("flax_model.msgpack", &leaves, 16, "at most 100000 arrays");
    let long = [&b"\x81\xdb\xff\xff\xff\xff"[..], b"a"].concat();
    refuse("flax_model.msgpack", &long, 1, "claims");
}

/// A TAR archive with one entry.
#[cfg(feature = "pytorch")]
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; content.len().next_multiple_of(512) - content.len() + 1024];
    [header, content.to_vec(), padding].concat()
}

#[cfg(feature = "pytorch")]
#[test]
fn pickles_are_bounded_in_every_container() {
    let bomb =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tied/deflated-bomb.bin"));
    refuse("pytorch_model.bin", &bomb.unwrap(), 8, "more objects");
    let many = [&b"\x80\x02("[..], &vec![b'N'; 4 << 20], b"l."].concat();
    refuse("pytorch_model.bin", &many, 1, "more objects");
    let legacy = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    refuse(
        "pytorch_model.bin",
        &[&legacy[..], &many].concat(),
        1,
        "more objects",
    );
    let nested = [&b"\x80\x02"[..], &vec![b']'; 1 << 20], b"."].concat();
    refuse("pytorch_model.bin", &nested, 1, "more objects");
    let text = [
        &b"\x80\x02X\xff\xff\xff\xff"[..],
        &vec![b'a'; 17 << 20],
        b".",
    ]
    .concat();
    refuse("pytorch_model.bin", &text, 1, "more than 16777216 bytes");
    for entry in ["pickle", "sys_info", "tensors", "storages"] {
        refuse("pytorch_model.bin", &tar(entry, &many), 1, "more objects");
    }
    // The first two letters of a ZIP archive, in the name of an entry.
    let named = tar("PK", b"");
    let named = [&named[..named.len() - 1024], &tar("pickle", &many)].concat();
    refuse("pytorch_model.bin", &named, 1, "more objects");
    let counted = [b"K\x01.", &many[..]].concat();
    for entry in ["tensors", "storages"] {
        refuse(
            "pytorch_model.bin",
            &tar(entry, &counted),
            1,
            "more objects",
        );
    }
    let hidden = [b"K\x01.ctorch\nFloatStorage\n.\0\0\0\0\0\0\0\0", &many[..]].concat();
    refuse(
        "pytorch_model.bin",
        &tar("storages", &hidden),
        1,
        "more objects",
    );
    let unusual = b"K\x01.]..".repeat(9);
    refuse(
        "pytorch_model.bin",
        &tar("storages", &unusual),
        1,
        "not as PyTorch writes them",
    );
    // Each list holds the one before it twice.
    let mut memo = b"\x80\x02]q\x00".to_vec();
    for _ in 0..200 {
        memo.extend(b"0](h\x00h\x00eq\x00");
    }
    memo.push(b'.');
    refuse("pytorch_model.bin", &memo, 1 << 17, "pickle");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    for name in [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "model.safetensors.index.json",
        #[cfg(feature = "pytorch")]
        "pytorch_model.bin",
        "flax_model.msgpack",
        "model.packed.safetensors",
    ] {
        for kind in ["pipe", "device", "folder", "pointer", "page"] {
            let folder = folder();
            let path = folder.path().join(name);
            let _ = fs::remove_file(&path);
            let expected = match kind {
                "pipe" => {
                    let made = std::process::Command::new("mkfifo").arg(&path).status();
                    assert!(made.unwrap().success());
                    "is not a regular file"
                }
                "device" => {
                    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
                    "is not a regular file"
                }
                "folder" => {
                    fs::create_dir(&path).unwrap();
                    "is a directory"
                }
                "pointer" => {
                    let text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
                    fs::write(&path, text).unwrap();
                    "Git LFS"
                }
                _ => {
                    fs::write(&path, "<!DOCTYPE html><html></html>").unwrap();
                    "a web page"
                }
            };
            refused(folder.path(), 1 << 20, expected);
        }
    }
}
