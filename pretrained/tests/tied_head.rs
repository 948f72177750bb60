//! Heads and token embeddings are the same table or two, as transformers 5 decides. `data/tied` has two checkpoints with
//! what transformers 5.24 computes from them, and `data/tied/make_pickles.py` made the PyTorch file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Sizes, Tensors, chain, load, load_as, write, write_flax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use checkpoint::{SaveOptions, StagedFolder};
use generation::GenerationConfig;
use pretrained::{LoadNotice, Pretrained, Weights};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::TempDir;

const HEAD: &str = "decoder.lm_head.weight";
const EMBEDDINGS: &str = "decoder.model.decoder.embed_tokens.weight";

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 1,
    vocabulary: 60,
};

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tied");
    folder.join(name)
}

/// The tensors of a small model whose head has these values, if it has a head, with or without token embeddings.
fn tensors(head: Option<f32>, has_embeddings: bool) -> Tensors {
    let mut tensors = SMALL.tensors();
    let (shape, values) = tensors[EMBEDDINGS].clone();
    if let Some(difference) = head {
        let values = values.iter().map(|value| value + difference).collect();
        tensors.insert(HEAD.into(), (shape, values));
    }
    if !has_embeddings {
        tensors.remove(EMBEDDINGS);
    }
    tensors
}

fn untied() -> String {
    let tied = r#""model_type": "mbart","#;
    SMALL.config_json().replace(
        tied,
        r#""model_type": "mbart", "tie_word_embeddings": false,"#,
    )
}

/// Writes a checkpoint in shards, with the head alone in the second.
fn write_shards(folder: &Path, config: &str, tensors: &Tensors) {
    let (second, first): (Tensors, Tensors) = tensors
        .clone()
        .into_iter()
        .partition(|(name, _)| name == HEAD);
    let mut map = BTreeMap::new();
    for (number, part) in [(1, first), (2, second)] {
        let file = format!("model-0000{number}-of-00002.safetensors");
        map.extend(part.keys().map(|name| (name.clone(), file.clone())));
        write(folder, config, &part);
        fs::rename(folder.join("model.safetensors"), folder.join(file)).unwrap();
    }
    let index = json!({"metadata": {}, "weight_map": map}).to_string();
    fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
}

/// Writes a Flax file with the head as Flax has it, `[width, vocabulary]`.
fn write_flax_head(folder: &Path, config: &str, tensors: &Tensors) {
    let mut tensors = tensors.clone();
    if let Some((shape, values)) = tensors.get_mut(HEAD) {
        let (rows, columns) = (shape[0], shape[1]);
        let column = |column| (0..rows).map(move |row| row * columns + column);
        let order = (0..columns).flat_map(column);
        *values = order.map(|place| values[place]).collect();
    }
    write_flax(folder, config, &tensors);
}

fn logits(pretrained: &Pretrained) -> Vec<f32> {
    let pixels = Tensor::<4>::ones([1, 3, 16, 16], &Device::flex());
    let tokens = Tensor::<2, Int>::from_data([[2, 7, 9]], &Device::flex());
    let logits = pretrained.model.forward(pixels, tokens, None);
    logits.into_data().try_into_vec().unwrap()
}

#[test]
fn equal_tables_are_one_different_ones_are_two_and_one_suffices_in_every_form() {
    type Write = fn(&Path, &str, &Tensors);
    let forms: [(&str, Write); 3] = [
        ("safetensors", write),
        ("flax", write_flax_head),
        ("shards", write_shards),
    ];
    for (form, write) in forms {
        let open = |config: &str, tensors: &Tensors| {
            let folder = TempDir::new().unwrap();
            write(folder.path(), config, tensors);
            load(folder.path()).map_err(|error| chain(&error))
        };
        let config = SMALL.config_json();
        let tied = open(&config, &tensors(None, true)).unwrap();
        // The configuration may say itself that there are two.
        let own = open(&untied(), &tensors(Some(0.5), true)).unwrap();
        assert!(own.notices.is_empty());
        let expected = logits(&own);
        assert_ne!(expected, logits(&tied), "{form}");
        for same in [tensors(Some(0.0), true), tensors(Some(0.0), false)] {
            let same = open(&config, &same).unwrap_or_else(|error| panic!("{form}: {error}"));
            assert!(same.config.decoder.has_tied_head() && same.notices.is_empty());
            assert_eq!(logits(&same), logits(&tied), "{form}");
        }
        let differs = open(&config, &tensors(Some(0.5), true)).unwrap();
        assert!(!differs.config.decoder.has_tied_head());
        match differs.notices.as_slice() {
            [
                LoadNotice::HeadIsNotTied {
                    head, embeddings, ..
                },
            ] => {
                assert_eq!([head, embeddings], [HEAD, EMBEDDINGS]);
            }
            other => panic!("{form}: {other:?}"),
        }
        assert_eq!(logits(&differs), expected, "{form}");

        // If the configuration says so, each has to be there.
        for (missing, part) in [
            (HEAD, tensors(None, true)),
            (EMBEDDINGS, tensors(Some(0.0), false)),
        ] {
            let error = open(&untied(), &part).unwrap_err();
            assert!(error.contains(missing), "{form}: {error}");
        }
        let mut none = tensors(None, true);
        none.remove(EMBEDDINGS);
        let error = open(&config, &none).unwrap_err();
        assert!(error.contains(EMBEDDINGS), "{form}: {error}");
        let mut wider = tensors(Some(0.5), true);
        wider.insert(HEAD.into(), (vec![61, 24], vec![0.0; 61 * 24]));
        let error = open(&config, &wider).unwrap_err();
        assert!(
            error.contains(HEAD) && error.contains("61"),
            "{form}: {error}"
        );
    }
}

#[cfg(feature = "pytorch")]
#[test]
fn pytorch_files_keep_both_tables_too_and_the_oldest_form_is_read() {
    let differs = load(data("pytorch-head-differs")).unwrap();
    assert!(!differs.config.decoder.has_tied_head());
    assert_eq!(differs.notices.len(), 1);
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let expected = load(forms.join("safetensors")).unwrap();
    let oldest = load(data("pytorch-tar")).unwrap();
    let weights = |pretrained: &Pretrained| {
        let folder = TempDir::new().unwrap();
        pretrained
            .save(folder.path(), &SaveOptions::default())
            .unwrap();
        fs::read(folder.path().join("model.safetensors")).unwrap()
    };
    assert_eq!(weights(&oldest), weights(&expected));
}

#[test]
fn a_table_of_a_whole_mbart_beside_that_of_its_decoder_is_not_used() {
    let folder = TempDir::new().unwrap();
    let shared = "decoder.model.shared.weight";
    let mut same = tensors(None, true);
    same.insert(shared.into(), same[EMBEDDINGS].clone());
    write(folder.path(), &SMALL.config_json(), &same);
    let expected = load(folder.path()).unwrap();
    assert!(expected.notices.is_empty());
    same.get_mut(shared).unwrap().1[3] += 1.0;
    write(folder.path(), &SMALL.config_json(), &same);
    let found = load(folder.path()).unwrap();
    assert_eq!(logits(&found), logits(&expected));
    let text = found.notices[0].to_string();
    assert!(
        text.contains(shared) && text.contains("only the latter"),
        "{text}"
    );
}

#[test]
fn what_was_loaded_survives_saving_whole_and_packed() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &SMALL.config_json(),
        &tensors(Some(0.5), true),
    );
    let first = load(folder.path()).unwrap();
    let saved = TempDir::new().unwrap();
    first.save(saved.path(), &SaveOptions::default()).unwrap();
    let again = load(saved.path()).unwrap();
    assert!(again.notices.is_empty() && !again.config.decoder.has_tied_head());
    assert_eq!(logits(&again), logits(&first));

    for format in ["f32", "bf16", "int8", "int4:8"] {
        let weights = Weights::Packed(format.parse().unwrap());
        let packed = load_as(folder.path(), weights).unwrap();
        assert_eq!(packed.notices.len(), 1);
        let saved = TempDir::new().unwrap();
        let staged = StagedFolder::new(saved.path()).unwrap();
        packed.write_packed(&staged).unwrap();
        staged.commit().unwrap();
        let again = load_as(saved.path(), weights).unwrap();
        assert!(!again.config.decoder.has_tied_head(), "{format}");
        assert_eq!(logits(&again), logits(&packed), "{format}");
    }
}

#[test]
fn a_composed_decoder_keeps_its_head() {
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let decoder = TempDir::new().unwrap();
    let mbart = load_tensors(&forms.join("mbart-decoder/model.safetensors"));
    let (embeddings, values) = mbart
        .iter()
        .find(|(name, _)| name.ends_with("embed_tokens.weight"))
        .unwrap();
    let head = embeddings.replace("model.decoder.embed_tokens", "lm_head");
    let mut changed = mbart.clone();
    let (shape, values) = values.clone();
    changed.insert(
        head,
        (shape, values.iter().map(|value| value + 1.0).collect()),
    );
    let config = fs::read_to_string(forms.join("mbart-decoder/config.json")).unwrap();
    write(decoder.path(), &config, &changed);
    let composed = Pretrained::from_encoder_decoder(
        forms.join("clip"),
        decoder.path(),
        Weights::Ordinary,
        &Device::flex(),
    )
    .unwrap();
    assert!(!composed.config.decoder.has_tied_head());
    assert_eq!(composed.notices.len(), 1);
}

fn load_tensors(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter().map(|(name, tensor)| {
        let (values, _) = tensor.data().as_chunks();
        let values = values.iter().map(|value| f32::from_le_bytes(*value));
        (name, (tensor.shape().to_vec(), values.collect()))
    });
    tensors.collect()
}

fn floats<const D: usize>(tensors: &Tensors, name: &str) -> Tensor<D> {
    let (shape, values) = tensors[name].clone();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// The integers of a tensor, `[rows, positions]`.
fn integers(path: &Path, name: &str) -> Vec<Vec<i64>> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let (values, _) = tensor.data().as_chunks();
    let values: Vec<i64> = values
        .iter()
        .map(|value| i64::from_le_bytes(*value))
        .collect();
    let rows = values.chunks(tensor.shape()[1]);
    rows.map(<[i64]>::to_vec).collect()
}

#[test]
fn logits_and_texts_are_those_of_transformers() {
    for name in ["tied-head-differs", "head-only-save_model"] {
        let folder = data(name);
        let pretrained = load(&folder).unwrap();
        let reference = folder.join("reference.safetensors");
        let bytes = fs::read(&reference).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let float_tensors = ["pixel_values", "logits"].map(|name| {
            let tensor = file.tensor(name).unwrap();
            let (values, _) = tensor.data().as_chunks();
            let values = values.iter().map(|value| f32::from_le_bytes(*value));
            (name.to_owned(), (tensor.shape().to_vec(), values.collect()))
        });
        let tensors: Tensors = float_tensors.into_iter().collect();
        let pixels: Tensor<4> = floats(&tensors, "pixel_values");
        let tokens = integers(&reference, "decoder_input_ids");
        let mask = integers(&reference, "decoder_attention_mask");
        let expected = &tensors["logits"].1;
        let (rows, length) = (tokens.len(), tokens[0].len());
        let ids = TensorData::new(tokens.concat(), [rows, length]);
        let ids = Tensor::<2, Int>::from_data(ids, &Device::flex());
        let logits = pretrained.model.forward(pixels.clone(), ids, None);
        let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap();
        let width = logits.len() / (rows * length);
        for (position, seen) in mask.concat().into_iter().enumerate() {
            let places = position * width..(position + 1) * width;
            for place in places.filter(|_| seen == 1) {
                let (found, expected) = (logits[place], expected[place]);
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{name}: {found} {expected}"
                );
            }
        }

        let text = fs::read_to_string(folder.join("reference.json")).unwrap();
        let reference: Value = serde_json::from_str(&text).unwrap();
        for case in reference["cases"].as_array().unwrap() {
            let config: GenerationConfig = pretrained
                .generation_config
                .updated(case["options"].as_object().unwrap())
                .unwrap();
            let found = pretrained.model.generate(pixels.clone(), &config).unwrap();
            let expected = case["sequences"].as_array().unwrap();
            for (found, expected) in found.into_iter().zip(expected) {
                let found = found.unwrap().remove(0).tokens;
                let mut expected: Vec<u32> = serde_json::from_value(expected.clone()).unwrap();
                while expected.last() == Some(&1) {
                    expected.pop();
                }
                assert_eq!(found, expected, "{name}");
            }
        }
    }
}
