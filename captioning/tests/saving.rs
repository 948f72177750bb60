//! A captioner in a folder.

use std::fs;

use crate::common::{captioner, image, unwrapped};
use burn::tensor::Device;
use captioning::{
    Caption, Captioner, Precision, PreprocessError, Pretrained, SaveOptions, Weights,
};
use checkpoint::StagedFolder;
use pretrained::LoadOptions;
use tempfile::TempDir;

const FOUR: [&str; 4] = ["en", "fr", "de", "es"];

/// The embedded model in a folder.
fn saved(captioner: &Captioner) -> TempDir {
    let folder = TempDir::new().unwrap();
    let options = SaveOptions {
        precision: Precision::F16, // that of the embedded weights
        ..SaveOptions::default()
    };
    captioner.save(folder.path(), &options).unwrap();
    folder
}

fn captions(captioner: &Captioner) -> Vec<Vec<Caption>> {
    let image = [image("02-fluent-emoji-1f40e")];
    let languages = FOUR.map(|code| captioner.language(code).unwrap());
    let config = captioner.generation_config();
    unwrapped(captioner.caption(&image, &languages, config).unwrap())
}

#[test]
fn a_saved_captioner_writes_the_same_captions() {
    let captioner = captioner();
    let folder = saved(&captioner);
    let expected = captions(&captioner);
    let loaded = Captioner::from_folder(folder.path(), &Device::flex()).unwrap();
    assert_eq!(loaded.languages().len(), 52);
    assert_eq!(captions(&loaded), expected);
    // The path of a folder is a name too.
    let named = Captioner::builder()
        .name(folder.path().to_str().unwrap())
        .languages(FOUR)
        .build(&Device::flex())
        .unwrap();
    assert_eq!(named.languages(), captioner.languages());
    assert_eq!(captions(&named), expected);
}

#[test]
fn a_tokenizer_may_be_in_another_folder() {
    let captioner = captioner();
    let folder = saved(&captioner);
    let elsewhere = TempDir::new().unwrap();
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        let (from, to) = (folder.path().join(file), elsewhere.path().join(file));
        fs::rename(from, to).unwrap();
    }
    // The published checkpoint has no tokenizer. The error says where to put one.
    let error = Captioner::from_folder(folder.path(), &Device::flex()).unwrap_err();
    assert!(matches!(
        &error,
        captioning::Error::Preprocess(PreprocessError::NoTokenizer { .. })
    ));
    let message = error.to_string();
    for expected in [
        "sentencepiece.bpe.model",
        "mbart-large-50",
        folder.path().to_str().unwrap(),
    ] {
        assert!(message.contains(expected), "{message}");
    }
    let builder = || Captioner::builder().folder(folder.path());
    for builder in [
        builder().tokenizer_folder(elsewhere.path()),
        builder().tokenizer_name(elsewhere.path().to_str().unwrap()),
    ] {
        let joined = builder.build(&Device::flex()).unwrap();
        assert_eq!(captions(&joined), captions(&captioner));
    }
}

#[test]
fn packed_weights_keep_their_format_whether_they_are_read_or_mapped() {
    let device = Device::flex();
    let folder = saved(&captioner());
    let options = LoadOptions {
        weights: Weights::Packed("int8".parse().unwrap()),
        ..LoadOptions::default()
    };
    let pretrained = Pretrained::from_folder(folder.path(), &options, &device).unwrap();
    let packed = TempDir::new().unwrap();
    let staged = StagedFolder::new(packed.path()).unwrap();
    pretrained.write_packed(&staged).unwrap();
    staged.commit().unwrap();
    let other_files = [
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    for file in other_files {
        fs::copy(folder.path().join(file), packed.path().join(file)).unwrap();
    }

    let load = |memory_map| {
        let builder = Captioner::builder().folder(packed.path());
        builder.memory_map(memory_map).build(&device).unwrap()
    };
    let (read, mapped) = (load(false), load(true));
    for captioner in [&read, &mapped] {
        assert_eq!(captioner.format().unwrap().to_string(), "int8");
    }
    assert_eq!(captions(&mapped), captions(&read));
}
