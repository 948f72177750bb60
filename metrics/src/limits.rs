use crate::Error;

/// The longest text that is scored, in bytes: 64 KiB, a hundred times a long caption. Most scores take time in proportion
/// to the length of a text; ROUGE-L takes time in proportion to the product of two lengths, a 64th of it in steps, which
/// at this limit is some 20 million.
pub const MAX_TEXT_BYTES: usize = 64 << 10;

/// Checks that there is a reference, and that no text is too long.
pub(crate) fn check<R: AsRef<str>>(prediction: &str, references: &[R]) -> Result<(), Error> {
    if references.is_empty() {
        return Err(Error::NoReference);
    }
    let lengths = references.iter().map(|reference| reference.as_ref().len());
    match lengths.chain([prediction.len()]).max() {
        Some(bytes) if bytes > MAX_TEXT_BYTES => Err(Error::TooLong {
            bytes,
            limit: MAX_TEXT_BYTES,
        }),
        _ => Ok(()),
    }
}
