use sha2::{Digest, Sha256};

use super::{long, push_sparingly, short};

/// The identities of all pictures that were kept, in 22 bytes for each: sorted lists, one for each value of the first two
/// bytes, so that they stay short.
pub(in super::super) struct ExactDuplicates {
    lists: Vec<Vec<Entry>>,
}

/// The rest of an identity, four bytes of a hash of the picture's name, and its number.
struct Entry {
    rest: [u8; 14],
    name: [u8; 4],
    number: [u8; 4],
}

/// A picture with the same identity that was kept before.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Earlier {
    /// It has the same name: the data set has the picture in several places.
    SameName,
    /// It has another name. Its number, unless that is beyond 2^32 - 2.
    OtherName(Option<u64>),
}

impl ExactDuplicates {
    pub(in super::super) fn new() -> Self {
        Self {
            lists: (0..1 << 16).map(|_| Vec::new()).collect(),
        }
    }

    /// The picture of this identity that was kept before.
    pub(in super::super) fn find(&self, identity: [u8; 16], name: &[u8]) -> Option<Earlier> {
        let (list, rest) = split(identity);
        let list = &self.lists[list];
        let position = list.binary_search_by(|entry| entry.rest.cmp(&rest)).ok()?;
        let entry = &list[position];
        Some(match entry.name == hash(name) {
            true => Earlier::SameName,
            false => Earlier::OtherName(long(entry.number)),
        })
    }

    /// Remembers a picture, unless one of this identity is known.
    pub(in super::super) fn insert(&mut self, identity: [u8; 16], name: &[u8], number: u64) {
        let (list, rest) = split(identity);
        let list = &mut self.lists[list];
        let Err(position) = list.binary_search_by(|entry| entry.rest.cmp(&rest)) else {
            return;
        };
        push_sparingly(
            list,
            Entry {
                rest,
                name: hash(name),
                number: short(number),
            },
        );
        list[position..].rotate_right(1);
    }
}

fn split(identity: [u8; 16]) -> (usize, [u8; 14]) {
    let [first, second, rest @ ..] = identity;
    (usize::from(u16::from_le_bytes([first, second])), rest)
}

fn hash(name: &[u8]) -> [u8; 4] {
    crate::cleaning::check::shortened(Sha256::new_with_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(number: u32) -> [u8; 16] {
        // Few values of the first two bytes, so that lists are long.
        let mut identity: [u8; 16] =
            crate::cleaning::check::shortened(Sha256::new_with_prefix(number.to_le_bytes()));
        identity[0] = 0;
        identity[1] &= 3;
        identity
    }

    #[test]
    fn every_picture_is_found_again_with_the_number_of_the_first() {
        let mut seen = ExactDuplicates::new();
        for number in 0..2000 {
            let name = format!("{number}.png");
            assert_eq!(seen.find(identity(number), name.as_bytes()), None);
            seen.insert(identity(number), name.as_bytes(), number.into());
            seen.insert(identity(number), b"other", 7);
        }
        for number in 0..2000 {
            let name = format!("{number}.png");
            assert_eq!(
                seen.find(identity(number), name.as_bytes()),
                Some(Earlier::SameName)
            );
            let other = seen.find(identity(number), b"other");
            assert_eq!(other, Some(Earlier::OtherName(Some(number.into()))));
        }
        assert_eq!(size_of::<Entry>(), 22);
    }
}
