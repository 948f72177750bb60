//! Checkpoints that can't be used are typed errors that name the file and the tensor.

use std::fs;
use std::path::Path;

use crate::common::{Sizes, Tensors, chain, load, write};
use burn::tensor::{Device, Tensor};
use checkpoint::LoadError as WeightsError;
use pretrained::{LoadError, Pretrained};
use tempfile::TempDir;
use vision_encoder_decoder::Decoder;

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 2,
    vocabulary: 60,
};

/// A checkpoint, changed.
fn changed(change: impl Fn(&mut Tensors)) -> (TempDir, Result<Pretrained, LoadError>) {
    let folder = TempDir::new().unwrap();
    let mut tensors = SMALL.tensors();
    change(&mut tensors);
    write(folder.path(), &SMALL.config_json(), &tensors);
    let result = load(folder.path());
    (folder, result)
}

#[test]
fn an_undamaged_checkpoint_loads_with_the_options_of_its_config() {
    let (_folder, result) = changed(|_| ());
    let pretrained = result.unwrap();
    assert_eq!(pretrained.generation_config.decoder_start_token_id, Some(2));
    assert_eq!(pretrained.config.decoder.vocab_size(), 60);
}

#[test]
fn missing_and_misshapen_tensors_are_named() {
    for name in SMALL.tensors().keys() {
        let (_folder, result) = changed(|tensors| {
            tensors.remove(name);
        });
        match result.unwrap_err() {
            LoadError::Checkpoint(WeightsError::MissingTensor { name: found, .. }) => {
                assert!(found.contains(name))
            }
            other => panic!("{name}: {other}"),
        }
        let (_folder, result) = changed(|tensors| {
            let (shape, values) = tensors.get_mut(name).unwrap();
            shape[0] += 1;
            values.resize(shape.iter().product(), 0.0);
        });
        match result.unwrap_err() {
            LoadError::Checkpoint(WeightsError::Shape { name: found, .. }) => {
                assert_eq!(&found, name)
            }
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_matrix_with_another_dimension_is_refused() {
    let name = "enc_to_dec_proj.weight";
    let (_folder, result) = changed(|tensors| tensors.get_mut(name).unwrap().0.insert(0, 1));
    match result.unwrap_err() {
        LoadError::Checkpoint(WeightsError::Shape { found, .. }) => assert_eq!(found, [1, 24, 16]),
        other => panic!("{other}"),
    }
}

#[test]
fn a_tensor_that_is_ignored_may_claim_anything() {
    let (folder, result) = changed(|_| ());
    result.unwrap();
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let shape = "[9223372036854775808,0]";
    let entry = |name: &str| {
        format!(
            r#","{name}.embeddings.position_ids":{{"dtype":"I64","shape":{shape},"data_offsets":[0,0]}}}}"#
        )
    };
    let text = std::str::from_utf8(&whole[8..header]).unwrap().trim_end();
    let text = text.strip_suffix('}').unwrap();
    let text = format!("{text}{}", entry("a"));
    let bytes = [
        &(text.len() as u64).to_le_bytes()[..],
        text.as_bytes(),
        &whole[header..],
    ]
    .concat();
    fs::write(&path, bytes).unwrap();
    load(folder.path()).unwrap();
}

#[test]
fn tensors_of_another_model_are_named() {
    let (_folder, result) = changed(|tensors| {
        let layer = "decoder.model.decoder.layers.2.fc1.bias";
        tensors.insert(layer.into(), (vec![1], vec![0.0]));
    });
    let error = result.unwrap_err().to_string();
    assert!(error.contains("decoder.layers.2.fc1.bias"), "{error}");
}

#[test]
fn a_tied_head_and_old_buffers_are_ignored() {
    let (_folder, result) = changed(|tensors| {
        let head = tensors["decoder.model.decoder.embed_tokens.weight"].clone();
        tensors.insert("decoder.lm_head.weight".into(), head);
        let buffer = "encoder.vision_model.embeddings.position_ids";
        tensors.insert(buffer.into(), (vec![1, 5], vec![0.0; 5]));
    });
    result.unwrap();
}

#[test]
fn an_untied_head_and_a_bias_of_the_logits_are_read() {
    let folder = TempDir::new().unwrap();
    let mut tensors = SMALL.tensors();
    tensors.insert(
        "decoder.final_logits_bias".into(),
        (vec![1, 60], vec![0.5; 60]),
    );
    let untied = SMALL.config_json().replace(
        r#""model_type": "mbart","#,
        r#""model_type": "mbart", "tie_word_embeddings": false,"#,
    );
    write(folder.path(), &untied, &tensors);
    let error = load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("decoder.lm_head.weight"), "{error}");

    tensors.insert(
        "decoder.lm_head.weight".into(),
        (vec![60, 24], vec![0.0; 60 * 24]),
    );
    write(folder.path(), &untied, &tensors);
    let pretrained = load(folder.path()).unwrap();
    let hidden = Tensor::<3>::ones([1, 1, 24], &Device::flex());
    let logits = pretrained.model.decoder.logits(hidden);
    assert_eq!(logits.into_data().try_into_vec::<f32>().unwrap(), [0.5; 60]);
}

#[test]
fn truncated_and_overwritten_files_never_panic() {
    let (folder, result) = changed(|_| ());
    result.unwrap();
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for length in [
        0,
        1,
        7,
        8,
        9,
        header / 2,
        header - 1,
        header,
        header + 1,
        whole.len() - 1,
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        match load(folder.path()).unwrap_err() {
            LoadError::Checkpoint(WeightsError::Format { origin, .. }) => {
                assert!(origin.ends_with("model.safetensors"));
            }
            other => panic!("{length} bytes: {other}"),
        }
    }
    // Every bit of the header's beginning, then every byte of it.
    for (position, value) in (0..64)
        .flat_map(|bit| [(bit / 8, whole[bit / 8] ^ (1 << (bit % 8)))])
        .chain((8..header).map(|position| (position, whole[position] ^ 0x15)))
    {
        let mut damaged = whole.clone();
        damaged[position] = value;
        fs::write(&path, &damaged).unwrap();
        // Some changes only rename a tensor's metadata; none may panic.
        let _ = load(folder.path());
    }
}

#[test]
fn missing_files_and_wrong_json_are_named() {
    let message = |folder: &Path| chain(&load(folder).unwrap_err());
    let folder = TempDir::new().unwrap();
    assert!(message(folder.path()).contains("has no config.json"));
    assert!(message(Path::new("nowhere")).contains("nowhere has no config.json"));
    let config = folder.path().join("config.json");
    fs::write(&config, SMALL.config_json()).unwrap();
    assert!(message(folder.path()).contains("has no weights, expected one of model.safetensors"));

    let (folder, result) = changed(|_| ());
    result.unwrap();
    let generation_config = folder.path().join("generation_config.json");
    for (json, expected) in [
        ("{", "not a generation configuration"),
        (
            r#"{"guidance_scale": 3.0}"#,
            "not supported: guidance_scale",
        ),
    ] {
        fs::write(&generation_config, json).unwrap();
        let message = message(folder.path());
        assert!(message.contains("generation_config.json"), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    // A value that can't be used is an error where it is used: a caller may replace it.
    fs::write(&generation_config, r#"{"num_beams": "many"}"#).unwrap();
    let options = load(folder.path()).unwrap().generation_config;
    let message_of_options = chain(&options.validate(1).unwrap_err());
    assert!(
        message_of_options.contains("generation_config.json"),
        "{message_of_options}"
    );
    assert!(
        message_of_options.contains("num_beams is \"many\""),
        "{message_of_options}"
    );
    options
        .with_settings(&["num_beams=2"])
        .unwrap()
        .validate(1)
        .unwrap();

    fs::remove_file(generation_config).unwrap();
    for json in ["", "[]", r#"{"model_type": "gpt2"}"#] {
        fs::write(folder.path().join("config.json"), json).unwrap();
        let message = message(folder.path());
        assert!(message.contains("config.json"), "{message}");
    }
}
