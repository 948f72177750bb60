//! Damaged and hostile files of every form are typed errors that name the file and what is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::LoadError as WeightsError;
use pretrained::LoadError;
use tempfile::TempDir;

const INDEX: &str = "model.safetensors.index.json";

/// A copy of one of the folders that `data/forms/make_reference.py` made.
fn copy(form: &str) -> TempDir {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(source.join(form)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn error(folder: &Path) -> WeightsError {
    match crate::common::load(folder).unwrap_err() {
        LoadError::Checkpoint(error) => error,
        other => panic!("{other}"),
    }
}

/// The first file of weights.
fn weights(folder: &Path) -> PathBuf {
    let names = [
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "flax_model.msgpack",
        #[cfg(feature = "pytorch")]
        "pytorch_model.bin",
        #[cfg(feature = "pytorch")]
        "pytorch_model-00001-of-00002.bin",
    ];
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.exists()).unwrap()
}

#[test]
fn a_file_that_is_cut_short_is_named_whatever_its_form() {
    for form in [
        "safetensors",
        "safetensors-sharded",
        "flax",
        "flax-parts-bfloat16",
        #[cfg(feature = "pytorch")]
        "pytorch",
        #[cfg(feature = "pytorch")]
        "pytorch-legacy",
        #[cfg(feature = "pytorch")]
        "pytorch-sharded",
    ] {
        let folder = copy(form);
        let path = weights(folder.path());
        let whole = fs::read(&path).unwrap();
        let lengths = (0..24).map(|part| whole.len() * part / 24);
        for length in lengths.chain([1, 8, whole.len() - 1]) {
            fs::write(&path, &whole[..length]).unwrap();
            match error(folder.path()) {
                WeightsError::Format { origin, .. } => {
                    assert!(Path::new(&origin) == path, "{form}: {origin}");
                }
                other => panic!("{form}, {length} bytes: {other}"),
            }
        }
    }
}

#[test]
fn an_index_that_contradicts_its_shards_is_refused() {
    let folder = copy("safetensors-sharded");
    let index = folder.path().join(INDEX);
    let text = fs::read_to_string(&index).unwrap();
    let (first, second) = (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    );
    let name = "decoder.model.decoder.embed_tokens.weight";
    let entry = |file: &str| format!("\"{name}\": \"{file}\"");
    let (place, other) = if text.contains(&entry(first)) {
        (first, second)
    } else {
        (second, first)
    };
    let message = |text: &str| {
        fs::write(&index, text).unwrap();
        error(folder.path()).to_string()
    };

    let moved = message(&text.replace(&entry(place), &entry(other)));
    assert!(
        moved.contains(other) && moved.contains("has no tensor"),
        "{moved}"
    );
    for outside in ["../secret", "/etc/passwd", "a/b", "..", "", "a\\\\b", "C:x"] {
        let found = message(&text.replace(&entry(place), &entry(outside)));
        assert!(
            found.contains(INDEX) && found.contains("of the same folder"),
            "{found}"
        );
    }
    let missing = message(&text.replace(&entry(place), &entry("absent.safetensors")));
    assert!(missing.contains("absent.safetensors"), "{missing}");
    let twice = format!("{}, {}", entry(place), entry(place));
    let twice = message(&text.replace(&entry(place), &twice));
    assert!(twice.contains(name) && twice.contains("twice"), "{twice}");
    let unlisted = message(&text.replace(&format!("{},", entry(place)), ""));
    assert!(
        unlisted.contains(name) && unlisted.contains("does not name"),
        "{unlisted}"
    );
    for broken in [
        "",
        "[]",
        "{}",
        r#"{"weight_map": []}"#,
        r#"{"weight_map": {"a": 1}}"#,
    ] {
        let found = message(broken);
        assert!(
            found.contains("is not a readable index of weights"),
            "{found}"
        );
    }
    fs::write(&index, &text).unwrap();
    fs::copy(folder.path().join(place), folder.path().join("copy")).unwrap();
    let found = message(&text.replacen(place, "copy", 1));
    assert!(
        found.contains("twice") || found.contains("has no tensor"),
        "{found}"
    );
    fs::remove_file(folder.path().join(first)).unwrap();
    let found = message(&text);
    assert!(found.contains(first), "{found}");
}

#[test]
fn a_weight_of_an_unknown_type_is_refused_before_memory_is_allocated() {
    let folder = copy("flax");
    let path = folder.path().join("flax_model.msgpack");
    let bytes = fs::read(&path).unwrap();
    let place = bytes
        .windows(7)
        .position(|part| part == b"float32")
        .unwrap();
    let changed = [&bytes[..place], b"complex", &bytes[place + 7..]].concat();
    fs::write(&path, changed).unwrap();
    match error(folder.path()) {
        WeightsError::DType { found, .. } => assert_eq!(found, "complex"),
        other => panic!("{other}"),
    }
}

#[cfg(feature = "pytorch")]
#[test]
fn a_view_that_is_larger_than_its_file_is_refused() {
    // `{"weight": torch.zeros(1).expand(1 << 30)}`, made by `data/forms/make_reference.py`.
    let folder = copy("pytorch-expanded");
    match error(folder.path()) {
        WeightsError::Format { reason, .. } => assert!(reason.contains("claims"), "{reason}"),
        other => panic!("{other}"),
    }
}

#[cfg(feature = "pytorch")]
#[test]
fn code_in_a_pickle_is_never_run() {
    let folder = copy("pytorch");
    let marker = folder.path().join("marker");
    let command = format!("cos\nsystem\n(S'touch {}'\ntR", marker.display());
    for pickle in [
        format!("{command}."),               // the file is a call
        format!("(dS'weight'\n{command}s."), // a weight is one
    ] {
        fs::write(folder.path().join("pytorch_model.bin"), pickle).unwrap();
        let error = error(folder.path());
        assert!(
            matches!(
                &error,
                WeightsError::Format { .. } | WeightsError::MissingTensor { .. }
            ),
            "{error}"
        );
        assert!(!marker.exists());
    }
}

#[cfg(feature = "pytorch")]
#[test]
fn a_changed_value_in_a_pytorch_file_is_found_by_its_checksum() {
    let folder = copy("pytorch");
    let path = folder.path().join("pytorch_model.bin");
    let mut bytes = fs::read(&path).unwrap();
    let pretrained = crate::common::load(folder.path()).unwrap();
    let bias = pretrained.model.projection.unwrap().bias.unwrap();
    let values = bias.val().into_data().try_into_vec::<f32>().unwrap();
    let value = values[3].to_le_bytes();
    let position = bytes.windows(4).position(|window| window == value).unwrap();
    bytes[position] ^= 1;
    fs::write(&path, bytes).unwrap();
    match error(folder.path()) {
        WeightsError::Format { origin, reason, .. } => {
            assert!(Path::new(&origin) == path);
            assert!(reason.contains("enc_to_dec_proj.bias"), "{reason}");
        }
        other => panic!("{other}"),
    }
}
