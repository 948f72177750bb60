//! Captions in a language that the model was given later.

use crate::common::{image, unwrapped};
use burn::tensor::Device;
use captioning::{Captioner, Pretrained, Tokenizer};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use pretrained::{LoadOptions, NewToken};
use tempfile::TempDir;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/model");

#[test]
fn a_language_that_begins_like_another_is_written_like_it() {
    let device = Device::flex();
    let mut tokenizer = Tokenizer::from_folder(MODEL).unwrap();
    let spanish = tokenizer.language_id("es_XX").unwrap();
    let token = NewToken {
        id: tokenizer.add_language("ca_ES").unwrap(),
        like: vec![spanish],
    };
    let options = LoadOptions::default();
    let pretrained =
        Pretrained::from_folder_with_tokens(MODEL, &[token], &options, &device).unwrap();
    let processor = ImageProcessorConfig::of_checkpoint(MODEL, [0, 0]).unwrap();
    let processor = ImageProcessor::new(processor).unwrap();
    let languages = tokenizer.languages().map(|(known, _)| known).collect();
    let captioner = Captioner::new(pretrained, processor, tokenizer, languages, &device).unwrap();

    let folder = TempDir::new().unwrap();
    captioner.save(folder.path(), &Default::default()).unwrap();
    let captioner = Captioner::builder()
        .folder(folder.path())
        .languages(["Catalan", "es"])
        .build(&device)
        .unwrap();
    let images = [image("02-fluent-emoji-1f40e")];
    let config = captioner.generation_config();
    let found = captioner.caption(&images, captioner.languages(), config);
    let found = unwrapped(found.unwrap()).remove(0);
    assert_eq!(found[0].language.code, "ca_ES");
    assert!(!found[0].text.is_empty());
    assert_eq!(found[0].text, found[1].text);
}
