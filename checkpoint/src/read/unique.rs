use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use whole_files::limits;

/// The entries of a JSON object in the order of the file, including duplicates, at most as many as a checkpoint may have
/// tensors. A map would silently keep one of two entries with the same key.
pub(crate) struct Entries<T>(pub(crate) Vec<(String, T)>);

impl<T> Entries<T> {
    /// A key that occurs more than once, if there is one.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let mut keys: Vec<&str> = self.0.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            if entries.len() >= limits::TENSORS {
                let most = limits::TENSORS;
                return Err(A::Error::custom(format_args!("more than {most} entries")));
            }
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
