//! Every form of checkpoint gives the same model; `data/forms/make_reference.py` made them.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use checkpoint::Precision;
use pretrained::{DecoderConfig, LoadError, Pretrained, Weights};
use safetensors::SafeTensors;
use vision_encoder_decoder::{Decoder, Encoder};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms")
}

fn load(name: &str) -> Pretrained {
    crate::common::load(data().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A tensor of the reference file.
fn floats<const D: usize>(name: &str) -> Tensor<D> {
    let bytes = std::fs::read(data().join("reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let (values, _) = tensor.data().as_chunks();
    let values: Vec<f32> = values.iter().map(|n| f32::from_le_bytes(*n)).collect();
    let tensor = TensorData::new(values, tensor.shape().to_vec());
    Tensor::from_data(tensor, &Device::flex())
}

fn tokens() -> Tensor<2, Int> {
    Tensor::from_data([[2, 7, 9, 4], [2, 29, 3, 3]], &Device::flex())
}

fn largest_difference<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> f32 {
    (found - expected).abs().max().into_scalar()
}

fn logits(pretrained: &Pretrained) -> Tensor<3> {
    let pixel_values = floats("pixel_values");
    pretrained.model.forward(pixel_values, tokens(), None)
}

#[test]
fn every_form_gives_the_logits_of_transformers() {
    for name in [
        "safetensors",
        "safetensors-sharded",
        #[cfg(feature = "pytorch")]
        "pytorch",
        #[cfg(feature = "pytorch")]
        "pytorch-legacy",
        #[cfg(feature = "pytorch")]
        "pytorch-sharded",
        "flax",
    ] {
        let pretrained = load(name);
        assert_eq!(pretrained.precision, Precision::F32, "{name}");
        assert_eq!(pretrained.generation_config.decoder_start_token_id, Some(2));
        let apart = largest_difference(logits(&pretrained), floats("logits"));
        assert!(apart < 1e-5, "{name}: {apart}");
    }
}

#[test]
fn the_published_form_has_a_bias_of_the_logits_and_mbarts_special_tokens() {
    let pretrained = load("flax-published");
    let DecoderConfig::MBart(decoder) = &pretrained.config.decoder else {
        panic!("{:?}", pretrained.config.decoder);
    };
    assert!(decoder.final_logits_bias && pretrained.config.projection);
    assert_eq!(pretrained.generation_config.decoder_start_token_id, Some(2));
    assert_eq!(pretrained.generation_config.num_beams, 1);
    let bias: Tensor<1> = floats("final_logits_bias");
    let expected = floats::<3>("logits") + bias.reshape([1, 1, 30]);
    let apart = largest_difference(logits(&pretrained), expected);
    assert!(apart < 1e-5, "{apart}");
}

#[test]
fn half_precision_is_read_with_its_rounding() {
    let check = |name: &str, precision: Precision, tolerance: f32| {
        let pretrained = load(name);
        assert_eq!(pretrained.precision, precision);
        let apart = largest_difference(logits(&pretrained), floats("logits"));
        assert!((1e-4..tolerance).contains(&apart), "{name}: {apart}");
    };
    check("float16", Precision::F16, 0.02);
    #[cfg(feature = "pytorch")]
    check("bfloat16", Precision::BF16, 0.15);
    let pretrained = load("flax-parts-bfloat16");
    assert_eq!(pretrained.precision, Precision::BF16);
    let bias: Tensor<1> = floats("final_logits_bias");
    let expected = floats::<3>("logits") + bias.reshape([1, 1, 30]);
    let apart = largest_difference(logits(&pretrained), expected);
    assert!((1e-4..0.15).contains(&apart), "{apart}");
}

#[test]
fn a_model_is_composed_from_whole_checkpoints_or_their_halves() {
    for (encoder, decoder) in [
        ("clip", "mbart"),
        ("clip-vision", "mbart-decoder"),
        ("clip", "mbart-without-head"),
    ] {
        let device = Device::flex();
        let (encoder, decoder) = (data().join(encoder), data().join(decoder));
        let weights = Weights::Ordinary;
        let composed =
            Pretrained::from_encoder_decoder(encoder, decoder, weights, &device).unwrap();
        let hidden = composed.model.encoder.encode(floats("pixel_values")).hidden;
        let apart = largest_difference(hidden, floats("encoder_last_hidden_state"));
        assert!(apart < 1e-5, "{apart}");

        let decoder = &composed.model.decoder;
        let mut state = decoder.start(floats::<3>("memory").into(), &[0, 1]);
        let hidden = decoder.forward(tokens(), None, &mut state);
        let apart = largest_difference(decoder.logits(hidden), floats("decoder_logits"));
        assert!(apart < 1e-5, "{apart}");

        // Fresh, but there.
        assert_eq!(logits(&composed).dims(), [2, 4, 30]);
        assert!(composed.model.projection.is_some());
        assert_eq!(composed.generation_config.decoder_start_token_id, Some(2));
    }
}

#[test]
fn swapped_parts_are_refused_by_name() {
    let compose = |encoder: &str, decoder: &str| {
        let (encoder, decoder) = (data().join(encoder), data().join(decoder));
        let weights = Weights::Ordinary;
        Pretrained::from_encoder_decoder(encoder, decoder, weights, &Device::flex()).unwrap_err()
    };
    let error = compose("mbart", "mbart");
    assert!(matches!(&error, LoadError::Config { origin, .. } if origin.contains("mbart/config")));
    let error = compose("clip", "clip-vision");
    assert!(matches!(&error, LoadError::Config { origin, .. } if origin.contains("clip-vision")));
}

#[cfg(not(feature = "pytorch"))]
#[test]
fn without_its_feature_pytorch_is_refused_with_what_to_do() {
    let error = crate::common::load(data().join("pytorch")).unwrap_err();
    assert!(error.to_string().contains("feature \"pytorch\""), "{error}");
}
