use crate::kernel::walk::{IntegerSum, Product, Sum};
use crate::pack::scale;

impl Sum for [f32; 8] {
    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; 8]
    }

    #[inline(always)]
    unsafe fn add(self, summand: Self) -> Self {
        multiply_add(self, summand, 1.0)
    }
}

impl Sum for [i32; 8] {
    #[inline(always)]
    unsafe fn zero() -> Self {
        [0; 8]
    }

    #[inline(always)]
    unsafe fn add(mut self, summand: Self) -> Self {
        for at in 0..8 {
            self[at] = self[at].wrapping_add(summand[at]);
        }
        self
    }
}

impl IntegerSum for [i32; 8] {
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn add_scaled(self, scales: *const u32, vector: usize, mut to: [f32; 8]) -> [f32; 8] {
        // SAFETY: as the caller promises.
        let scales = unsafe { &*scales.cast::<[u32; 16]>() };
        for at in 0..8 {
            to[at] += self[at] as f32 * scale(scales, 8 * vector + at);
        }
        to
    }
}

/// One `f32` in each word.
pub(super) enum F32 {}

impl Product for F32 {
    type Sum = [f32; 8];
    type Weights = [f32; 8];
    type Value = f32;
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [f32; 8] {
        // SAFETY: as the caller promises.
        unsafe { words.cast::<[f32; 8]>().read() }
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> f32 {
        // SAFETY: as the caller promises.
        f32::from_bits(unsafe { *words })
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: [f32; 8], weights: [f32; 8], value: f32) -> [f32; 8] {
        multiply_add(sum, weights, value)
    }
}

/// Two `bf16` in each word.
pub(super) enum Bf16 {}

impl Product for Bf16 {
    type Sum = [f32; 8];
    type Weights = [[f32; 8]; 2];
    type Value = [f32; 2];
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [[f32; 8]; 2] {
        // SAFETY: as the caller promises.
        let words = unsafe { words.cast::<[u32; 8]>().read() };
        [words.map(low), words.map(high)]
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> [f32; 2] {
        // SAFETY: as the caller promises.
        let word = unsafe { *words };
        [low(word), high(word)]
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: [f32; 8], weights: [[f32; 8]; 2], value: [f32; 2]) -> [f32; 8] {
        let sum = multiply_add(sum, weights[0], value[0]);
        multiply_add(sum, weights[1], value[1])
    }
}

#[inline(always)]
fn low(word: u32) -> f32 {
    f32::from_bits(word << 16)
}

#[inline(always)]
fn high(word: u32) -> f32 {
    f32::from_bits(word & 0xffff_0000)
}

#[inline(always)]
fn multiply_add(mut sum: [f32; 8], weights: [f32; 8], value: f32) -> [f32; 8] {
    for at in 0..8 {
        sum[at] += weights[at] * value;
    }
    sum
}

/// Pairs of 16-bit integers, one pair for each output. Products of such are what processors add in pairs.
type Pairs = [[i16; 2]; 8];

/// Four unsigned 8-bit integers in each word.
pub(super) enum Int8 {}

impl Product for Int8 {
    type Sum = [i32; 8];
    type Weights = [Pairs; 2];
    type Value = [[i16; 2]; 2];
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [Pairs; 2] {
        // SAFETY: as the caller promises.
        let words = unsafe { words.cast::<[u32; 8]>().read() };
        pairs(words)
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> [[i16; 2]; 2] {
        // SAFETY: as the caller promises.
        signed_pairs(unsafe { *words })
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: [i32; 8], weights: [Pairs; 2], value: [[i16; 2]; 2]) -> [i32; 8] {
        add_pairs(sum, weights, value)
    }
}

/// Eight unsigned 4-bit integers in each word.
pub(super) enum Int4 {}

impl Product for Int4 {
    type Sum = [i32; 8];
    type Weights = [[Pairs; 2]; 2];
    type Value = [[[i16; 2]; 2]; 2];
    const ROW_WORDS: usize = 2;

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [[Pairs; 2]; 2] {
        // SAFETY: as the caller promises.
        let words = unsafe { words.cast::<[u32; 8]>().read() };
        [
            pairs(words.map(|word| word & 0x0f0f_0f0f)),
            pairs(words.map(|word| word >> 4 & 0x0f0f_0f0f)),
        ]
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, stride: usize) -> [[[i16; 2]; 2]; 2] {
        // SAFETY: as the caller promises.
        unsafe { [signed_pairs(*words), signed_pairs(*words.add(stride))] }
    }

    #[inline(always)]
    unsafe fn multiply_add(
        sum: [i32; 8],
        weights: [[Pairs; 2]; 2],
        value: [[[i16; 2]; 2]; 2],
    ) -> [i32; 8] {
        let sum = add_pairs(sum, weights[0], value[0]);
        add_pairs(sum, weights[1], value[1])
    }
}

/// The first and third bytes of words, and the second and fourth.
#[inline(always)]
fn pairs(words: [u32; 8]) -> [Pairs; 2] {
    let pair = |word: u32| [word as u8, (word >> 16) as u8].map(i16::from);
    [words.map(pair), words.map(|word| pair(word >> 8))]
}

#[inline(always)]
fn signed_pairs(word: u32) -> [[i16; 2]; 2] {
    let [a, b, c, d] = word.to_le_bytes().map(|byte| i16::from(byte as i8));
    [[a, c], [b, d]]
}

#[inline(always)]
fn add_pairs(mut sum: [i32; 8], weights: [Pairs; 2], value: [[i16; 2]; 2]) -> [i32; 8] {
    for (weights, value) in weights.iter().zip(value) {
        for at in 0..8 {
            let product = |of: usize| i32::from(weights[at][of]) * i32::from(value[of]);
            sum[at] = sum[at].wrapping_add(product(0).wrapping_add(product(1)));
        }
    }
    sum
}
