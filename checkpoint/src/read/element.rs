use half::{bf16, f16};
use rayon::prelude::*;

use super::bytes::Bytes;
use crate::LoadError;
use crate::Precision;

/// Bytes that a thread reads at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// The floating-point type of a tensor's values in a file, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    BF16,
}

impl Element {
    /// Bytes of a value.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// The precision that keeps these values unchanged. A model has at most 32 bits.
    pub(crate) fn precision(self) -> Precision {
        match self {
            Self::F64 | Self::F32 => Precision::F32,
            Self::F16 => Precision::F16,
            Self::BF16 => Precision::BF16,
        }
    }

    /// Converts bytes until `values` is full.
    pub(crate) fn convert(self, bytes: &[u8], values: &mut [f32]) {
        match self {
            Self::F64 => convert(bytes, values, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => convert(bytes, values, f32::from_le_bytes),
            Self::F16 => convert(bytes, values, |b| f16::from_le_bytes(b).to_f32()),
            Self::BF16 => convert(bytes, values, |b| bf16::from_le_bytes(b).to_f32()),
        }
    }

    /// Reads values, beginning at byte `start`, in blocks and on several threads. Most of the time is spent
    /// on page faults in `values`, which threads share.
    pub(crate) fn read(
        self,
        bytes: &Bytes,
        start: u64,
        values: &mut [f32],
    ) -> Result<(), LoadError> {
        let size = self.size();
        let block_values = BLOCK_BYTES / size;
        if values.len() <= block_values {
            return self.read_block(bytes, start, values, &mut Vec::new());
        }
        values
            .par_chunks_mut(block_values)
            .enumerate()
            .try_for_each_init(Vec::new, |buffer, (block, values)| {
                let start = start + (block * block_values * size) as u64;
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
    from_bytes: impl Fn([u8; SIZE]) -> f32,
) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    for (value, element) in values.iter_mut().zip(elements) {
        *value = from_bytes(*element);
    }
}
