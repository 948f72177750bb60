//! Which pictures and captions were kept before, in little memory.

mod common_caption;
mod exact;
mod near;

pub(super) use self::common_caption::CommonCaptions;
pub(super) use self::exact::{Earlier, ExactDuplicates};
pub(super) use self::near::NearDuplicates;

/// Adds to a list that grows by an eighth, where `Vec` would double: most lists are half empty otherwise.
fn push_sparingly<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 8).max(2));
    }
    list.push(value);
}

/// A number as four bytes. All numbers beyond are the last one.
fn short(number: u64) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// The number behind [`short`], unless it was too large.
fn long(number: [u8; 4]) -> Option<u64> {
    match u32::from_le_bytes(number) {
        u32::MAX => None,
        number => Some(number.into()),
    }
}
