use half::{bf16, f16};
use rayon::prelude::*;

use super::bytes::Bytes;
use crate::LoadError;
use crate::checkpoint::Precision;

/// Bytes read at a time, by a thread.
const BLOCK: usize = 1 << 18;

/// How the numbers of a tensor are stored, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    BF16,
}

impl Element {
    /// Bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// What keeps these numbers as they are, up to the 32 bits that a model has.
    pub(crate) fn precision(self) -> Precision {
        match self {
            Self::F64 | Self::F32 => Precision::F32,
            Self::F16 => Precision::F16,
            Self::BF16 => Precision::BF16,
        }
    }

    /// Converts as many numbers as `values` has room for.
    pub(crate) fn convert(self, bytes: &[u8], values: &mut [f32]) {
        match self {
            Self::F64 => convert(bytes, values, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => convert(bytes, values, f32::from_le_bytes),
            Self::F16 => convert(bytes, values, |b| f16::from_le_bytes(b).to_f32()),
            Self::BF16 => convert(bytes, values, |b| bf16::from_le_bytes(b).to_f32()),
        }
    }

    /// Reads numbers that begin at byte `start`, a block at a time and on several threads: most of
    /// the time goes into the pages that they are written to.
    pub(crate) fn read(
        self,
        bytes: &Bytes,
        start: u64,
        values: &mut [f32],
    ) -> Result<(), LoadError> {
        let size = self.size();
        let numbers = BLOCK / size;
        if values.len() <= numbers {
            return self.read_block(bytes, start, values, &mut Vec::new());
        }
        values
            .par_chunks_mut(numbers)
            .enumerate()
            .try_for_each_init(Vec::new, |buffer, (block, values)| {
                let start = start + (block * numbers * size) as u64;
                self.read_block(bytes, start, values, buffer)
            })
    }

    fn read_block(
        self,
        bytes: &Bytes,
        start: u64,
        values: &mut [f32],
        buffer: &mut Vec<u8>,
    ) -> Result<(), LoadError> {
        buffer.resize(values.len() * self.size(), 0);
        bytes.read(start, buffer)?;
        self.convert(buffer, values);
        Ok(())
    }
}

fn convert<const SIZE: usize>(
    bytes: &[u8],
    values: &mut [f32],
    number: impl Fn([u8; SIZE]) -> f32,
) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    for (value, element) in values.iter_mut().zip(elements) {
        *value = number(*element);
    }
}
