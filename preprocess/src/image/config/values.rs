use serde_json::{Map, Value};

use super::{CropSize, ResizeTo};
use crate::Error;
use crate::image::Resample;

pub(super) const SIZE_FORMS: &str =
    r#"{"shortest_edge": n}, {"height": n, "width": n} or an integer (the shortest edge)"#;
pub(super) const CROP_FORMS: &str = r#"{"height": n, "width": n} or an integer (a square)"#;
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
        parse: fn(&Value) -> Option<T>,
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
        found: found.to_string(),
    }
}

pub(super) fn as_size(value: &Value) -> Option<ResizeTo> {
    if let Some(shortest_edge) = as_side(value) {
        return Some(ResizeTo::ShortestEdge { shortest_edge });
    }
    let object = value.as_object()?;
    // A limit for the longest edge would change the result, so it is refused, not ignored.
    if object
        .get("longest_edge")
        .is_some_and(|edge| !edge.is_null())
    {
        return None;
    }
    if let Some(edge) = object.get("shortest_edge").filter(|edge| !edge.is_null()) {
        return Some(ResizeTo::ShortestEdge {
            shortest_edge: as_side(edge)?,
        });
    }
    as_crop(value).map(|CropSize { height, width }| ResizeTo::Exact { height, width })
}

pub(super) fn as_crop(value: &Value) -> Option<CropSize> {
    let side = |key| as_side(value.get(key)?);
    match as_side(value) {
        Some(side) => Some(CropSize {
            height: side,
            width: side,
        }),
        None => Some(CropSize {
            height: side("height")?,
            width: side("width")?,
        }),
    }
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
