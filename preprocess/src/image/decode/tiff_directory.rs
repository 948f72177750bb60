use super::kind::Kind;
use super::tiff::tag;
use crate::Error;

/// The tags of the first image of a TIFF or BigTIFF file.
pub(super) struct Directory<'a> {
    /// The file.
    pub(super) bytes: &'a [u8],
    is_big_endian: bool,
    entries: Vec<Entry>,
}

struct Entry {
    tag: u16,
    kind: u16,
    /// Number of values.
    count: usize,
    /// Where the values are in the file.
    place: usize,
}

const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;
const LONG8: u16 = 16;

fn size_of(kind: u16) -> u64 {
    match kind {
        SHORT | 8 => 2,
        LONG | 9 | 11 | 13 => 4,
        5 | 10 | 12 | LONG8 | 17 | 18 => 8,
        _ => 1,
    }
}

impl<'a> Directory<'a> {
    /// # Errors
    /// [`Error::Damaged`] if the directory or the values of a tag are outside the file. So no tag can ask for more memory
    /// than the file has.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut directory = Self {
            bytes,
            is_big_endian: bytes.starts_with(b"MM"),
            entries: Vec::new(),
        };
        directory
            .read_entries()
            .ok_or_else(|| Kind::Tiff.damaged("its tags are outside the file"))?;
        Ok(directory)
    }

    fn read_entries(&mut self) -> Option<()> {
        let is_big = self.number(2, 2)? == 43;
        // BigTIFF has numbers of 8 bytes where TIFF has 4, and counts entries with 8 instead of 2.
        let (wide, count_size) = if is_big { (8, 8) } else { (4, 2) };
        let start = usize::try_from(self.number(if is_big { 8 } else { 4 }, wide)?).ok()?;
        let count = self.number(start, count_size)?;
        let entry_size = 4 + 2 * wide;
        let first = start.checked_add(count_size)?;
        let entries = self.bytes.get(first..)?.len() / entry_size;
        if count > entries as u64 {
            return None;
        }
        for index in 0..count as usize {
            let at = first + index * entry_size;
            match self.read_entry(at, wide) {
                Some(entry) => self.entries.push(entry),
                // Only what decoding needs has to be there: an editor's own tag that was lost does no harm.
                None if tag::NEEDED.contains(&(self.number(at, 2)? as u16)) => return None,
                None => {}
            }
        }
        Some(())
    }

    /// The entry at a place; `None` if its values are outside the file.
    fn read_entry(&self, at: usize, wide: usize) -> Option<Entry> {
        let (tag, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
        let count = self.number(at + 4, wide)?;
        let value = at + 4 + wide;
        let length = count.checked_mul(size_of(kind))?;
        let place = match length <= wide as u64 {
            true => value,
            false => usize::try_from(self.number(value, wide)?).ok()?,
        };
        let end = place.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(place..end)?;
        Some(Entry {
            tag,
            kind,
            count: count as usize,
            place,
        })
    }

    /// The number of `size` bytes at a place.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let step = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.is_big_endian {
            true => bytes.iter().fold(0, step),
            false => bytes.iter().rev().fold(0, step),
        })
    }

    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Whether there is a tag.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }

    /// The values of a tag of unsigned integers of at least 16 bits.
    pub(super) fn values(&self, tag: u16) -> impl Iterator<Item = u64> {
        let is_number = |entry: &&Entry| matches!(entry.kind, SHORT | LONG | LONG8);
        let entry = self.entry(tag).filter(is_number);
        entry.into_iter().flat_map(move |entry| {
            let size = size_of(entry.kind) as usize;
            (0..entry.count).filter_map(move |index| self.number(entry.place + index * size, size))
        })
    }

    /// The first value of a tag of unsigned integers of at least 16 bits.
    pub(super) fn first(&self, tag: u16) -> Option<u64> {
        self.values(tag).next()
    }

    /// The bytes of a tag of bytes.
    pub(super) fn data(&self, tag: u16) -> Option<&'a [u8]> {
        let is_bytes = |entry: &&Entry| matches!(entry.kind, BYTE | UNDEFINED);
        let entry = self.entry(tag).filter(is_bytes)?;
        self.bytes.get(entry.place..entry.place + entry.count)
    }

    /// Changes the first value of a tag of integers in a copy of the file.
    pub(super) fn set(&self, tag: u16, value: u64, copy: &mut [u8]) {
        let Some(entry) = self.entry(tag) else {
            return;
        };
        let size = size_of(entry.kind) as usize;
        let number = value.to_le_bytes();
        for (index, byte) in number.iter().take(size).enumerate() {
            let at = match self.is_big_endian {
                true => entry.place + size - 1 - index,
                false => entry.place + index,
            };
            if let Some(place) = copy.get_mut(at) {
                *place = *byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_both_orders_and_changed_in_a_copy() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        for bytes in [&little[..], &big[..]] {
            let directory = Directory::of(bytes).unwrap();
            assert_eq!(directory.first(274), Some(6));
            let mut copy = bytes.to_vec();
            directory.set(274, 3, &mut copy);
            assert_eq!(Directory::of(&copy).unwrap().first(274), Some(3));
        }
    }

    #[test]
    fn a_lost_tag_that_decoding_does_not_need_is_ignored() {
        // 65,000 bytes of a private tag, then the orientation.
        let bytes = b"II*\0\x08\0\0\0\x02\0\xe8\xfd\x07\0\xe8\xfd\0\0\x08\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let directory = Directory::of(bytes).unwrap();
        assert_eq!(
            (directory.first(274), directory.has(65_000)),
            (Some(6), false)
        );
    }

    #[test]
    fn tags_that_ask_for_more_than_the_file_are_refused() {
        // 2^30 strip offsets.
        let strips = b"II*\0\x08\0\0\0\x01\0\x11\x01\x04\0\0\0\0\x40\x08\0\0\0";
        // 65,535 entries.
        let entries = b"II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        for bytes in [&strips[..], entries, b"II*\0\xff\xff\xff\xff", b"II*\0"] {
            let error = Directory::of(bytes).err().unwrap();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
    }
}
