use std::collections::HashMap;
use std::fmt;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use whole_files::limits;

use super::unique::Entries;

/// The JSON of a safetensors header, as it was written: its tensors in any order, and not checked. It takes memory in
/// proportion to the number of tensors, whatever else the text has.
pub(super) struct RawHeader {
    /// The texts of `__metadata__`.
    pub(super) texts: HashMap<String, String>,
    pub(super) tensors: Entries<RawTensor>,
}

/// The description of a tensor.
#[derive(Deserialize)]
#[serde(expecting = "the type, shape and place of a tensor")]
pub(super) struct RawTensor {
    dtype: Dtype,
    shape: Dimensions,
    data_offsets: (usize, usize),
}

struct Dimensions(Vec<usize>);

impl From<RawTensor> for TensorInfo {
    fn from(raw: RawTensor) -> Self {
        Self {
            dtype: raw.dtype,
            shape: raw.shape.0,
            data_offsets: raw.data_offsets,
        }
    }
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let mut texts = HashMap::new();
        let mut tensors = Entries(Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                let Texts(found) = map.next_value()?;
                texts = found;
                continue;
            }
            if tensors.0.len() >= limits::TENSORS {
                return Err(too_many("tensors", limits::TENSORS));
            }
            tensors.0.push((name, map.next_value()?));
        }
        Ok(RawHeader { texts, tensors })
    }
}

/// The texts of `__metadata__`. A packed file has one for each tensor and one for all.
struct Texts(HashMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = HashMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if texts.len() > limits::TENSORS {
                        return Err(too_many("texts", limits::TENSORS));
                    }
                    texts.insert(name, map.next_value()?);
                }
                Ok(Texts(texts))
            }

            // `null` is the same as no texts.
            fn visit_unit<E>(self) -> Result<Texts, E> {
                Ok(Texts(HashMap::new()))
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DimensionsVisitor;
        impl<'de> Visitor<'de> for DimensionsVisitor {
            type Value = Dimensions;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Dimensions, A::Error> {
                let mut dimensions = Vec::new();
                while dimensions.len() < limits::DIMENSIONS {
                    match list.next_element()? {
                        Some(size) => dimensions.push(size),
                        None => return Ok(Dimensions(dimensions)),
                    }
                }
                match list.next_element::<IgnoredAny>()? {
                    Some(_) => Err(too_many("dimensions", limits::DIMENSIONS)),
                    None => Ok(Dimensions(dimensions)),
                }
            }
        }
        deserializer.deserialize_seq(DimensionsVisitor)
    }
}

fn too_many<E: Error>(what: &str, most: usize) -> E {
    E::custom(format_args!("more than {most} {what}"))
}
