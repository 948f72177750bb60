//! Configurations from outside: only what is used of them is kept.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use whole_files::{limits, python_json};

use crate::ConfigError;

/// Some entries of a JSON object, as they are written. Everything else of the object takes no memory.
#[derive(Debug)]
pub(crate) struct Entries<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Entries<'a> {
    /// The entries with these keys. Of several with the same key, the last counts, as in Python.
    ///
    /// # Errors
    /// If the text is not a JSON object.
    pub(crate) fn of<'k>(
        json: &'a str,
        keys: impl IntoIterator<Item = &'k str>,
    ) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let wanted = Wanted(keys.into_iter().collect());
        let entries = wanted.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(Self(entries))
    }

    /// The text of an object; `None` for a missing entry and other values.
    pub(crate) fn object(&self, key: &str) -> Option<&'a str> {
        let text = self.0.get(key)?.get();
        text.starts_with('{').then_some(text)
    }

    /// The text of a value; `None` if it is missing or `null`.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        let text = self.0.get(key)?.get();
        (text != "null").then_some(text)
    }

    /// A string; `None` for a missing entry and other values.
    pub(crate) fn string(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.text(key)?).ok()
    }

    /// The parsed values of all entries, without those that are `null` or, as [`python_json::standard`] has it, `NaN`.
    ///
    /// # Errors
    /// [`ConfigError`] if a value has more than [`limits::CONFIGURATION_VALUE`] bytes or a number that is out of every
    /// range.
    pub(crate) fn values(&self) -> Result<Map<String, Value>, ConfigError> {
        let mut values = Map::new();
        for (key, value) in &self.0 {
            let text = value.get();
            if text.len() > limits::CONFIGURATION_VALUE {
                return Err(ConfigError::TooLong {
                    key: key.clone(),
                    bytes: text.len(),
                    limit: limits::CONFIGURATION_VALUE,
                });
            }
            let error = |source| ConfigError::Value {
                key: key.clone(),
                source,
            };
            let value: Value = serde_json::from_str(text).map_err(error)?;
            match value.as_str().and_then(python_json::number) {
                // As if it were missing: an option that only training uses may have it.
                Some(number) if number.is_nan() => continue,
                Some(_) => return Err(error(Error::custom("infinity is out of range"))),
                None => {}
            }
            if !value.is_null() {
                values.insert(key.clone(), value);
            }
        }
        Ok(values)
    }
}

/// The keys of the entries that are kept.
struct Wanted<'k>(HashSet<&'k str>);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = BTreeMap<String, &'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(Key(key)) = map.next_key()? {
            if self.0.contains(key.as_ref()) {
                entries.insert(key.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entries)
    }
}

/// A key, which is copied only if it has escaped characters.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.into())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wanted_entries_are_kept_and_the_last_counts() {
        let json = r#"{"a": 1, "b": {"x": [1]}, "c": [[]], "\u0061": 2, "d": null}"#;
        let entries = Entries::of(json, ["a", "b", "d"]).unwrap();
        assert_eq!(entries.object("b"), Some(r#"{"x": [1]}"#));
        assert_eq!((entries.object("a"), entries.object("c")), (None, None));
        assert_eq!(entries.text("d"), None);
        let expected = serde_json::json!({"a": 2, "b": {"x": [1]}});
        assert_eq!(Value::Object(entries.values().unwrap()), expected);
        for other in ["", "[]", "{", r#"{"a": 1} x"#, "null", r#"{"a": tru}"#] {
            Entries::of(other, ["a"]).unwrap_err();
        }
    }

    #[test]
    fn long_values_and_numbers_out_of_range_are_named() {
        let long = format!(
            r#"{{"a": [{}0]}}"#,
            "0,".repeat(limits::CONFIGURATION_VALUE / 2)
        );
        for (json, message) in [(long.as_str(), "a has"), (r#"{"a": 1e999}"#, "a")] {
            let error = Entries::of(json, ["a"]).unwrap().values().unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
