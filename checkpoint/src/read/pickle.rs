//! A look at a pickle before it is handed to its reader, which keeps an object of a hundred bytes for every byte of some
//! pickles.

use std::io::{self, BufRead, Read};

use whole_files::limits;

/// The most objects of a pickle. The description of a tensor has about 32.
const MOST_OBJECTS: u64 = 1 << 21;

/// How much the pickles of a file may still have.
pub(super) struct Allowance {
    bytes: u64,
    objects: u64,
}

impl Allowance {
    /// The allowance of a file of this many bytes. Even the smallest models have 11 bytes for each object of their
    /// pickle.
    pub(super) fn of_file(length: u64) -> Self {
        Self {
            bytes: limits::PICKLE,
            objects: MOST_OBJECTS.min(length / 8 + 1024),
        }
    }

    /// Passes over a pickle, without keeping anything of it, and takes what it has from the allowance. A pickle that is
    /// damaged is passed over up to the damage.
    ///
    /// # Errors
    /// The reason, if the pickle has more than is allowed; or an error of the operating system.
    pub(super) fn take(&mut self, pickle: &mut impl BufRead) -> io::Result<Result<(), String>> {
        Ok(self.take_with_class(pickle)?.map(|_| ()))
    }

    /// The same as [`take`](Self::take); returns the name of the last class that the pickle mentions.
    pub(super) fn take_with_class(
        &mut self,
        pickle: &mut impl BufRead,
    ) -> io::Result<Result<Option<String>, String>> {
        let mut class = None;
        let mut pickle = pickle.take(self.bytes.saturating_add(1));
        while let Some(operation) = byte(&mut pickle)? {
            let Some(argument) = Argument::of(operation) else {
                break;
            };
            self.objects = match self.objects.checked_sub(1) {
                Some(objects) => objects,
                None => {
                    return Ok(Err(
                        "its pickle has more objects than a model of this size needs".into(),
                    ));
                }
            };
            if operation == CLASS {
                class = class_name(&mut pickle)?;
                continue;
            }
            if !argument.skip(&mut pickle)? || operation == STOP {
                break;
            }
        }
        self.bytes = match pickle.limit().checked_sub(1) {
            Some(bytes) => bytes,
            None => {
                let limit = limits::PICKLE;
                return Ok(Err(format!("its pickle has more than {limit} bytes")));
            }
        };
        Ok(Ok(class))
    }
}

const STOP: u8 = b'.';
/// Followed by the lines of a module and of a class in it.
const CLASS: u8 = b'c';

/// What follows after the byte of an operation.
enum Argument {
    /// This many bytes.
    Bytes(u64),
    /// This many lines of text.
    Lines(usize),
    /// A length of this many bytes, little-endian, and as many bytes as it says.
    Length(usize),
}

impl Argument {
    /// What follows after an operation of the pickle protocols 0 to 5; `None` for a byte that is none.
    fn of(operation: u8) -> Option<Self> {
        Some(match operation {
            b'I' | b'L' | b'F' | b'V' | b'S' | b'g' | b'p' | b'P' => Self::Lines(1),
            b'c' | b'i' => Self::Lines(2),
            b'K' | b'h' | b'q' | 0x80 | 0x82 => Self::Bytes(1),
            b'M' | 0x83 => Self::Bytes(2),
            b'J' | b'j' | b'r' | 0x84 => Self::Bytes(4),
            b'G' | 0x95 => Self::Bytes(8),
            b'U' | b'C' | 0x8a | 0x8c => Self::Length(1),
            b'T' | b'X' | b'B' | 0x8b => Self::Length(4),
            0x8d | 0x8e | 0x96 => Self::Length(8),
            b'('
            | b'.'
            | b'0'
            | b'1'
            | b'2'
            | b'N'
            | b'R'
            | b'b'
            | b'd'
            | b'l'
            | b't'
            | b's'
            | b'a'
            | b')'
            | b']'
            | b'}'
            | b'e'
            | b'u'
            | b'Q'
            | b'o'
            | 0x81
            | 0x85..=0x89
            | 0x8f..=0x94
            | 0x97
            | 0x98 => Self::Bytes(0),
            _ => return None,
        })
    }

    /// Passes over it. Returns whether it was complete.
    fn skip(self, pickle: &mut impl BufRead) -> io::Result<bool> {
        match self {
            Self::Bytes(count) => skip_bytes(pickle, count),
            Self::Lines(count) => {
                for _ in 0..count {
                    if !skip_line(pickle)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Length(size) => {
                let mut length = [0; 8];
                for place in &mut length[..size] {
                    match byte(pickle)? {
                        Some(byte) => *place = byte,
                        None => return Ok(false),
                    }
                }
                skip_bytes(pickle, u64::from_le_bytes(length))
            }
        }
    }
}

/// The second of two lines; `None` if they are not complete or too long.
fn class_name(pickle: &mut impl BufRead) -> io::Result<Option<String>> {
    const LONGEST: u64 = 64;
    if !skip_line(pickle)? {
        return Ok(None);
    }
    let mut name = Vec::new();
    pickle.take(LONGEST).read_until(b'\n', &mut name)?;
    if name.pop() != Some(b'\n') {
        skip_line(pickle)?;
        return Ok(None);
    }
    Ok(String::from_utf8(name).ok())
}

fn byte(pickle: &mut impl BufRead) -> io::Result<Option<u8>> {
    let next = pickle.fill_buf()?.first().copied();
    pickle.consume(usize::from(next.is_some()));
    Ok(next)
}

fn skip_bytes(pickle: &mut impl BufRead, count: u64) -> io::Result<bool> {
    Ok(io::copy(&mut pickle.take(count), &mut io::sink())? == count)
}

fn skip_line(pickle: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let part = pickle.fill_buf()?;
        let end = part.iter().position(|byte| *byte == b'\n');
        let (length, is_over) = (part.len(), end.is_some() || part.is_empty());
        pickle.consume(end.map_or(length, |end| end + 1));
        if is_over {
            return Ok(end.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pickle: &[u8], length: u64) -> Result<(), String> {
        Allowance::of_file(length).take(&mut &pickle[..]).unwrap()
    }

    #[test]
    fn more_objects_or_bytes_than_a_model_needs_are_refused() {
        let many = |count: usize| [vec![b'N'; count], vec![b'.']].concat();
        take(&many(1000), 0).unwrap();
        assert!(take(&many(2000), 0).unwrap_err().contains("objects"));
        take(&many(2000), 16_000).unwrap();
        let text = |length: u32| {
            let bytes = vec![b'a'; length as usize];
            [&b"X"[..], &length.to_le_bytes(), &bytes, b"."].concat()
        };
        take(&text(1 << 20), 0).unwrap();
        assert!(
            take(&text(17 << 20), u64::MAX)
                .unwrap_err()
                .contains("bytes")
        );
    }

    #[test]
    fn pickles_that_follow_one_another_share_an_allowance() {
        let one = [vec![b'N'; 600], vec![b'.']].concat();
        let all = one.repeat(3);
        let mut rest = all.as_slice();
        let mut allowance = Allowance::of_file(0);
        allowance.take(&mut rest).unwrap().unwrap();
        assert_eq!(rest.len(), 2 * one.len());
        allowance.take(&mut rest).unwrap().unwrap_err();
    }

    #[test]
    fn damage_ends_the_look_without_an_error() {
        for pickle in [
            &b""[..],
            b"\xff",
            b"X\xff\xff\xff\xffabc",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
            b"Iabc",
            b"J\0",
        ] {
            take(pickle, 0).unwrap();
        }
    }
}
