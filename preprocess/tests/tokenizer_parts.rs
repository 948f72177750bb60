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
            "clean_text",
        ),
        ("normalizer", value!({"type": "NFC", "form": 1}), "form"),
        ("normalizer", value!({"type": 5}), "string"),
        ("normalizer", value!({}), "type"),
        ("normalizer", value!([]), "type"),
        ("normalizer", value!("NFC"), "type"),
        (
            "pre_tokenizer",
            value!({"type": "FixedLength", "length": 0}),
            "length of 1",
        ),
        (
            "pre_tokenizer",
            value!({"type": "Sequence", "pretokenizers": vec![value!({"type": "ByteLevel", "add_prefix_space": false,
                "trim_offsets": true}); 2]}),
            "at most one ByteLevel",
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
        ("type", value!("Another"), "\"Another\""),
        ("type", value!("BPE"), "unknown field"),
        ("type", value!("WordPiece"), "unknown field"),
        ("type", value!("WordLevel"), "unknown field"),
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
    let object = br#"{"model": {"vocab": {"a": 0}}}"#;
    assert!(refusal(object).contains("no type"));
    for bytes in [&b""[..], b"null", b"[]", b"\xff", b"{}", br#"{"model": 1}"#] {
        refusal(bytes);
    }
}

#[test]
fn vocabularies_and_merges_that_do_not_fit_are_refused() {
    let bpe = || {
        value!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]})
    };
    let word_piece = || {
        value!({"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {"u": 0, "a": 1, "##a": 2}})
    };
    let word_level = || value!({"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0, "a": 1}});
    let tokenizer = read(&value!({"model": bpe()})).unwrap();
    assert_eq!(tokenizer.encode_text("abab", true).unwrap(), [2, 2]);
    let tokenizer = read(&value!({"model": word_piece()})).unwrap();
    assert_eq!(tokenizer.encode_text("aaa", true).unwrap(), [1, 2, 2]);
    let tokenizer = read(&value!({"model": word_level()})).unwrap();
    assert_eq!(tokenizer.encode_text("aa", true).unwrap(), [0]);
    for (model, key, found, words) in [
        (bpe(), "merges", value!([["a", "c"]]), "\"c\""),
        (bpe(), "merges", value!([["b", "a"]]), "\"ba\""),
        (bpe(), "merges", value!(["a b c"]), "merge of two tokens"),
        (bpe(), "merges", value!([["a"]]), "merge of two tokens"),
        (
            bpe(),
            "merges",
            value!([["a", "b", "c"]]),
            "merge of two tokens",
        ),
        (bpe(), "merges", value!([3]), "merge of two tokens"),
        (
            bpe(),
            "merges",
            value!([["x".repeat(1 << 20), "b"]]),
            "merges",
        ),
        (bpe(), "dropout", value!(0.5), "dropout of 0"),
        (bpe(), "unk_token", value!("u"), "unk_token"),
        (
            bpe(),
            "continuing_subword_prefix",
            value!("##"),
            "continuing_subword_prefix",
        ),
        (
            bpe(),
            "end_of_word_suffix",
            value!("</w>"),
            "end_of_word_suffix",
        ),
        (bpe(), "vocab", value!({}), "empty"),
        (bpe(), "vocab", value!([]), "object of"),
        (bpe(), "vocab", value!({"a": -1}), "model"),
        (bpe(), "vocab", value!({"a": u32::MAX}), "ids below"),
        (
            bpe(),
            "vocab",
            value!({"a": 0, "b": 0, "ab": 1}),
            "id of its own",
        ),
        (bpe(), "vocab", value!({"x".repeat(5000): 0}), "256 bytes"),
        (word_piece(), "unk_token", value!("v"), "unk_token"),
        (
            word_piece(),
            "max_input_chars_per_word",
            value!(100_000),
            "at most 256",
        ),
        (
            word_piece(),
            "continuing_subword_prefix",
            value!("#".repeat(1000)),
            "prefix",
        ),
        (word_level(), "unk_token", value!("v"), "unk_token"),
    ] {
        let mut model = model;
        model[key] = found;
        let message = refusal(value!({"model": model}).to_string().as_bytes());
        assert!(message.contains(words), "{message} lacks {words}");
    }
}

#[test]
fn post_processors_are_read_where_there_are_no_languages() {
    let model =
        value!({"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0, "a": 1, "[": 2, "]": 3}});
    let special = |name: &str, id: u32| value!({"id": name, "ids": [id], "tokens": [name]});
    let text = |id: &str| value!({"Sequence": {"id": id, "type_id": 0}});
    let token = |id: &str| value!({"SpecialToken": {"id": id, "type_id": 0}});
    let template = |single: Vec<Value>| {
        value!({"type": "TemplateProcessing", "single": single, "pair": [text("A"), text("B"), token("]")],
            "special_tokens": {"[": special("[", 2), "]": special("]", 3)}})
    };
    let byte_level = value!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
    let bert = value!({"type": "BertProcessing", "sep": ["]", 3], "cls": ["[", 2]});
    let with = |processor: Value| value!({"model": model, "post_processor": processor});
    for (processor, expected) in [
        (Value::Null, &[1][..]),
        (byte_level.clone(), &[1]),
        (template(vec![text("A")]), &[1]),
        (
            template(vec![token("["), token("["), text("A"), token("]")]),
            &[2, 2, 1, 3],
        ),
        (bert.clone(), &[2, 1, 3]),
        (
            value!({"type": "RobertaProcessing", "sep": ["]", 3], "cls": ["[", 2], "trim_offsets": true,
                "add_prefix_space": false}),
            &[2, 1, 3],
        ),
        (
            value!({"type": "Sequence", "processors": [byte_level, bert, template(vec![text("A"), token("]")])]}),
            &[2, 1, 3, 3],
        ),
    ] {
        let tokenizer = read(&with(processor.clone())).unwrap();
        assert_eq!(
            tokenizer.encode_text("a", true).unwrap(),
            expected,
            "{processor}"
        );
        assert_eq!(tokenizer.encode_text("a", false).unwrap(), [1]);
        let saved = tokenizer.to_tokenizer_json().unwrap();
        let back = Tokenizer::from_tokenizer_json_bytes(saved.as_bytes()).unwrap();
        assert_eq!(
            back.encode_text("a", true).unwrap(),
            expected,
            "{processor}"
        );
    }
    let mut uneven = template(vec![text("A")]);
    uneven["special_tokens"]["["]["ids"] = value!([2, 2]);
    let mut unknown = template(vec![token("["), text("A")]);
    unknown["special_tokens"]["["]["ids"] = value!([9]);
    for (processor, words) in [
        (template(vec![token("["), text("A"), text("A")]), "one text"),
        (template(vec![token("[")]), "one text"),
        (template(vec![text("A"), text("B")]), "second"),
        (template(vec![text("A"), token("x")]), "special_tokens"),
        (template(vec![token("["); 500]), "16"),
        (uneven, "as many ids"),
        (unknown, "vocabulary"),
        (
            value!({"type": "BertProcessing", "sep": ["]", 9], "cls": ["[", 2]}),
            "vocabulary",
        ),
        (value!({"type": "Other"}), "\"Other\""),
        (
            value!({"type": "Sequence", "processors": [{"type": "Sequence", "processors": []}]}),
            "step 0",
        ),
        (value!({"type": "x".repeat(1 << 20)}), "bytes of JSON"),
    ] {
        let message = refusal(with(processor).to_string().as_bytes());
        assert!(message.contains("post_processor"), "{message}");
        assert!(message.contains(words), "{message} lacks {words}");
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
