use super::announced::Capacity;
use super::kind::Kind;
use super::{DecodeOptions, JPEG_PIXELS, announced};
use crate::Error;

/// The most scans that a file may have. Every scan of a progressive file goes over the whole image, whatever its length, so
/// that thousands of them in a short file would take minutes. Encoders write about ten.
const MAX_SCANS: usize = 100;

/// How many pixels the scans of a file go over altogether, at most: ten times those of 12 megapixels, and ten times those
/// that its bytes can hold.
fn most_visits(bytes: usize) -> u64 {
    (1 << 27) + 10 * JPEG_PIXELS * bytes as u64
}

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// Refuses what the decoder would get wrong or can't bound: a file that is cut short or announces too much, a kind of JPEG
/// that is not decoded here, too many scans.
///
/// The decoder fills a missing part with grey and reports no error. Pillow refuses such a file, and a caption of half
/// an image would look like a mistake of the model.
pub(super) fn check(bytes: &[u8], options: &DecodeOptions) -> Result<(), Error> {
    let mut rest = bytes.get(2..).unwrap_or(&[]);
    let mut scans = 0;
    let mut pixels = 0;
    loop {
        let Some((marker, after)) = next_marker(rest, scans > 0) else {
            return Err(Kind::Jpeg.damaged("no end marker"));
        };
        match marker {
            END_OF_IMAGE if scans > 0 => return Ok(()),
            END_OF_IMAGE => return Err(Kind::Jpeg.damaged("it has no image data")),
            START_OF_IMAGE => return Err(another()),
            _ => {}
        }
        let Some((segment, after)) = segment(after) else {
            return Err(Kind::Jpeg.damaged("no end marker"));
        };
        rest = after;
        // Comments and applications may hold a thumbnail; tables only what followed where they were cut.
        let is_table = !matches!(marker, 0xE0..=0xEF | 0xFE);
        if is_table
            && segment
                .windows(3)
                .any(|start| start == [0xFF, START_OF_IMAGE, 0xFF])
        {
            return Err(another());
        }
        match marker {
            START_OF_SCAN => scans += 1,
            0xC0..=0xCF => {
                if let Some(size) = check_frame(marker, segment)? {
                    let capacity = Capacity::new(JPEG_PIXELS);
                    announced::check(Kind::Jpeg, size, bytes.len(), capacity, options)?;
                    pixels = u64::from(size[0]) * u64::from(size[1]);
                }
            }
            _ => {}
        }
        let visits = pixels.saturating_mul(scans as u64);
        if scans > MAX_SCANS || visits > most_visits(bytes.len()) {
            return Err(Kind::Jpeg.unsupported(format!("{scans} scans or more")));
        }
    }
}

fn another() -> Error {
    Kind::Jpeg.damaged("another JPEG image begins before this one ends")
}

/// The next marker with a segment, or that starts or ends an image, and what follows it.
///
/// In image data, a byte of 0xFF is followed by zero, and restart markers have no segment. Reserved codes are passed
/// over, as decoders do.
fn next_marker(mut rest: &[u8], in_data: bool) -> Option<(u8, &[u8])> {
    loop {
        let start = rest.iter().position(|byte| *byte == 0xFF)?;
        rest = &rest[start..];
        // Any number of fill bytes may precede a marker.
        let code = rest.iter().position(|byte| *byte != 0xFF)?;
        let marker = rest[code];
        rest = &rest[code + 1..];
        match marker {
            0x00..=0x01 | 0xD0..=0xD7 => {}
            0x02..=0xBF if in_data => {}
            _ => return Some((marker, rest)),
        }
    }
}

/// The content of a segment and what follows it.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    let segment = bytes.get(2..length.max(2))?;
    Some((segment, &bytes[length.max(2)..]))
}

/// The width and height of a frame; `marker` is one of 0xC0 to 0xCF, some of which are no frames. Refuses frames that the
/// decoder lacks.
fn check_frame(marker: u8, segment: &[u8]) -> Result<Option<[u32; 2]>, Error> {
    // Huffman tables, a reserved code, arithmetic conditioning.
    if matches!(marker, 0xC4 | 0xC8 | 0xCC) {
        return Ok(None);
    }
    // Bits of a sample, height, width, and three bytes for each component.
    let (bits, size, components) = match segment {
        [bits @ (2..=8 | 12 | 16), a, b, c, d, components, ..]
            if segment.len() == 6 + 3 * usize::from(*components) =>
        {
            let size = [[*c, *d], [*a, *b]].map(u16::from_be_bytes);
            (*bits, size.map(u32::from), *components)
        }
        _ => return Err(Kind::Jpeg.damaged("its frame header is not valid")),
    };
    let kind = match marker {
        0xC0..=0xC2 if bits == 8 && matches!(components, 1 | 3 | 4) => {
            return Ok(Some(size));
        }
        0xC0..=0xC2 if bits == 8 => format!("{components} components"),
        0xC0..=0xC2 => format!("{bits} bits in each sample"),
        0xC3 => "lossless coding".to_owned(),
        0xC5..=0xC7 => "hierarchical coding".to_owned(),
        _ => "arithmetic coding".to_owned(),
    };
    Err(Kind::Jpeg.unsupported(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(bytes: &[u8]) -> Result<(), Error> {
        check(bytes, &DecodeOptions::default())
    }

    fn file(parts: &[&[u8]]) -> Vec<u8> {
        [&[0xFF, 0xD8][..], &parts.concat()].concat()
    }

    const SCAN: &[u8] = &[0xFF, START_OF_SCAN, 0, 2, 1, 0xFF, 0, 2, 0xFF, 0xD0, 3];
    const END: &[u8] = &[0xFF, END_OF_IMAGE];

    #[test]
    fn the_end_marker_of_a_thumbnail_or_in_a_table_does_not_count() {
        let thumbnail = &[0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9];
        let table = &[0xFF, 0xC4, 0, 4, 0xFF, 0xD9];
        assert!(checked(&file(&[thumbnail, SCAN])).is_err());
        assert!(checked(&file(&[SCAN, table, SCAN])).is_err());
        assert!(checked(&file(&[thumbnail, SCAN, table, SCAN, END])).is_ok());
    }

    #[test]
    fn garbage_has_no_scan() {
        for bytes in [
            &[][..],
            &[0xFF],
            &[0xFF, 0xD8, 0xFF],
            &[0xFF, 0xD8, 0xFF, 0xE0, 0],
            &[0xFF, 0xD8, 0xFF, 0xE0, 0, 0],
            &[0xFF, 0xD8, 0xFF, 0xD9],
        ] {
            assert!(checked(bytes).is_err());
        }
    }

    #[test]
    fn an_image_that_is_cut_and_followed_by_another_is_cut() {
        let whole = file(&[SCAN, END]);
        for cut in [2, whole.len() - 2, whole.len() - 1] {
            let error = checked(&[&whole[..cut], &whole].concat()).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
        checked(&[&whole[..], &whole].concat()).unwrap();
    }

    #[test]
    fn kinds_that_are_not_decoded_here_are_named() {
        for (marker, bits, components, expected) in [
            (0xC9, 8, 3, "arithmetic"),
            (0xCA, 8, 3, "arithmetic"),
            (0xC3, 16, 1, "lossless"),
            (0xC6, 8, 3, "hierarchical"),
            (0xC1, 12, 3, "12 bits"),
            (0xC0, 8, 2, "2 components"),
        ] {
            let length = 8 + 3 * components;
            let header = [0xFF, marker, 0, length, bits, 0, 1, 0, 1, components];
            let rest = vec![1; 3 * usize::from(components)];
            let error = checked(&file(&[&header, &rest, SCAN, END])).unwrap_err();
            assert!(matches!(error, Error::UnsupportedImage { .. }), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            // A frame header that is too short for its components.
            let header = [0xFF, marker, 0, 8, bits, 0, 1, 0, 1, components];
            let error = checked(&file(&[&header, SCAN, END])).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn scans_over_a_large_picture_are_bounded_by_the_file() {
        let frame = [0xFF, 0xC2, 0, 11, 8, 0x40, 0, 0x20, 0, 1, 1, 0x11, 0]; // 16,384 x 8,192
        let comment = [&[0xFF, 0xFE, 0xFF, 0xFF][..], &[0; 65_533]]
            .concat()
            .repeat(5);
        let scans = |count: usize| checked(&file(&[&frame, &comment, &SCAN.repeat(count), END]));
        scans(10).unwrap();
        assert!(matches!(scans(20), Err(Error::UnsupportedImage { .. })));
        let result = checked(&file(&[&frame, SCAN, END]));
        assert!(matches!(result, Err(Error::Damaged { .. })));
    }

    #[test]
    fn scans_are_bounded() {
        let scans = |count: usize| checked(&file(&[&SCAN.repeat(count), END]));
        scans(MAX_SCANS).unwrap();
        assert!(matches!(
            scans(MAX_SCANS + 1),
            Err(Error::UnsupportedImage { .. })
        ));
    }
}
