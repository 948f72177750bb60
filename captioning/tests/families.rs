//! Captioners of other families than CLIP and mBART: no languages, prompts, fields of documents.
//! Their weights are random, since what is tested is how the parts work together.

use burn::tensor::Device;
use captioning::{
    Caption, CaptionOptions, Captioner, Error, GenerationConfig, Overlay, Pretrained, RgbImage,
    Tokenizer, UNDETERMINED, Weights,
};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use pretrained::VisionEncoderDecoderConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::unwrapped;

/// A model with random weights, the tokenizer of a class, and options with special tokens of that.
fn captioner(class: &str, encoder: Value, mut decoder: Value, special: [&str; 2]) -> Captioner {
    let folder = format!(
        "{}/../preprocess/tests/data/classes/{class}",
        env!("CARGO_MANIFEST_DIR")
    );
    let tokenizer = Tokenizer::from_folder(folder).unwrap();
    decoder["vocab_size"] = tokenizer.vocab_size().into();
    let config = json!({
        "model_type": "vision-encoder-decoder",
        "encoder": encoder,
        "decoder": decoder,
    });
    let config = VisionEncoderDecoderConfig::from_json(&config.to_string()).unwrap();
    let [start, end] = special.map(|token| tokenizer.token_id(token).unwrap());
    let options = GenerationConfig {
        decoder_start_token_id: Some(start),
        eos_token_id: vec![end],
        pad_token_id: Some(end),
        max_length: Some(12),
        ..GenerationConfig::default()
    };
    let device = Device::flex();
    device.seed(7);
    let [_, height, width] = config.encoder.input();
    let pretrained = Pretrained::from_config(config, options, Weights::Ordinary, &device);
    let processor = json!({
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": height, "width": width},
    });
    let processor = ImageProcessorConfig::from_json(&processor.to_string()).unwrap();
    let processor = ImageProcessor::new(processor).unwrap();
    Captioner::new(
        pretrained,
        processor,
        tokenizer,
        vec![UNDETERMINED],
        &device,
    )
    .unwrap()
}

fn vit_gpt2() -> Captioner {
    let encoder = json!({
        "model_type": "vit", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
        "num_attention_heads": 4, "image_size": 32, "patch_size": 8,
    });
    let decoder = json!({
        "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
        "add_cross_attention": true,
    });
    let token = "<|endoftext|>";
    captioner("gpt2-json", encoder, decoder, [token, token])
}

fn donut() -> Captioner {
    let encoder = json!({
        "model_type": "donut-swin", "embed_dim": 12, "depths": [1, 1], "num_heads": [2, 4],
        "image_size": [64, 48], "patch_size": 4, "window_size": 4,
    });
    let decoder = json!({
        "model_type": "mbart", "d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 4,
        "decoder_ffn_dim": 64, "max_position_embeddings": 64, "add_cross_attention": true,
    });
    captioner("donut", encoder, decoder, ["<s>", "</s>"])
}

fn image() -> RgbImage {
    let pixels = (0..60 * 40 * 3).map(|index| (index * 37 % 256) as u8);
    RgbImage::new(60, 40, pixels.collect()).unwrap()
}

fn caption(captioner: &Captioner, options: &CaptionOptions) -> Caption {
    let memory = captioner.encode(&[image()]).unwrap();
    let found = captioner.caption_with(memory, captioner.languages(), options);
    unwrapped(found.unwrap()).remove(0).remove(0)
}

#[test]
fn a_model_without_languages_captions_and_scores_its_caption_alike() {
    let captioner = vit_gpt2();
    let config = captioner.generation_config().clone();
    let found = caption(&captioner, &CaptionOptions::new(config.clone()));
    assert_eq!(found.language, UNDETERMINED);
    assert!(matches!(
        captioner.language("en"),
        Err(Error::UnknownLanguage { .. })
    ));
    let text = "a dog";
    let memory = captioner.encode(&[image()]).unwrap();
    let scored = captioner
        .score(memory, UNDETERMINED, &[text], &config)
        .unwrap();
    let scored = scored[0][0].as_ref().unwrap();
    let mut ids = captioner.tokenizer().encode_text(text, true).unwrap();
    ids.insert(0, config.decoder_start_token_id.unwrap());
    ids.push(config.eos_token_id[0]);
    assert_eq!(scored.ids, ids);
    assert_eq!(scored.token_log_probs.len(), ids.len() - 1);
}

#[test]
fn a_prefix_and_a_prompt_stand_after_the_start_token() {
    let captioner = vit_gpt2();
    let options = CaptionOptions {
        prompt: "a".into(),
        prefix: "dog".into(),
        ..CaptionOptions::new(captioner.generation_config().clone())
    };
    let found = caption(&captioner, &options);
    let tokenizer = captioner.tokenizer();
    let [prompt, prefix] = ["a", "dog"].map(|text| tokenizer.encode_text(text, false).unwrap());
    let start = captioner
        .generation_config()
        .decoder_start_token_id
        .unwrap();
    let begin = [vec![start], prompt, prefix].concat();
    assert!(found.ids.starts_with(&begin), "{:?}", found.ids);
}

#[test]
fn the_code_of_a_language_follows_a_prompt() {
    let captioner = crate::common::captioner();
    let options = CaptionOptions {
        prompt: "cat".into(),
        ..CaptionOptions::new(captioner.generation_config().clone())
    };
    let spanish = [captioner.language("es").unwrap()];
    let memory = captioner.encode(&[image()]).unwrap();
    let found = captioner.caption_with(memory, &spanish, &options).unwrap();
    let found = unwrapped(found).remove(0).remove(0);
    let tokenizer = captioner.tokenizer();
    let start = captioner
        .generation_config()
        .decoder_start_token_id
        .unwrap();
    let prompt = tokenizer.encode_text("cat", false).unwrap();
    let begin = [
        vec![start],
        prompt,
        vec![tokenizer.language_id("es_XX").unwrap()],
    ]
    .concat();
    assert!(found.ids.starts_with(&begin), "{:?}", found.ids);
}

#[test]
fn a_task_of_donut_takes_the_place_of_the_start_token() {
    let captioner = donut();
    let with_prompt = |prompt: &str| CaptionOptions {
        prompt: prompt.into(),
        ..CaptionOptions::new(captioner.generation_config().clone())
    };
    let task = captioner.tokenizer().token_id("<s_cord>").unwrap();
    let found = caption(&captioner, &with_prompt("<s_cord>"));
    assert_eq!(found.ids[0], task);
    let error = captioner
        .validate_options(&with_prompt("<s_crod>"))
        .unwrap_err();
    assert!(matches!(error, Error::UnknownToken { token } if token == "<s_crod>"));
}

#[test]
fn fields_of_a_document_are_read_without_its_task_and_its_end() {
    let captioner = donut();
    let ids = |text: &str| captioner.tokenizer().encode_text(text, false).unwrap();
    let of = |text: &str| Caption {
        ids: ids(text),
        ..caption(
            &captioner,
            &CaptionOptions::new(captioner.generation_config().clone()),
        )
    };
    let fields = captioner.fields(&of("<s><s_cord><yes/></s_cord></s><pad>"));
    assert_eq!(fields.unwrap(), Some(json!({"cord": "yes"})));
    assert_eq!(captioner.fields(&of("<s_cord>")).unwrap(), None);
}

#[test]
fn attention_maps_have_the_shape_of_the_encoders_patches() {
    for (captioner, shape, has_class_token) in
        [(vit_gpt2(), [4, 4], true), (donut(), [8, 6], false)]
    {
        let options = CaptionOptions {
            prefix: "a".into(),
            ..CaptionOptions::new(captioner.generation_config().clone())
        };
        let found = caption(&captioner, &options);
        let memory = captioner.encode(&[image()]).unwrap();
        let maps = captioner.attention(&memory, 0, &found, None).unwrap();
        let map = &maps[0];
        assert_eq!([map.rows, map.columns], shape);
        assert_eq!(map.class_token > 0.0, has_class_token);
        let sum = map.class_token + map.patches.iter().sum::<f32>();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        let overlay = Overlay::new(&image(), captioner.image_processor()).unwrap();
        assert_eq!(overlay.of(map).unwrap().width(), 60);
    }
}

#[test]
fn a_saved_captioner_of_another_family_writes_the_same() {
    for captioner in [vit_gpt2(), donut()] {
        let options = CaptionOptions::new(captioner.generation_config().clone());
        let before = caption(&captioner, &options);
        let folder = TempDir::new().unwrap();
        captioner.save(folder.path(), &Default::default()).unwrap();
        let loaded = Captioner::builder()
            .folder(folder.path())
            .weights(Weights::Ordinary)
            .build(&Device::flex())
            .unwrap();
        assert_eq!(loaded.languages(), [UNDETERMINED]);
        let options = CaptionOptions::new(loaded.generation_config().clone());
        assert_eq!(caption(&loaded, &options).ids, before.ids);
    }
}
