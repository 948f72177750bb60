//! The fields of a request: JSON objects and lists within limits.
//!
//! A few bytes of JSON can become many of memory, so only short texts become values. What is long, pictures and
//! messages, stays text until it is known how much of it there is.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::limits::{FIELD_BYTES, FIELDS};

/// A JSON object with at most [`FIELDS`] fields, whose values are not parsed yet. A name that appears twice is an error.
pub(crate) struct Object<'a>(BTreeMap<String, &'a RawValue>);

/// A JSON list with at most [`FIELDS`] elements.
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// Fields with short values.
#[derive(Default)]
pub(crate) struct Fields(BTreeMap<String, Value>);

impl<'a> Object<'a> {
    /// Parses the body of a request.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Failure> {
        serde_json::from_slice(bytes).map_err(|error| {
            Failure::invalid(
                "invalid_json",
                format!("the body is not a JSON object as expected: {error}"),
            )
        })
    }

    /// Takes a field whose value may be long.
    pub(crate) fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        serde_json::from_str(value.get())
            .map_err(|error| Failure::field(name, format!("{name}: {error}")))
    }

    /// The other fields, all of which are short.
    pub(crate) fn short(self) -> Result<Fields, Failure> {
        let bytes: usize = self.0.values().map(|value| value.get().len()).sum();
        if bytes > FIELD_BYTES {
            let message = format!(
                "fields other than pictures have {bytes} bytes, but at most {FIELD_BYTES} are read"
            );
            return Err(Failure::invalid("over_limit", message));
        }
        let mut fields = Fields::default();
        for (name, value) in self.0 {
            let value = serde_json::from_str(value.get());
            let value = value.map_err(|error| Failure::field(&name, format!("{name}: {error}")))?;
            fields.0.insert(name, value);
        }
        Ok(fields)
    }
}

impl Fields {
    /// Adds a value of a form. Values of the same name become a list.
    pub(crate) fn add(&mut self, name: String, value: Value) {
        match self.0.get_mut(&name) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => drop(self.0.insert(name, value)),
        }
    }

    /// Takes a field. `null` is as good as no field.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|error| Failure::field(name, format!("{name}: {error}"))),
        }
    }

    /// Takes a list of texts. One text is a list too.
    pub(crate) fn take_texts(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        if let Some(value @ Value::String(_)) = self.0.get_mut(name) {
            *value = Value::Array(vec![value.take()]);
        }
        Ok(self.take(name)?.unwrap_or_default())
    }

    /// Removes fields without a look at them.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.0.remove(*name);
        }
    }

    /// Whether a field is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Sets a field.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The fields that nobody took.
    pub(crate) fn rest(self) -> BTreeMap<String, Value> {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = BTreeMap<String, &'de RawValue>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an object of at most {FIELDS} fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if fields.len() == FIELDS {
                        return Err(A::Error::custom(format!(
                            "there are more than {FIELDS} fields"
                        )));
                    }
                    if fields.insert(name.clone(), value).is_some() {
                        let name: String = name.chars().take(64).collect();
                        return Err(A::Error::custom(format!("{name:?} appears twice")));
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Fields).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {FIELDS} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    if elements.len() == FIELDS {
                        return Err(A::Error::custom(format!(
                            "there are more than {FIELDS} elements"
                        )));
                    }
                    elements.push(element);
                }
                Ok(elements)
            }
        }

        deserializer
            .deserialize_seq(Elements(PhantomData))
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_field_by_field() {
        let mut object = Object::parse(br#"{"images": ["a", "b"], "n": 2, "prefix": null}"#)
            .ok()
            .unwrap();
        let images: Option<List<String>> = object.take("images").ok().unwrap();
        assert_eq!(images.unwrap().0, ["a", "b"]);
        let mut fields = object.short().ok().unwrap();
        assert!(fields.has("n") && !fields.has("prefix"));
        assert_eq!(fields.take::<usize>("n").ok().unwrap(), Some(2));
        assert_eq!(fields.take::<String>("prefix").ok().unwrap(), None);
        assert!(fields.rest().is_empty());
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_takes_memory() {
        let fields: Vec<String> = (0..=FIELDS).map(|field| format!("\"{field}\":0")).collect();
        let many = format!("{{{}}}", fields.join(","));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(FIELD_BYTES));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for body in [
            &many,
            &long,
            &deep,
            r#"{"a":0,"a":1}"#,
            "[]",
            "{",
            "{\"a\":NaN}",
        ] {
            let read = Object::parse(body.as_bytes()).and_then(Object::short);
            assert!(read.is_err(), "{}", &body[..body.len().min(40)]);
        }
        let list = format!("[{}0]", "0,".repeat(FIELDS));
        assert!(serde_json::from_str::<List<u8>>(&list).is_err());
    }

    #[test]
    fn fields_of_a_form_with_the_same_name_are_a_list() {
        let mut fields = Fields::default();
        for text in ["en", "de", "fr"] {
            fields.add("languages".into(), text.into());
        }
        fields.add("texts".into(), "one".into());
        assert_eq!(
            fields.take_texts("languages").ok().unwrap(),
            ["en", "de", "fr"]
        );
        assert_eq!(fields.take_texts("texts").ok().unwrap(), ["one"]);
        assert!(fields.take_texts("required").ok().unwrap().is_empty());
    }
}
