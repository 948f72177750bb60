use serde_json::{Map, Value};

use super::{CropSize, ImageProcessorClass, ResizeTo};
use crate::Error;
use crate::image::Resample;

pub(super) const SIZE_FORMS: &str = r#"{"shortest_edge": n}, {"shortest_edge": n, "longest_edge": n}, {"height": n, "width": n}, an integer or [height, width]"#;
pub(super) const CROP_FORMS: &str =
    r#"{"height": n, "width": n}, an integer (a square) or [height, width]"#;
pub(super) const RESAMPLE_FORMS: &str =
    "0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)";
pub(super) const CHANNEL_FORMS: &str = "three numbers (red, green, blue) or one for all";

/// The options in a file, read one by one so that an error can name the option.
pub(super) struct Options<'a>(pub(super) &'a Map<String, Value>);

impl Options<'_> {
    /// The value of the option `key`, or `None` if it is absent or `null`, which mean the same to Hugging Face.
    pub(super) fn read<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match parse(value) {
                Some(parsed) => Ok(Some(parsed)),
                None => Err(refuse(key, expected, value)),
            },
        }
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Error> {
        Ok(self
            .read(key, "true or false", Value::as_bool)?
            .unwrap_or(default))
    }
}

/// An [`Error::Config`].
pub(super) fn refuse(key: &str, expected: &str, found: impl ToString) -> Error {
    Error::Config {
        key: key.to_owned(),
        expected: expected.to_owned(),
        found: shortened(&found.to_string()),
    }
}

/// The start of a text from outside, for a message: without control characters, and no longer than a line.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut result = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == LONGEST => return result + "...",
            _ if character.is_control() => result.extend(character.escape_unicode()),
            _ => result.push(character),
        }
    }
    result
}

/// The forms of `size`; what an integer and a list mean is the class's.
pub(super) fn as_size(class: ImageProcessorClass, value: &Value) -> Option<ResizeTo> {
    if let Some(side) = as_side(value) {
        return Some(match class.integer_is_square() {
            true => ResizeTo::Exact {
                height: side,
                width: side,
            },
            false => ResizeTo::ShortestEdge {
                shortest_edge: side,
            },
        });
    }
    let edge = |key: &str| value.get(key).filter(|edge| !edge.is_null());
    match (edge("shortest_edge"), edge("longest_edge")) {
        (Some(shortest), Some(longest)) => Some(ResizeTo::Edges {
            shortest_edge: as_side(shortest)?,
            longest_edge: as_side(longest)?,
        }),
        (Some(shortest), None) => Some(ResizeTo::ShortestEdge {
            shortest_edge: as_side(shortest)?,
        }),
        // A limit for the longest edge alone would change the result, so it is refused, not ignored.
        (None, Some(_)) => None,
        (None, None) => {
            let CropSize { height, width } = as_crop(value)?;
            // Donut's lists have the width first.
            Some(
                match value.is_array() && class == ImageProcessorClass::Donut {
                    true => ResizeTo::Exact {
                        height: width,
                        width: height,
                    },
                    false => ResizeTo::Exact { height, width },
                },
            )
        }
    }
}

pub(super) fn as_crop(value: &Value) -> Option<CropSize> {
    let (height, width) = match value {
        Value::Array(sides) => match &sides[..] {
            [height, width] => (as_side(height)?, as_side(width)?),
            _ => return None,
        },
        Value::Object(sides) => (
            as_side(sides.get("height")?)?,
            as_side(sides.get("width")?)?,
        ),
        side => {
            let side = as_side(side)?;
            (side, side)
        }
    };
    Some(CropSize { height, width })
}

fn as_side(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

pub(super) fn as_filter(value: &Value) -> Option<Resample> {
    Resample::from_number(value.as_u64()?)
}

pub(super) fn as_channels(value: &Value) -> Option<[f64; 3]> {
    if let Some(number) = value.as_f64() {
        return Some([number; 3]);
    }
    let numbers: Option<Vec<f64>> = value.as_array()?.iter().map(Value::as_f64).collect();
    numbers?.try_into().ok()
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
