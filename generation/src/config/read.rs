//! Reads the values of options, as leniently as Python uses them: a number may be written with a decimal point, a
//! truth value counts as a number, and a list of one token is a token.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use whole_files::python_json;

use super::EarlyStopping;

/// A value that can't be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unreadable {
    /// The beginning of its text, for errors.
    pub(super) found: String,
    /// All of its text, as Python reads it.
    pub(super) written: String,
    pub(super) expected: &'static str,
}

type Read<T> = Result<T, Unreadable>;

/// Characters of a value that an error shows.
const SHOWN: usize = 60;

fn unreadable(text: &str, expected: &'static str) -> Unreadable {
    // What the file has, not what stands in its place.
    let written = python_json::original(text).into_owned();
    let found = match written.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &written[..end]),
        None => written.clone(),
    };
    Unreadable {
        found,
        written,
        expected,
    }
}

/// A number of Python: an integer, a number with a decimal point, or a truth value.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number that a text is. It may have any size, and has all its digits: the parser of whole lists rounds
    /// numbers with a decimal point once more.
    fn of(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        match text.as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => text.parse().ok().map(Self::Float),
            _ => serde_json::from_str(text).ok(),
        }
    }

    /// The integer that it is, even if it has a decimal point.
    fn integer(self) -> Option<i128> {
        match self {
            Self::Integer(integer) => Some(integer),
            Self::Float(float) if float.is_finite() && float.fract() == 0.0 => Some(float as i128),
            Self::Float(_) => None,
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    fn token(self) -> Option<u32> {
        u32::try_from(self.integer()?).ok()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl Visitor<'_> for Numbers {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Number, E> {
                Ok(Number::Integer(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number::Integer(value.into()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number::Integer(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number::Float(value))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Number, E> {
                python_json::number(value)
                    .map(Number::Float)
                    .ok_or_else(|| E::custom("a string"))
            }
        }
        deserializer.deserialize_any(Numbers)
    }
}

/// A token of a list.
struct Token(u32);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Number::deserialize(deserializer)?.token();
        token.map(Token).ok_or_else(|| D::Error::custom("no token"))
    }
}

impl From<Token> for u32 {
    fn from(Token(token): Token) -> Self {
        token
    }
}

/// Different integers of a list, in the order in which they first come.
struct Different(Vec<i128>);

impl<'de> Deserialize<'de> for Different {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Integers;
        impl<'de> Visitor<'de> for Integers {
            type Value = Different;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of integers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Different, A::Error> {
                // Memory for different tokens only: a list may repeat one a million times.
                let mut there = HashSet::new();
                let mut different = Vec::new();
                while let Some(number) = list.next_element::<Number>()? {
                    let integer = number.integer();
                    let integer = integer.ok_or_else(|| A::Error::custom("no integer"))?;
                    if there.insert(integer) {
                        different.push(integer);
                    }
                }
                Ok(Different(different))
            }
        }
        deserializer.deserialize_seq(Integers)
    }
}

fn parsed<T: DeserializeOwned>(text: &str, expected: &'static str) -> Read<T> {
    serde_json::from_str(text).map_err(|_| unreadable(text, expected))
}

/// A value for an option that can be unset.
pub(super) fn some<T>(read: impl Fn(&str) -> Read<T>) -> impl Fn(&str) -> Read<Option<T>> {
    move |text| read(text).map(Some)
}

pub(super) fn number(text: &str) -> Read<f64> {
    let number = Number::of(text).ok_or_else(|| unreadable(text, "a number"))?;
    Ok(number.float())
}

/// A count. One that is too large to count is the largest.
pub(super) fn count(text: &str) -> Read<usize> {
    const EXPECTED: &str = "an integer, 0 or above";
    let integer = integer(text, EXPECTED)?;
    match integer < 0 {
        true => Err(unreadable(text, EXPECTED)),
        false => Ok(usize::try_from(integer).unwrap_or(usize::MAX)),
    }
}

/// A count for which a number below 0 means the same as 0.
pub(super) fn at_least_zero(text: &str) -> Read<usize> {
    let integer = integer(text, "an integer")?;
    Ok(usize::try_from(integer.max(0)).unwrap_or(usize::MAX))
}

/// A count for which a number below 1 means the same as 1.
pub(super) fn at_least_one(text: &str) -> Read<usize> {
    Ok(at_least_zero(text)?.max(1))
}

pub(super) fn seed(text: &str) -> Read<u64> {
    const EXPECTED: &str = "an integer of 64 bits, 0 or above";
    u64::try_from(integer(text, EXPECTED)?).map_err(|_| unreadable(text, EXPECTED))
}

fn integer(text: &str, expected: &'static str) -> Read<i128> {
    let number = Number::of(text).ok_or_else(|| unreadable(text, expected))?;
    match number {
        // An integer of any number of digits.
        Number::Float(float) if float.is_infinite() && !text.contains(['.', 'e', 'E', '"']) => {
            Ok(if float < 0.0 { i128::MIN } else { i128::MAX })
        }
        _ => number.integer().ok_or_else(|| unreadable(text, expected)),
    }
}

/// A truth value, or a number, of which only 0 is false.
pub(super) fn truth(text: &str) -> Read<bool> {
    let number = Number::of(text).ok_or_else(|| unreadable(text, "true or false"))?;
    Ok(number.float() != 0.0)
}

/// A truth value for which transformers takes nothing but `true` for true.
pub(super) fn exactly_true(text: &str) -> Read<bool> {
    Ok(text == "true")
}

/// transformers accepts 0 and 1 too, and takes neither for `true`.
pub(super) fn early_stopping(text: &str) -> Read<EarlyStopping> {
    let number = Number::of(text).map(Number::float);
    match (text, number) {
        ("true", _) => Ok(EarlyStopping::FirstFinished),
        (_, Some(0.0 | 1.0)) => Ok(EarlyStopping::Heuristic),
        _ if serde_json::from_str(text).is_ok_and(|text: String| text == "never") => {
            Ok(EarlyStopping::Never)
        }
        _ => Err(unreadable(text, "true, false or \"never\"")),
    }
}

/// A token, or a list of one.
pub(super) fn token(text: &str) -> Read<u32> {
    const EXPECTED: &str = "a token id, 0 or above, or a list of one";
    let token = match text.starts_with('[') {
        true => match parsed::<Different>(text, EXPECTED)?.0.as_slice() {
            [one] => u32::try_from(*one).ok(),
            _ => None,
        },
        false => Number::of(text).and_then(Number::token),
    };
    token.ok_or_else(|| unreadable(text, EXPECTED))
}

/// A token or a list of them, each once.
pub(super) fn tokens(text: &str) -> Read<Vec<u32>> {
    const EXPECTED: &str = "a token id, 0 or above, or a list of them";
    let token = |integer| u32::try_from(integer).map_err(|_| unreadable(text, EXPECTED));
    integers(text, EXPECTED)?.into_iter().map(token).collect()
}

/// A token or a list of them, each once, without those that no vocabulary has: -1 is often written for none.
pub(super) fn tokens_that_exist(text: &str) -> Read<Vec<u32>> {
    let integers = integers(text, "a token id or a list of them")?.into_iter();
    Ok(integers
        .filter_map(|integer| u32::try_from(integer).ok())
        .collect())
}

fn integers(text: &str, expected: &'static str) -> Read<Vec<i128>> {
    match text.starts_with('[') {
        true => Ok(parsed::<Different>(text, expected)?.0),
        false => Ok(vec![integer(text, expected)?]),
    }
}

pub(super) fn sequences(text: &str) -> Read<Vec<Vec<u32>>> {
    let sequences: Vec<Vec<Token>> = parsed(text, "a list of lists of token ids")?;
    Ok(sequences.into_iter().map(ids).collect())
}

fn ids(tokens: Vec<Token>) -> Vec<u32> {
    tokens.into_iter().map(u32::from).collect()
}

/// Phrases: sequences such as `[1, 2]`, or alternatives such as `[[1, 2], [3]]`.
pub(super) fn phrases(text: &str) -> Read<Vec<Vec<Vec<u32>>>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Part {
        Token(Token),
        Alternative(Vec<Token>),
    }
    const EXPECTED: &str = "lists of token ids, or lists of alternatives";
    let phrases: Vec<Vec<Part>> = parsed(text, EXPECTED)?;
    let phrase = |parts: Vec<Part>| {
        let mut sequence = Vec::new();
        let mut alternatives = Vec::new();
        for part in parts {
            match part {
                Part::Token(Token(token)) => sequence.push(token),
                Part::Alternative(tokens) => alternatives.push(ids(tokens)),
            }
        }
        match (sequence.is_empty(), alternatives.is_empty()) {
            (_, true) => Ok(vec![sequence]),
            (true, false) => Ok(alternatives),
            (false, false) => Err(unreadable(text, EXPECTED)),
        }
    };
    phrases.into_iter().map(phrase).collect()
}

pub(super) fn biases(text: &str) -> Read<Vec<(Vec<u32>, f64)>> {
    const EXPECTED: &str = "a list of pairs, each a list of token ids and a number";
    let biases: Vec<(Vec<Token>, Box<RawValue>)> = parsed(text, EXPECTED)?;
    let pair = |(tokens, bias): (_, Box<RawValue>)| {
        let bias = Number::of(bias.get()).ok_or_else(|| unreadable(text, EXPECTED))?;
        Ok((ids(tokens), bias.float()))
    };
    biases.into_iter().map(pair).collect()
}

pub(super) fn start_and_factor(text: &str) -> Read<(i64, f64)> {
    const EXPECTED: &str = "an integer and a number";
    let pair: (Box<RawValue>, Box<RawValue>) = parsed(text, EXPECTED)?;
    let start = integer(pair.0.get(), EXPECTED).map_err(|_| unreadable(text, EXPECTED))?;
    let factor = Number::of(pair.1.get()).ok_or_else(|| unreadable(text, EXPECTED))?;
    let start = start.clamp(i64::MIN.into(), i64::MAX.into());
    Ok((i64::try_from(start).unwrap_or(i64::MAX), factor.float()))
}

/// A string or a list of strings.
pub(super) fn strings(text: &str) -> Read<Vec<String>> {
    const EXPECTED: &str = "a string or a list of them";
    match text.starts_with('[') {
        true => parsed(text, EXPECTED),
        false => Ok(vec![parsed(text, EXPECTED)?]),
    }
}
