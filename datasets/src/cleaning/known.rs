use std::fs::File;

use super::facts::LONGEST_MESSAGE;
use super::record::{Reader, Record};
use super::{Facts, PictureCheck, Problem};
use crate::positioned::read_at;

/// The records of a journal that earlier runs have written, found by the stamps of their pictures.
#[derive(Debug, Default)]
pub(super) struct Known {
    file: Option<File>,
    /// Keys of records, sorted, and where the records begin.
    records: Vec<(u64, u64)>,
    /// Where records of another check begin, and of which.
    checks: Vec<(u64, PictureCheck)>,
}

/// A record of a sound picture has no more bytes than this.
const SHORT: usize = 64;
/// No record has more.
const LONG: usize = SHORT + LONGEST_MESSAGE;

impl Known {
    pub(super) fn add(&mut self, key: u64, offset: u64) {
        self.records.push((key, offset));
    }

    /// Says that records from an offset on are of this check.
    pub(super) fn made_by(&mut self, offset: u64, check: PictureCheck) {
        if self.checks.last().is_none_or(|(_, last)| *last != check) {
            self.checks.push((offset, check));
        }
    }

    /// Makes records ready to be found in their file.
    pub(super) fn complete(mut self, file: File) -> Self {
        self.records.sort_unstable();
        self.records.shrink_to_fit();
        self.file = Some(file);
        self
    }

    /// What a check would find at a picture with this stamp, if that is known. Of several records, the last that is sure
    /// to be true still.
    pub(super) fn find(&self, stamp: &[u8; 16], check: &PictureCheck) -> Option<Record> {
        let key = Record::key_of(stamp);
        let first = self.records.partition_point(|(other, _)| *other < key);
        let same = self.records[first..]
            .iter()
            .take_while(|(other, _)| *other == key);
        let mut found: Option<Record> = None;
        for (_, offset) in same {
            if let Some(record) = self.read(*offset).filter(|record| record.stamp == *stamp)
                && let Some(record) = as_found_by(record, self.check_at(*offset)?, check)
                && (record.is_lasting() || found.as_ref().is_none_or(|found| !found.is_lasting()))
            {
                found = Some(record);
            }
        }
        found
    }

    fn check_at(&self, offset: u64) -> Option<&PictureCheck> {
        let after = self.checks.partition_point(|(start, _)| *start <= offset);
        Some(&self.checks.get(after.checked_sub(1)?)?.1)
    }

    /// A record; `None` if it can't be read, so that the picture is looked at again.
    fn read(&self, offset: u64) -> Option<Record> {
        let file = self.file.as_ref()?;
        let mut short = [0; SHORT];
        let count = read_at(file, &mut short, offset).ok()?;
        Record::read(&mut Reader(&short[..count])).or_else(|| {
            let mut long = vec![0; LONG];
            let count = read_at(file, &mut long, offset).ok()?;
            Record::read(&mut Reader(&long[..count]))
        })
    }
}

/// What a check would have found in the place of the one that `made` a record. `None` if that is not known.
fn as_found_by(mut record: Record, made: &PictureCheck, check: &PictureCheck) -> Option<Record> {
    let stays = match &mut record.facts {
        Facts::Sound(sound) => {
            let pixels = u64::from(sound.width) * u64::from(sound.height);
            let stays = made.identity == check.identity
                && pixels <= check.max_pixels
                && (made.near || !check.near);
            sound.near = sound.near.filter(|_| check.near);
            stays
        }
        Facts::Unusable(unusable) => match unusable.problem {
            // Its message names the limit.
            Problem::TooLarge => made.max_pixels == check.max_pixels,
            // With a lower limit it may not be looked at further than its header.
            _ => made.max_pixels <= check.max_pixels,
        },
    };
    stays.then_some(record)
}
