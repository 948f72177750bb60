use super::substitute::{begins_with, pad, pad_each, replace, run};
use super::{Punkt, PunktModel, contractions};
use crate::python::regex::{is_digit, is_space, is_word};
use crate::python::{folded, split};

/// NLTK's `word_tokenize`: sentences by Punkt, then the words of each by the rules of the Penn Treebank.
///
/// Where sentences end matters for full stops only: the rules split the one at the end of a sentence from its word and
/// leave all others. NLTK decides it with a model for each language that was trained on newspapers and is not part of
/// this crate. So there is a choice:
///
/// - [`WordTokenizer::default`] is Punkt without a trained model, as NLTK's `PunktSentenceTokenizer()`. It differs where a
///   trained model knows an abbreviation: "Dr. Who" is `Dr . Who` here, and `Dr. Who` with NLTK's English model.
///   Captions of one sentence without abbreviations have the same tokens.
/// - [`WordTokenizer::with_model`] takes the files of NLTK's `punkt_tab` and then agrees with NLTK on all texts.
///
/// ```
/// let tokenizer = metrics::WordTokenizer::default();
/// assert_eq!(
///     tokenizer.tokens("A dog's \"ball\". It can't roll!"),
///     ["A", "dog", "'s", "``", "ball", "''", ".", "It", "ca", "n't", "roll", "!"]
/// );
/// ```
///
/// Source: `word_tokenize` of NLTK 3.10.
#[derive(Clone, Debug, Default)]
pub struct WordTokenizer {
    punkt: Punkt,
}

impl WordTokenizer {
    /// Finds sentences with a trained model.
    pub fn with_model(model: PunktModel) -> Self {
        Self {
            punkt: Punkt::with_model(model),
        }
    }

    /// The words of a text. Quotation marks `"` become two backquotes or apostrophes, as in the Penn Treebank.
    pub fn tokens(&self, text: &str) -> Vec<String> {
        let sentences = self.punkt.sentences(text);
        sentences.into_iter().flat_map(treebank_tokens).collect()
    }
}

/// The words of one sentence: NLTK's `NLTKWordTokenizer`, which is its `word_tokenize` with `preserve_line=True`.
pub fn treebank_tokens(sentence: &str) -> Vec<String> {
    let text: Vec<char> = sentence.chars().collect();
    let text = starting_quotes(text);
    let text = punctuation(text);
    let text = pad_each(&text, |one| "[](){}<>".contains(one));
    let text = pad(&text, |rest| length_of(rest, "--"));
    let text = [&[' '], text.as_slice(), &[' ']].concat();
    let text = ending_quotes(text);
    let text: String = contractions::split(text).into_iter().collect();
    split(&text).map(str::to_owned).collect()
}

fn starting_quotes(text: Vec<char>) -> Vec<char> {
    let mut text = pad(&text, |rest| match rest[0] {
        '«' | '“' | '‘' | '„' => 1,
        _ => run(rest, |one| one == '`'),
    });
    if text.first() == Some(&'"') {
        text.splice(..1, ['`', '`']);
    }
    let text = pad(&text, |rest| length_of(rest, "``"));
    let text = replace(&text, |rest| {
        let opens = matches!(rest[0], ' ' | '(' | '[' | '{' | '<');
        let quote = match rest.get(1)? {
            '"' => 1,
            '\'' if rest.get(2) == Some(&'\'') => 2,
            _ => return None,
        };
        opens.then(|| (1 + quote, vec![rest[0], ' ', '`', '`', ' ']))
    });
    single_starting_quotes(&text)
}

/// Puts a space after an apostrophe that begins a word and is not that of a clitic such as `'s`.
fn single_starting_quotes(text: &[char]) -> Vec<char> {
    const CLITICS: [&str; 8] = ["re", "ve", "ll", "m", "t", "s", "d", "n"];
    let is_clitic = |rest: &[char], clitic: &str| {
        let same = |(at, letter): (usize, char)| rest.get(at).is_some_and(|c| folded(*c) == letter);
        clitic.chars().enumerate().all(same) && !rest.get(clitic.len()).is_some_and(|c| is_word(*c))
    };
    let mut result = Vec::with_capacity(text.len());
    for (position, character) in text.iter().enumerate() {
        result.push(*character);
        let rest = &text[position + 1..];
        if *character == '\''
            && !(position > 0 && is_word(text[position - 1]))
            && rest.first().is_some_and(|next| is_word(*next))
            && !CLITICS.iter().any(|clitic| is_clitic(rest, clitic))
        {
            result.push(' ');
        }
    }
    result
}

fn punctuation(text: Vec<char>) -> Vec<char> {
    let text = final_stop(text, "])}>\"'»”’ ", &[' ']);
    let text = replace(&text, |rest| {
        let next = rest.get(1).filter(|next| !is_digit(**next))?;
        matches!(rest[0], ':' | ',').then(|| (2, vec![' ', rest[0], ' ', *next]))
    });
    let text = last_colon(text);
    let text = pad(&text, |rest| match run(rest, |one| one == '.') {
        1 => 0,
        stops => stops,
    });
    let text = pad_each(&text, |one| ";@#$%&".contains(one));
    let text = pad_each(&text, |one| matches!(one, '\u{2012}'..='\u{2015}'));
    let text = final_stop(text, "])}>\"'", &[]);
    let text = pad_each(&text, |one| matches!(one, '?' | '!'));
    let text = replace(&text, |rest| match rest {
        [before, '\'', ' ', ..] if *before != '\'' => Some((3, vec![*before, ' ', '\'', ' '])),
        _ => None,
    });
    pad_each(&text, |one| one == '*')
}

/// Splits the full stop at the end from its word, if nothing follows it but `closing` and then white space. A stop after
/// another is part of an ellipsis. `between` is put before what closes.
fn final_stop(mut text: Vec<char>, closing: &str, between: &[char]) -> Vec<char> {
    let Some(stop) = text.iter().rposition(|one| *one == '.') else {
        return text;
    };
    let end = stop + 1 + run(&text[stop + 1..], |one| closing.contains(one));
    if stop == 0 || text[stop - 1] == '.' || !text[end..].iter().all(|one| is_space(*one)) {
        return text;
    }
    text.truncate(end);
    text.push(' ');
    text.splice(stop + 1..stop + 1, between.iter().copied());
    text.insert(stop, ' ');
    text
}

/// Pads a colon or comma at the end, or before a line break at the end.
fn last_colon(mut text: Vec<char>) -> Vec<char> {
    let end = text.len() - usize::from(text.last() == Some(&'\n'));
    let is_colon = |at: usize| matches!(text.get(at), Some(':' | ','));
    for at in [Some(text.len()), Some(end)].into_iter().flatten() {
        if at > 0 && is_colon(at - 1) {
            let colon = text[at - 1];
            text.splice(at - 1..at, [' ', colon, ' ']);
            break;
        }
    }
    text
}

fn ending_quotes(text: Vec<char>) -> Vec<char> {
    let text = pad_each(&text, |one| matches!(one, '»' | '”' | '’'));
    let text = pad(&text, |rest| length_of(rest, "''"));
    let quotes = || " '' ".chars().collect();
    let text = replace(&text, |rest| (rest[0] == '"').then(|| (1, quotes())));
    let text = replace(&text, |rest| match run(rest, is_space) {
        0 => None,
        spaces => Some((spaces, vec![' '])),
    });
    let text = split_ends(&text, &["'s", "'S", "'m", "'M", "'d", "'D", "'"]);
    split_ends(
        &text,
        &["'ll", "'LL", "'re", "'RE", "'ve", "'VE", "n't", "N'T"],
    )
}

/// Splits the first of these ends from words that have one of them before a space.
fn split_ends(text: &[char], ends: &[&str]) -> Vec<char> {
    replace(text, |rest| {
        let after = match rest[0] {
            '\'' | ' ' => return None,
            _ => &rest[1..],
        };
        let end = ends
            .iter()
            .find(|end| begins_with(after, end) && after.get(end.len()) == Some(&' '))?;
        let mut split = vec![rest[0], ' '];
        split.extend(end.chars());
        split.push(' ');
        Some((1 + end.len() + 1, split))
    })
}

/// The length of `part` if the text begins with it, else 0.
fn length_of(text: &[char], part: &str) -> usize {
    match begins_with(text, part) {
        true => part.len(), // all of it is ASCII
        false => 0,
    }
}
