//! Pictures as the parts that their formats are made of.

/// The parts of a picture: chunks, segments, blocks or tags; bytes in pieces where a format has none.
pub(crate) fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let parts = match bytes {
        [0x89, b'P', b'N', b'G', ..] => chunks(bytes, 8, |bytes| 12 + big_endian(bytes, 0)),
        [b'R', b'I', b'F', b'F', ..] => chunks(bytes, 12, |bytes| {
            8 + little_endian(bytes, 4).next_multiple_of(2)
        }),
        [0xFF, 0xD8, ..] => segments(bytes),
        [b'I', b'I', 42, 0, 8, 0, 0, 0, ..] => tags(bytes),
        [0, 0, 1, 0, ..] => pieces(bytes, &[6, 16, 16, 40]),
        [b'B', b'M', ..] => pieces(bytes, &[14, 4, 8, 4, 4, 20, 16]),
        [b'G', b'I', b'F', ..] => pieces(bytes, &[6, 4, 3, 90, 8, 1, 9]),
        _ => pieces(bytes, &[2, 2, 12, 16]),
    };
    parts.into_iter().map(<[u8]>::to_vec).collect()
}

/// A picture of parts, with the checksums of PNG made right.
pub(crate) fn join(original: &[u8], parts: &[Vec<u8>]) -> Vec<u8> {
    if !original.starts_with(b"\x89PNG") {
        return parts.concat();
    }
    let mut bytes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index == 0 || part.len() < 12 {
            bytes.extend(part);
            continue;
        }
        let content = &part[4..part.len() - 4];
        bytes.extend(((content.len() - 4) as u32).to_be_bytes());
        bytes.extend(content);
        bytes.extend(crc32(content).to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

fn big_endian(bytes: &[u8], at: usize) -> usize {
    let number = bytes.get(at..at + 4);
    number.map_or(0, |number| {
        number
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    })
}

fn little_endian(bytes: &[u8], at: usize) -> usize {
    let number = bytes.get(at..at + 4);
    number.map_or(0, |number| {
        number
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    })
}

/// A header, then chunks whose length their start says.
fn chunks(bytes: &[u8], header: usize, length: fn(&[u8]) -> usize) -> Vec<&[u8]> {
    let (first, mut rest) = bytes.split_at(header.min(bytes.len()));
    let mut parts = vec![first];
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(length(rest).clamp(1, rest.len()));
        parts.push(chunk);
        rest = after;
    }
    parts
}

/// The markers of a JPEG, each with its segment and, if it is a scan, its data.
fn segments(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = (1..bytes.len().saturating_sub(1))
        .filter(|at| bytes[*at] == 0xFF && bytes[at + 1] >= 0xC0)
        .collect();
    starts.insert(0, 0);
    starts.push(bytes.len());
    starts
        .windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

/// The tags of a directory at the start of a TIFF.
fn tags(bytes: &[u8]) -> Vec<&[u8]> {
    let count = bytes.get(8).map_or(0, |count| usize::from(*count));
    let lengths: Vec<usize> = [10]
        .into_iter()
        .chain(std::iter::repeat_n(12, count))
        .collect();
    pieces(bytes, &lengths)
}

/// Pieces of these lengths, and the rest.
fn pieces<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut parts = Vec::new();
    for length in lengths {
        let (part, after) = rest.split_at((*length).min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}
