use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};
use serde_json::value::RawValue;

use super::super::limits;
use super::super::quoted::quoted;
use super::bounded::Bounded;
use crate::Error;

/// Where in the file something is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The file itself.
    File,
    /// A key of the file.
    Part(&'static str),
    /// One of the steps of a part, from 0.
    Step(&'static str, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => formatter.write_str("the file"),
            Self::Part(name) => formatter.write_str(name),
            Self::Step(name, index) => write!(formatter, "{name}, step {index}"),
        }
    }
}

impl Place {
    /// Says that something can't be used.
    pub(super) fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::TokenizerPart {
            place: self.to_string(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Says that a type can't be used.
    pub(super) fn refuse_type(&self, supported: &[&str], found: &str) -> Error {
        self.refuse(
            format!("one of the types {}", supported.join(", ")),
            format!("the type {}", quoted(found)),
        )
    }
}

/// A part of the file as a type.
pub(super) fn parse<'a, T: Deserialize<'a>>(place: &Place, raw: &'a RawValue) -> Result<T, Error> {
    serde_json::from_str(raw.get()).map_err(|error| json_error(place, error))
}

/// The error of a part, which names the part and repeats no more than the beginning of a long text in it.
pub(super) fn json_error(place: &Place, error: serde_json::Error) -> Error {
    const SHOWN: usize = 300;
    let mut message = error.to_string();
    if !matches!(place, Place::File) {
        // Lines and columns would be counted from the beginning of the part.
        let position = format!(" at line {} column {}", error.line(), error.column());
        message.truncate(message.strip_suffix(&*position).unwrap_or(&message).len());
    }
    // The last words may name a type of the program.
    for (name, plain) in [
        ("u32", "an integer from 0 to 4294967295"),
        ("usize", "an integer from 0"),
        ("f64", "a number"),
        ("a tuple of size 2", "a piece and its score"),
    ] {
        if let Some(start) = message.strip_suffix(name) {
            message = format!("{start}{plain}");
        }
    }
    let mut shown = String::new();
    for letter in message.chars().take(SHOWN) {
        match letter.is_control() {
            true => shown.extend(letter.escape_unicode()),
            false => shown.push(letter),
        }
    }
    match place {
        Place::File if shown == message => Error::Json(error),
        place => Error::Json(serde_json::Error::custom(format!("{place}: {shown}"))),
    }
}

/// The type that a part or a step names.
pub(super) fn type_of<'a>(place: &Place, raw: &'a RawValue) -> Result<Cow<'a, str>, Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object with a type")]
    struct Tag<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
    }
    let tag: Tag<'_> = parse(place, raw)?;
    Ok(tag.kind)
}

/// A step without options.
pub(super) fn plain<T>(place: &Place, raw: &RawValue, step: T) -> Result<T, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object with nothing but a type")]
    struct Fields {
        #[serde(rename = "type")]
        _kind: IgnoredAny,
    }
    parse(place, raw).map(|Fields { .. }| step)
}

/// A part of the file, step by step: the one step that it is, or those of a sequence.
pub(super) struct Steps<T> {
    pub(super) steps: Vec<T>,
    pub(super) is_sequence: bool,
}

impl<T> Steps<T> {
    /// Reads the part `name`. `list` reads the list of steps of a sequence, whose name differs from part to part, and
    /// `step` one step.
    pub(super) fn read(
        name: &'static str,
        raw: &RawValue,
        list: for<'a> fn(&Place, &'a RawValue) -> Result<List<'a>, Error>,
        step: fn(&Place, &RawValue) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        let place = Place::Part(name);
        if raw.get().len() > limits::STEP_BYTES {
            return Err(place.refuse(
                format!("at most {} bytes of JSON", limits::STEP_BYTES),
                format!("{} bytes", raw.get().len()),
            ));
        }
        if type_of(&place, raw)? != "Sequence" {
            return Ok(Self {
                steps: vec![step(&place, raw)?],
                is_sequence: false,
            });
        }
        let Bounded(list) = list(&place, raw)?;
        let mut steps = Vec::with_capacity(list.len());
        for (index, raw) in list.into_iter().enumerate() {
            steps.push(step(&Place::Step(name, index), raw)?);
        }
        Ok(Self {
            steps,
            is_sequence: true,
        })
    }

    /// The crate's form: a step, or a sequence of them.
    pub(super) fn build<U>(
        self,
        step: impl Fn(T) -> Result<U, Error>,
        sequence: impl FnOnce(Vec<U>) -> U,
    ) -> Result<U, Error> {
        let mut steps = Vec::with_capacity(self.steps.len());
        for one in self.steps {
            steps.push(step(one)?);
        }
        match (self.is_sequence, steps.pop()) {
            (false, Some(only)) => Ok(only),
            (_, last) => {
                steps.extend(last);
                Ok(sequence(steps))
            }
        }
    }
}

/// The steps of a sequence, not yet read.
pub(super) type List<'a> = Bounded<&'a RawValue, { limits::STEPS }>;
