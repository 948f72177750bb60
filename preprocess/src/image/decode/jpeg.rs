use crate::Error;

/// Refuses a JPEG file without an end marker.
///
/// The decoder fills the missing part with grey and reports no error. Pillow refuses such a file, and a caption of half
/// an image would look like a mistake of the model.
pub(super) fn check_complete(bytes: &[u8]) -> Result<(), Error> {
    let scan = first_scan(bytes).unwrap_or(&[]);
    if scan.windows(2).any(|pair| pair == [0xFF, END_OF_IMAGE]) {
        return Ok(());
    }
    Err(Error::Damaged {
        format: "Jpeg".to_owned(),
        reason: "no end marker".to_owned(),
    })
}

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// The bytes after the first start-of-scan marker. The segments before it are skipped, since a thumbnail in them has its
/// own end marker.
fn first_scan(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        // Any number of fill bytes may precede a marker.
        let start = rest.iter().position(|byte| *byte == 0xFF)?;
        rest = &rest[start..];
        let code = rest.iter().position(|byte| *byte != 0xFF)?;
        let marker = rest[code];
        rest = &rest[code + 1..];
        match marker {
            // Markers without a segment.
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            START_OF_SCAN => return Some(rest),
            _ => {
                let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
                rest = rest.get(length..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_marker_of_a_thumbnail_does_not_count() {
        let thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9];
        let mut file = vec![0xFF, 0xD8];
        file.extend(thumbnail);
        file.extend([0xFF, START_OF_SCAN, 0, 2, 1, 2, 3]);
        assert!(check_complete(&file).is_err());
        file.extend([0xFF, END_OF_IMAGE]);
        assert!(check_complete(&file).is_ok());
    }

    #[test]
    fn garbage_has_no_scan() {
        for bytes in [
            &[][..],
            &[0xFF],
            &[0xFF, 0xD8, 0xFF],
            &[0xFF, 0xD8, 0xFF, 0xE0, 0],
        ] {
            assert!(check_complete(bytes).is_err());
        }
    }
}
