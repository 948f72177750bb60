//! Required and forbidden phrases, and stop strings, with a model whose logits depend on the whole
//! history of a row.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{END, Hashing, all, config, prompts, run};
use generation::{
    Generation, GenerationConfig, Hypothesis, Matching, Phrase, Prompt, PromptError, Vocabulary,
    generate,
};

/// Texts of the model's tokens: words, pieces of words, a full stop.
fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(Vocabulary::new([
        Some("!"),
        None,
        Some(" a"),
        Some(" dog"),
        Some("ma"),
        Some("."),
        Some(" red"),
        Some(" d"),
        Some("og"),
        Some(" runs"),
        Some("s"),
    ]))
}

fn text(hypothesis: &Hypothesis) -> String {
    vocabulary().text_after_special(hypothesis.generated_tokens())
}

/// The generated text without the end token.
fn written(hypothesis: &Hypothesis) -> String {
    let tokens = hypothesis.generated_tokens();
    let tokens = tokens.strip_suffix(&[END]).unwrap_or(tokens);
    vocabulary().text_after_special(tokens)
}

fn run_with_vocabulary(prompts: &[Prompt], config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    let results = Generation::new(config.clone())
        .with_vocabulary(vocabulary())
        .run(
            &Hashing::default(),
            vec![Vec::new(); prompts.len()],
            prompts,
        );
    all(results.unwrap())
}

fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|found| found == word)
}

#[test]
fn required_phrases_occur_as_whole_words() {
    // A word of the prompt would count.
    let has_none = |prompt: &Prompt| prompt.tokens.iter().all(|token| ![3, 7].contains(token));
    let dog = Phrase::new(vec![3]).with_matching(Matching::WholeWords);
    let prompts: Vec<Prompt> = prompts(60)
        .into_iter()
        .filter(has_none)
        .map(|prompt| prompt.with_required(dog.clone()))
        .collect();
    let config = GenerationConfig {
        force_words_ids: vec![vec![vec![6, 9], vec![9, 6]]],
        ..config(4, 14)
    };
    let free = GenerationConfig {
        force_words_ids: Vec::new(),
        ..config.clone()
    };
    let mut without = 0;
    for (prompt, found) in prompts.iter().zip(run_with_vocabulary(&prompts, &config)) {
        let best = &found[0];
        assert!(has_word(&written(best), "dog"), "{:?}", best.tokens);
        let tokens = &best.tokens;
        let has = |pair: [u32; 2]| tokens.windows(2).any(|window| window == pair);
        assert!(has([6, 9]) || has([9, 6]), "{tokens:?}");
        let free = &run(&[Prompt::new(prompt.tokens.clone())], &free)[0][0];
        without += usize::from(!has_word(&written(free), "dog"));
        // Required phrases cost probability.
        assert!(best.sum() <= 0.0);
    }
    assert!(without > 8, "the words occur anyway: {without}");
}

#[test]
fn forbidden_words_do_not_occur_however_they_are_divided() {
    let forbidding = |prompt: Prompt, matching| {
        prompt.with_forbidden(Phrase::new(vec![3]).with_matching(matching))
    };
    let mut seen = BTreeMap::new();
    for num_beams in [1, 4] {
        for (name, matching) in [
            ("tokens", Matching::Tokens),
            ("whole", Matching::WholeWords),
            ("start", Matching::WordStarts),
        ] {
            // A word of the prompt can't be forbidden.
            let prompts: Vec<Prompt> = prompts(60)
                .into_iter()
                .filter(|prompt| !prompt.tokens.contains(&3))
                .map(|prompt| forbidding(prompt, matching))
                .collect();
            for found in run_with_vocabulary(&prompts, &config(num_beams, 12)) {
                let (text, tokens) = (written(&found[0]), &found[0].tokens[2..]);
                match matching {
                    Matching::Tokens => assert!(!tokens.contains(&3)),
                    Matching::WholeWords => assert!(!has_word(&text, "dog"), "{text}"),
                    Matching::WordStarts => assert!(!text.contains(" dog"), "{text}"),
                }
                if text.contains(" dog") {
                    *seen.entry(name).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(seen["tokens"] > 0, "other tokens for the word are found");
    assert!(seen["whole"] > 0, "longer words are allowed");
}

#[test]
fn no_text_ends_with_a_forbidden_word() {
    let dog = Phrase::new(vec![3]).with_matching(Matching::WholeWords);
    let prompts: Vec<Prompt> = prompts(100)
        .into_iter()
        .filter(|prompt| !prompt.tokens.contains(&3))
        .map(|prompt| prompt.with_forbidden(dog.clone()))
        .collect();
    let mut stopped = 0;
    for (config, ends) in [
        (
            GenerationConfig {
                stop_strings: vec!["og".into()],
                ..config(1, 30)
            },
            "og",
        ),
        (
            GenerationConfig {
                eos_token_id: vec![END, 8],
                ..config(3, 30)
            },
            "og",
        ),
        (
            GenerationConfig {
                forced_eos_token_id: vec![END],
                ..config(3, 7)
            },
            "",
        ),
    ] {
        for found in run_with_vocabulary(&prompts, &config) {
            let text = written(&found[0]);
            assert!(!has_word(&text, "dog"), "{text}");
            stopped += usize::from(text.ends_with(ends));
        }
    }
    assert!(stopped > 20, "{stopped}");
}

#[test]
fn impossible_phrases_are_errors() {
    let prompt = Prompt::new(vec![4, 6]).with_required(Phrase::new(vec![5]));
    let config = GenerationConfig {
        suppress_tokens: vec![5],
        ..config(3, 9)
    };
    let results = generate(
        &Hashing::default(),
        vec![vec![]],
        std::slice::from_ref(&prompt),
        &config,
    );
    assert!(matches!(
        results.unwrap()[0],
        Err(PromptError::PhrasesMissing { phrases: 1, .. })
    ));
    for (prompt, config, message) in [
        (prompt.clone(), common::config(1, 9), "num_beams above 1"),
        (
            Prompt::new(vec![4]).with_required(Phrase::new(vec![5; 10])),
            common::config(3, 9),
            "10 tokens, but a text has 9",
        ),
        (
            Prompt::new(vec![4])
                .with_required(Phrase::new(vec![3]).with_matching(Matching::WholeWords)),
            common::config(3, 9),
            "with_vocabulary",
        ),
        (
            Prompt::new(vec![4, 6, 3]).with_forbidden(Phrase::new(vec![6, 3])),
            common::config(3, 9),
            "in the prompt (the prefix) already",
        ),
        (
            Prompt::new(vec![4]),
            GenerationConfig {
                stop_strings: vec!["x".into()],
                ..common::config(3, 9)
            },
            "stop_strings need the text of tokens",
        ),
    ] {
        let result = generate(&Hashing::default(), vec![vec![]], &[prompt], &config);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn stop_strings_end_texts() {
    let config = GenerationConfig {
        stop_strings: vec!["dogs".into(), ".".into()],
        ..config(1, 40)
    };
    let mut stopped = 0;
    for found in run_with_vocabulary(&prompts(40), &config) {
        let text = text(&found[0]);
        let before = text.strip_suffix('.').or(text.strip_suffix("dogs"));
        stopped += usize::from(before.is_some());
        let before = before.unwrap_or(&text);
        assert!(!before.contains("dogs") && !before.contains('.'), "{text}");
    }
    assert!(stopped > 10, "{stopped}");
}
