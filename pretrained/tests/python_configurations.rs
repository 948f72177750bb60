//! Configurations that Python's programs write and open, and weights that are wrapped.

use crate::common::{Sizes, chain, load, write};
use tempfile::TempDir;

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 1,
    vocabulary: 60,
};

#[test]
fn a_configuration_opens_without_the_type_of_the_whole_and_with_values_that_only_python_has() {
    let whole = SMALL.config_json();
    let typed = r#"{"model_type": "vision-encoder-decoder","#;
    assert!(whole.starts_with(typed));
    for start in [
        "{",
        r#"{"model_type": null,"#,
        r#"{"model_type": "x", "model_type": "vision-encoder-decoder","#,
        r#"{"task": {"penalty": -Infinity, "top": [NaN, Infinity]},"#,
        r#"{"length_penalty": NaN,"#,
    ] {
        let folder = TempDir::new().unwrap();
        write(
            folder.path(),
            &whole.replacen(typed, start, 1),
            &SMALL.tensors(),
        );
        let loaded = load(folder.path()).unwrap_or_else(|error| panic!("{start}: {error}"));
        assert_eq!(loaded.generation_config.eos_token_id, [2]);
        assert_eq!(loaded.config.decoder.max_positions(), 20);
    }
    for (config, expected) in [
        (
            r#"{"model_type": 3, "encoder": {}, "decoder": {}}"#,
            "model_type",
        ),
        (
            r#"{"encoder": {}, "decoder": {}}"#,
            "the encoder has model_type \"(none)\"",
        ),
        (r#"{"encoder": 1}"#, "the model has model_type \"(none)\""),
        ("[]", "a JSON object"),
    ] {
        let folder = TempDir::new().unwrap();
        write(folder.path(), config, &SMALL.tensors());
        let message = chain(&load(folder.path()).unwrap_err());
        assert!(message.contains(expected), "{config}: {message}");
        assert!(
            !message.contains("struct") && !message.contains("::"),
            "{message}"
        );
    }
}

#[test]
fn wrapped_and_nested_weights_get_a_hint() {
    for (prefix, hint) in [
        ("module.", "several devices"),
        ("_orig_mod.", "torch.compile"),
        ("module._orig_mod.", "several devices"),
        ("model.", "a dictionary inside another"),
        ("state_dict.", "a dictionary inside another"),
        ("state_dict.module.", "several devices"),
    ] {
        let folder = TempDir::new().unwrap();
        let tensors = SMALL.tensors().into_iter();
        let tensors = tensors.map(|(name, tensor)| (format!("{prefix}{name}"), tensor));
        write(folder.path(), &SMALL.config_json(), &tensors.collect());
        let message = chain(&load(folder.path()).unwrap_err());
        assert!(message.contains(hint), "{prefix}: {message}");
        assert!(
            message.contains(&format!("removeprefix({prefix:?})")),
            "{message}"
        );
    }
    #[cfg(feature = "pytorch")]
    for (form, prefix) in [("pytorch-module", "module."), ("pytorch-nested", "model.")] {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tied");
        let message = chain(&load(format!("{data}/{form}")).unwrap_err());
        assert!(
            message.contains(&format!("removeprefix({prefix:?})")),
            "{message}"
        );
    }
}
