use crate::Error;

/// The fields of a message in the wire format of protocol buffers, in the order of the file. Values are parts of the
/// file's bytes, so reading them takes no memory.
///
/// The format is described at <https://protobuf.dev/programming-guides/encoding/>.
pub(super) struct Fields<'b>(&'b [u8]);

/// The value of a field. A message knows by the field's number what the bytes stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'b> {
    /// An integer of any kind, a truth value or one of an enumeration.
    Integer(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A text, bytes or another message.
    Bytes(&'b [u8]),
    /// Four bytes, such as those of a float.
    Fixed32([u8; 4]),
}

impl<'b> Fields<'b> {
    pub(super) fn new(message: &'b [u8]) -> Self {
        Self(message)
    }

    /// The number and the value of the next field; `None` if the bytes are not a field.
    fn read(&mut self) -> Option<(u64, Value<'b>)> {
        let key = self.integer()?;
        let value = match key & 7 {
            0 => Value::Integer(self.integer()?),
            1 => Value::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(self.integer()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(self.array()?),
            // Groups, which no file that is written today has, and values that are not defined.
            _ => return None,
        };
        match key >> 3 {
            0 => None,
            number => Some((number, value)),
        }
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn integer(&mut self) -> Option<u64> {
        let mut integer = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            integer |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(integer);
            }
        }
        None
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read().ok_or_else(|| {
            // Nothing after it can be read either.
            self.0 = &[];
            Error::tokenizer_file(
                "a SentencePiece model (a protocol buffer)",
                "a part that is cut short or is no field",
            )
        });
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, Error> {
        Fields::new(bytes).collect()
    }

    #[test]
    fn fields_of_every_kind_are_read() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'a', b'b', 0x1D, 0, 0, 0x80, 0x3F, 0x21, 1, 2, 3, 4, 5,
            6, 7, 8,
        ];
        assert_eq!(
            fields(&bytes).unwrap(),
            [
                (1, Value::Integer(150)),
                (2, Value::Bytes(b"ab")),
                (3, Value::Fixed32(1f32.to_le_bytes())),
                (4, Value::Fixed64([1, 2, 3, 4, 5, 6, 7, 8])),
            ]
        );
    }

    #[test]
    fn what_is_cut_short_or_no_field_is_refused() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            &[0x12, 0x02, b'a'],
            &[
                0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
            ],
            &[
                0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
            ],
            &[0x1D, 0, 0],
            &[0x21, 0],
            &[0x0B],
            &[0x00, 0x00],
        ] {
            assert!(fields(bytes).is_err(), "{bytes:?}");
        }
    }
}
