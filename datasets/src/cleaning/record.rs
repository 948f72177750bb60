use super::facts::LONGEST_MESSAGE;
use super::{Facts, Problem, Sound, Unusable};

/// What a check found, with a stamp of the picture: see `PictureCheck::stamp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) stamp: [u8; 16],
    pub(super) facts: Facts,
}

/// Bytes that are still to be read.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl Record {
    /// What it is found by.
    pub(super) fn key(&self) -> u64 {
        Self::key_of(&self.stamp)
    }

    pub(super) fn key_of(stamp: &[u8; 16]) -> u64 {
        let [key, _] = stamp.as_chunks::<8>().0 else {
            return 0; // unreachable: 16 bytes are two chunks
        };
        u64::from_le_bytes(*key)
    }

    /// Whether the check of a picture with the same stamp can't come to another result.
    pub(super) fn is_lasting(&self) -> bool {
        match &self.facts {
            Facts::Sound(_) => true,
            Facts::Unusable(unusable) => !unusable.problem.may_pass(),
        }
    }

    /// Adds the record to a block.
    pub(super) fn write(&self, block: &mut Vec<u8>) {
        block.extend(self.stamp);
        match &self.facts {
            Facts::Sound(sound) => {
                block.push(if sound.near.is_some() { 1 } else { 0 });
                block.extend(sound.width.to_le_bytes());
                block.extend(sound.height.to_le_bytes());
                block.extend(sound.identity);
                block.extend(sound.near.into_iter().flat_map(u64::to_le_bytes));
            }
            Facts::Unusable(Unusable { problem, message }) => {
                let position = Problem::ALL.iter().position(|other| other == problem);
                block.push(2 + position.unwrap_or(0) as u8);
                let message = &message.as_bytes()[..message.floor_char_boundary(LONGEST_MESSAGE)];
                block.extend((message.len() as u16).to_le_bytes());
                block.extend(message);
            }
        }
    }

    /// Reads a record of a block. `None` if it is none.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let stamp = reader.take()?;
        let [kind] = reader.take()?;
        let facts = match kind {
            0 | 1 => Facts::Sound(Sound {
                width: u32::from_le_bytes(reader.take()?),
                height: u32::from_le_bytes(reader.take()?),
                identity: reader.take()?,
                near: match kind {
                    0 => None,
                    _ => Some(u64::from_le_bytes(reader.take()?)),
                },
            }),
            _ => Facts::Unusable(Unusable {
                problem: *Problem::ALL.get(usize::from(kind) - 2)?,
                message: {
                    let length = u16::from_le_bytes(reader.take()?);
                    String::from_utf8(reader.slice(length.into())?.to_vec()).ok()?
                },
            }),
        };
        Some(Self { stamp, facts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_parts_of_them_do_not() {
        let sound = |near| {
            Facts::Sound(Sound {
                width: 3,
                height: 1 << 20,
                identity: [9; 16],
                near,
            })
        };
        let unusable = |problem| {
            Facts::Unusable(Unusable {
                problem,
                message: "schön kaputt".into(),
            })
        };
        let all = [sound(None), sound(Some(u64::MAX))]
            .into_iter()
            .chain(Problem::ALL.map(unusable));
        for facts in all {
            let record = Record {
                stamp: [1; 16],
                facts,
            };
            let mut block = Vec::new();
            record.write(&mut block);
            assert_eq!(Record::read(&mut Reader(&block)), Some(record));
            for end in 0..block.len() {
                assert_eq!(Record::read(&mut Reader(&block[..end])), None);
            }
        }
    }
}
