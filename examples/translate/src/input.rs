use std::io::{self, BufRead, Read};

/// Bytes of a line that are kept. No line of that length can be translated.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// Bytes of lines or rows that are read before they are translated. Only the last line may exceed them.
pub(crate) const WINDOW_BYTES: usize = 4 << 20;

/// Reads a line with its line break into an empty buffer. Of a line that is too long, only the beginning is kept. Returns
/// the number of bytes that were read; 0 at the end.
pub(crate) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    let mut limited = input.by_ref().take(LONGEST_LINE as u64);
    let mut count = limited.read_until(b'\n', line)? as u64;
    if line.len() == LONGEST_LINE && !line.ends_with(b"\n") {
        count += skip_line(input)?;
    }
    Ok(count)
}

/// Skips the rest of a line. Returns the number of its bytes.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut count = 0;
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(count);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        input.consume(taken);
        count += taken as u64;
        if end.is_some() {
            return Ok(count);
        }
    }
}

/// A line without its line break.
pub(crate) fn without_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_and_without_end_only_to_the_limit() {
        let mut bytes = b"a\r\n\n".to_vec();
        bytes.extend(vec![b'x'; LONGEST_LINE + 5]);
        bytes.extend(b"\nlast");
        let mut input = bytes.as_slice();
        let mut next = || {
            let mut line = Vec::new();
            let count = read_line(&mut input, &mut line).unwrap();
            (count, without_break(&line).len())
        };
        assert_eq!(next(), (3, 1));
        assert_eq!(next(), (1, 0));
        assert_eq!(next(), (LONGEST_LINE as u64 + 6, LONGEST_LINE));
        assert_eq!(next(), (4, 4));
        assert_eq!(next(), (0, 0));
    }
}
