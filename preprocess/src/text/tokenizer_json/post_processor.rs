use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::Tokenizer;

use super::super::limits;
use super::super::quoted::quoted;
use super::super::template::{Processor, Template};
use super::bounded::Bounded;
use super::component::{Place, parse, type_of};
use crate::Error;

const NAME: &str = "post_processor";

const TYPES: [&str; 5] = [
    "TemplateProcessing",
    "RobertaProcessing",
    "BertProcessing",
    "ByteLevel",
    "Sequence",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with processors")]
struct SequenceFields<'a> {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(borrow)]
    processors: Bounded<&'a RawValue, { limits::STEPS }>,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with single, pair and special_tokens"
)]
struct TemplateFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    single: Bounded<Piece, { limits::TEMPLATE_PIECES }>,
    pair: Bounded<Piece, { limits::TEMPLATE_PIECES }>,
    special_tokens: BTreeMap<String, Special>,
}

/// A part of a template.
#[derive(Deserialize)]
#[serde(expecting = "Sequence or SpecialToken")]
enum Piece {
    Sequence {
        id: Text,
        #[serde(rename = "type_id")]
        _type_id: u32,
    },
    SpecialToken {
        id: String,
        #[serde(rename = "type_id")]
        _type_id: u32,
    },
}

/// The text, or the second one of a pair.
#[derive(Deserialize, PartialEq)]
#[serde(expecting = "A or B")]
enum Text {
    A,
    B,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with id, ids and tokens")]
struct Special {
    #[serde(rename = "id")]
    _id: String,
    ids: Bounded<u32, { limits::TEMPLATE_PIECES }>,
    tokens: Bounded<String, { limits::TEMPLATE_PIECES }>,
}

/// RoBERTa's and BERT's processors, of which the second has no options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with sep and cls")]
struct FrameFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    sep: (String, u32),
    cls: (String, u32),
    #[serde(rename = "trim_offsets")]
    _trim_offsets: Option<bool>,
    #[serde(rename = "add_prefix_space")]
    _add_prefix_space: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with trim_offsets")]
struct ByteLevelFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(rename = "add_prefix_space")]
    _add_prefix_space: bool,
    #[serde(rename = "trim_offsets")]
    _trim_offsets: bool,
    #[serde(rename = "use_regex")]
    _use_regex: Option<bool>,
}

/// The template of a file. It is checked here and applied by this crate; the part itself is kept for saving.
pub(in super::super) fn read(raw: &RawValue, tokenizer: &Tokenizer) -> Result<Processor, Error> {
    let place = Place::Part(NAME);
    if raw.get().len() > limits::TEMPLATE_BYTES {
        return Err(place.refuse(
            format!("at most {} bytes of JSON", limits::TEMPLATE_BYTES),
            format!("{} bytes", raw.get().len()),
        ));
    }
    let template = match &*type_of(&place, raw)? {
        "Sequence" => {
            let fields: SequenceFields<'_> = parse(&place, raw)?;
            let mut whole = Template::default();
            for (index, raw) in fields.processors.0.into_iter().enumerate() {
                let step = step(&Place::Step(NAME, index), raw)?;
                // Each step is around what the steps before it made.
                whole.before.splice(0..0, step.before);
                whole.after.extend(step.after);
            }
            whole
        }
        _ => step(&place, raw)?,
    };
    let mut ids = template.before.iter().chain(&template.after);
    if let Some(id) = ids.find(|id| tokenizer.id_to_token(**id).is_none()) {
        return Err(place.refuse("ids that are in the vocabulary", id.to_string()));
    }
    // Of the same structure, so that this can't fail.
    Ok((template, parse(&place, raw)?))
}

/// The template of one step.
fn step(place: &Place, raw: &RawValue) -> Result<Template, Error> {
    match &*type_of(place, raw)? {
        "TemplateProcessing" => of_template(place, parse(place, raw)?),
        "RobertaProcessing" | "BertProcessing" => {
            let fields: FrameFields = parse(place, raw)?;
            Ok(Template {
                before: vec![fields.cls.1],
                after: vec![fields.sep.1],
            })
        }
        "ByteLevel" => {
            // It changes nothing but places in the text, which nobody asks for.
            let ByteLevelFields { .. } = parse(place, raw)?;
            Ok(Template::default())
        }
        other => Err(place.refuse_type(&TYPES, other)),
    }
}

fn of_template(place: &Place, fields: TemplateFields) -> Result<Template, Error> {
    for (name, special) in &fields.special_tokens {
        if special.ids.0.len() != special.tokens.0.len() {
            return Err(place.refuse(
                "as many ids as tokens",
                format!("another number for {}", quoted(name)),
            ));
        }
    }
    let ids = |name: &String| match fields.special_tokens.get(name) {
        Some(special) => Ok(&special.ids.0),
        None => Err(place.refuse("pieces that are in special_tokens", quoted(name))),
    };
    for piece in &fields.pair.0 {
        if let Piece::SpecialToken { id, .. } = piece {
            ids(id)?;
        }
    }
    let mut template = Template::default();
    let mut texts = 0;
    for piece in &fields.single.0 {
        match piece {
            Piece::Sequence { id: Text::A, .. } => texts += 1,
            Piece::Sequence { id: Text::B, .. } => {
                return Err(place.refuse("one text in single", "the second of a pair"));
            }
            Piece::SpecialToken { id, .. } if texts == 0 => template.before.extend(ids(id)?),
            Piece::SpecialToken { id, .. } => template.after.extend(ids(id)?),
        }
    }
    match texts {
        1 => Ok(template),
        _ => Err(place.refuse("one text in single", format!("{texts} of them"))),
    }
}
