//! The parts of a `tokenizer.json`: those of published files are accepted, and everything else is refused by name,
//! whatever it would do to a program that ran it.

use preprocess::text::Tokenizer;
use serde_json::{Value, json as value};

mod tokenizer_file;
use tokenizer_file::{file, read, refusal};

#[test]
fn the_steps_of_published_unigram_tokenizers_are_accepted() {
    let step = |kind: &str| value!({"type": kind});
    let replace = |pattern: Value, content: &str| value!({"type": "Replace", "pattern": pattern, "content": content});
    let text = |text: &str| value!({"String": text});
    let regular = |pattern: &str| value!({"Regex": pattern});
    let metaspace = |scheme: &str, split: bool| value!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split});
    for normalizer in [
        Value::Null,
        value!({"type": "Strip", "strip_left": true, "strip_right": true}),
        replace(regular(" {2,}"), " "),
        value!({"type": "Sequence", "normalizers": [
            step("Nmt"), step("NFD"), step("NFKD"), step("StripAccents"), step("Lowercase"), step("NFC"), step("NFKC"),
            replace(text("``"), "\""), replace(text("''"), "\""), replace(text(" "), "▁"),
            replace(regular(r"\s{2,}|[\n\r\t]"), " "), replace(regular(" {2,}"), "▁"),
            replace(regular(r"\A +| +\z"), ""), replace(regular(r"\A▁"), "▁▁"),
        ]}),
        value!({"type": "Sequence", "normalizers": []}),
    ] {
        let mut file = file();
        file["normalizer"] = normalizer.clone();
        let tokenizer = read(&file).unwrap_or_else(|error| panic!("{normalizer}: {error}"));
        tokenizer
            .encode("  ``a'' dog\n\n\té ", "en_XX", None)
            .unwrap();
    }
    for pre_tokenizer in [
        Value::Null,
        metaspace("first", false),
        metaspace("never", true),
        value!({"type": "Metaspace", "replacement": "_", "add_prefix_space": false}),
        step("WhitespaceSplit"),
        value!({"type": "Sequence", "pretokenizers": [step("WhitespaceSplit"), metaspace("always", true)]}),
    ] {
        let mut file = file();
        file["pre_tokenizer"] = pre_tokenizer.clone();
        let tokenizer = read(&file).unwrap_or_else(|error| panic!("{pre_tokenizer}: {error}"));
        tokenizer.encode("a dog", "en_XX", None).unwrap();
    }
    for decoder in [
        Value::Null,
        metaspace("never", true),
        value!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        value!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true}),
        value!({"type": "Sequence", "decoders": [replace(text("▁"), " "), step("ByteFallback"), step("Fuse"),
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
    ] {
        let mut file = file();
        file["decoder"] = decoder.clone();
        let tokenizer = read(&file).unwrap_or_else(|error| panic!("{decoder}: {error}"));
        assert!(tokenizer.decode(&[5, 6], true).unwrap().contains('a'));
        assert_eq!(tokenizer.decode(&[], true).unwrap(), "");
    }
}

#[test]
fn steps_that_no_supported_tokenizer_has_are_refused_by_name() {
    let strip = |start: usize, stop: usize| value!({"type": "Strip", "content": "▁", "start": start, "stop": stop});
    let replace = |pattern: Value, content: &str| value!({"type": "Replace", "pattern": pattern, "content": content});
    let meta = |name: &str, found: Value| {
        let mut step = value!({"type": "Metaspace", "replacement": "▁"});
        step[name] = found;
        step
    };
    for (part, step, words) in [
        (
            "decoder",
            value!({"type": "BPEDecoder", "suffix": "</w>"}),
            "\"BPEDecoder\"",
        ),
        (
            "decoder",
            value!({"type": "CTC", "pad_token": "a", "word_delimiter_token": "|", "cleanup": true}),
            "\"CTC\"",
        ),
        ("decoder", strip(1, 1), "stop of 1"),
        ("decoder", strip(usize::MAX, 0), "start of"),
        (
            "decoder",
            value!({"type": "Strip", "content": "", "start": 1, "stop": 0}),
            "a character",
        ),
        (
            "decoder",
            replace(value!({"Regex": "(a*)*b"}), ""),
            "regular expression",
        ),
        ("decoder", replace(value!({"String": ""}), "x"), "1 to"),
        (
            "decoder",
            replace(value!({"String": "a"}), "aa"),
            "at most the 1",
        ),
        (
            "decoder",
            replace(value!({"String": "a".repeat(1000)}), ""),
            "1 to",
        ),
        ("decoder", replace(value!("a"), ""), "`String` or `Regex`"),
        (
            "decoder",
            value!({"type": "WordPiece", "prefix": "#".repeat(1000), "cleanup": true}),
            "prefix",
        ),
        (
            "decoder",
            value!({"type": "Sequence", "decoders": vec![value!({"type": "Fuse"}); 17]}),
            "at most 16",
        ),
        (
            "decoder",
            value!({"type": "Sequence", "decoders": [{"type": "Sequence", "decoders": []}]}),
            "step 0",
        ),
        (
            "decoder",
            value!({"type": "Sequence", "normalizers": []}),
            "decoders",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled"}),
            "precompiled_charsmap",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": null}),
            "null",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": ""}),
            "cut short",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
            "cut short",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": "?"}),
            "base64",
        ),
        (
            "normalizer",
            value!({"type": "Precompiled", "precompiled_charsmap": [1]}),
            "sequence",
        ),
        (
            "normalizer",
            replace(value!({"Regex": "(x+x+)+y"}), ""),
            "(x+x+)+y",
        ),
        (
            "normalizer",
            replace(value!({"Regex": " {2,}"}), "aaaa"),
            "replaced by",
        ),
        (
            "normalizer",
            value!({"type": "Prepend", "prepend": "a".repeat(1 << 20)}),
            "\"Prepend\"",
        ),
        ("normalizer", value!({"type": "ByteLevel"}), "\"ByteLevel\""),
        (
            "normalizer",
            value!({"type": "BertNormalizer", "lowercase": true}),
            "\"BertNormalizer\"",
        ),
        ("normalizer", value!({"type": "NFC", "form": 1}), "form"),
        ("normalizer", value!({"type": 5}), "string"),
        ("normalizer", value!({}), "type"),
        ("normalizer", value!([]), "type"),
        ("normalizer", value!("NFC"), "type"),
        (
            "pre_tokenizer",
            value!({"type": "FixedLength", "length": 0}),
            "\"FixedLength\"",
        ),
        (
            "pre_tokenizer",
            value!({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Removed", "invert": false}),
            "\"Split\"",
        ),
        (
            "pre_tokenizer",
            value!({"type": "Digits", "individual_digits": true}),
            "Metaspace, WhitespaceSplit",
        ),
        (
            "pre_tokenizer",
            value!({"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]}),
            "step 0",
        ),
        (
            "pre_tokenizer",
            meta("replacement", value!("")),
            "a character",
        ),
        (
            "pre_tokenizer",
            meta("replacement", value!("▁▁")),
            "a character",
        ),
        (
            "pre_tokenizer",
            meta("prepend_scheme", value!("sometimes")),
            "sometimes",
        ),
        ("pre_tokenizer", meta("width", value!(3)), "width"),
        ("pre_tokenizer", meta("split", value!("yes")), "boolean"),
        (
            "pre_tokenizer",
            value!({"type": "\u{1b}[2J\u{7}"}),
            r"\u{1b}",
        ),
        (
            "pre_tokenizer",
            value!({"type": "x".repeat(1 << 20)}),
            "xxx",
        ),
        ("version", value!("2.0"), "1.0"),
        ("padding_side", value!("left"), "padding_side"),
    ] {
        let mut file = file();
        file[part] = step;
        let message = refusal(file.to_string().as_bytes());
        assert!(message.contains(words), "{message} lacks {words}");
        let names_part = message.contains(part) || message.contains("precompiled_charsmap");
        assert!(names_part, "{message} lacks {part}");
    }
}

#[test]
fn models_that_can_not_be_run_are_refused_by_name() {
    for (name, found, words) in [
        ("type", value!("BPE"), "\"BPE\""),
        ("type", value!("WordPiece"), "\"WordPiece\""),
        ("type", value!("WordLevel"), "\"WordLevel\""),
        ("type", value!(["Unigram"]), "string"),
        ("unk_id", value!(null), "unk_id"),
        ("unk_id", value!(99), "unk_id"),
        ("unk_id", value!(-1), "model"),
        ("unk_id", value!(1e300), "model"),
        ("unk_id", value!(u64::MAX), "unk_id"),
        ("dropout", value!(2.0), "dropout"),
        ("byte_fallback", value!(1), "boolean"),
        ("vocab", value!([]), "empty"),
        ("vocab", value!({"a": 1}), "list"),
        ("vocab", value!([["a"]]), "model"),
        ("vocab", value!([["a", 0.0, 1.0]]), "model"),
        ("vocab", value!([["a", null]]), "model"),
        ("vocab", value!([["a", "0"]]), "model"),
        (
            "vocab",
            value!(vec![value!(["a".repeat(5000), 0.0]); 4]),
            "256 bytes",
        ),
    ] {
        let mut file = file();
        file["model"][name] = found;
        let message = refusal(file.to_string().as_bytes());
        assert!(message.contains(words), "{message} lacks {words}");
    }
    // Numbers that no tree can hold.
    let text = file().to_string();
    for (number, words) in [
        ("1e999", "number"),
        ("NaN", "value"),
        ("-Infinity", "number"),
    ] {
        let text = text.replacen("[\"a\",", &format!("[\"a\",{number}],[\"b\","), 1);
        let message = refusal(text.as_bytes());
        assert!(message.contains(words), "{message} lacks {words}");
    }
    let object = text.replace("\"type\":\"Unigram\",", "");
    Tokenizer::from_tokenizer_json_bytes(object.as_bytes()).unwrap();
    let object = br#"{"model": {"vocab": {"a": 0}, "merges": []}}"#;
    assert!(refusal(object).contains("no type"));
    for bytes in [&b""[..], b"null", b"[]", b"\xff", b"{}", br#"{"model": 1}"#] {
        refusal(bytes);
    }
}

#[test]
fn added_tokens_with_impossible_ids_or_contents_are_refused() {
    let token = |id: i64, content: &str| {
        value!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let with = |name: &str, found: Value| {
        let mut token = token(20, "x");
        token[name] = found;
        token
    };
    let next = 20;
    for (tokens, words) in [
        (vec![token(4_294_967_295, "x")], "4294967295"),
        (vec![token(4_294_967_296, "x")], "added_tokens"),
        (vec![token(-1, "x")], "added_tokens"),
        (vec![token(next + 1, "x")], "id 21"),
        (vec![token(next, "x"), token(next + 2, "y")], "id 22"),
        (vec![token(next, "x"), token(next, "y")], "id 20"),
        (vec![token(next, "x"), token(next + 1, "x")], "id 21"),
        (vec![token(0, "x")], "id 0"),
        (vec![token(next, "a")], "\"a\""),
        (vec![token(next, "")], "1 to 256 bytes"),
        (vec![token(next, &"x".repeat(2000))], "1 to 256 bytes"),
        (vec![with("rstrip", value!(true)), token(21, " ")], ""),
        (vec![with("weight", value!(1))], "weight"),
        (vec![with("special", value!("yes"))], "boolean"),
        (vec![value!({"id": 20, "content": "x"})], "missing"),
        (vec![value!(["x"])], "added_tokens"),
    ] {
        let mut file = file();
        file["added_tokens"].as_array_mut().unwrap().extend(tokens);
        if words.is_empty() {
            read(&file).unwrap();
            continue;
        }
        let message = refusal(file.to_string().as_bytes());
        assert!(message.contains(words), "{message} lacks {words}");
    }
    for strip in ["lstrip", "rstrip"] {
        let mut file = file();
        let mut token = token(20, " ");
        token[strip] = value!(true);
        file["added_tokens"].as_array_mut().unwrap().push(token);
        assert!(refusal(file.to_string().as_bytes()).contains("white space"));
    }
}
