use image::ImageFormat;
use whole_files::StandIn;

use crate::Error;

/// The formats that are decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
    Tiff,
    Bmp,
    Ico,
    Pnm,
    Qoi,
}

impl Kind {
    /// The format that the first bytes announce.
    ///
    /// # Errors
    /// [`Error::ForeignFormat`] if it is something else that is known, [`Error::UnknownFormat`] if it is not known.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Error> {
        let is = |signature: &[u8]| bytes.starts_with(signature);
        Ok(match bytes {
            _ if is(b"\x89PNG\r\n\x1a\n") => Self::Png,
            // The second is a lossless JPEG or JPEG-LS as well, whose frames say so.
            _ if is(b"\xff\xd8\xff") => Self::Jpeg,
            _ if is(b"GIF87a") || is(b"GIF89a") => Self::Gif,
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Self::WebP,
            // What an image looks like in raw files of cameras is not in the tags of a TIFF, so they go first.
            _ if let Some((found, advice)) = foreign(bytes) => {
                return Err(Error::ForeignFormat { found, advice });
            }
            // 43 is BigTIFF's number.
            _ if is(b"II*\0")
                || is(b"MM\0*")
                || is(b"II+\0\x08\0\0\0")
                || is(b"MM\0+\0\x08\0\0") =>
            {
                Self::Tiff
            }
            _ if is(b"BM") => Self::Bmp,
            _ if is(b"\0\0\x01\0") => Self::Ico,
            [b'P', b'1'..=b'7', b' ' | b'\t'..=b'\r' | b'#', ..] => Self::Pnm,
            _ if is(b"qoif") => Self::Qoi,
            _ => return Err(Error::UnknownFormat { bytes: bytes.len() }),
        })
    }

    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Ico => "ICO",
            Self::Pnm => "PNM",
            Self::Qoi => "QOI",
        }
    }

    pub(super) fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::WebP => ImageFormat::WebP,
            Self::Tiff => ImageFormat::Tiff,
            Self::Bmp => ImageFormat::Bmp,
            Self::Ico => ImageFormat::Ico,
            Self::Pnm => ImageFormat::Pnm,
            Self::Qoi => ImageFormat::Qoi,
        }
    }

    /// An [`Error::Damaged`].
    pub(super) fn damaged(self, reason: impl Into<String>) -> Error {
        Error::Damaged {
            format: self.name().to_owned(),
            reason: reason.into(),
        }
    }

    /// An [`Error::UnsupportedImage`].
    pub(super) fn unsupported(self, reason: impl Into<String>) -> Error {
        Error::UnsupportedImage {
            format: self.name().to_owned(),
            reason: reason.into(),
        }
    }
}

const CONVERT: &str = "convert it to PNG or JPEG";
const DEVELOP: &str = "develop it, or export it as JPEG";
const FRAME: &str = "save one of its frames as PNG or JPEG";
const RENDER: &str = "render it to PNG";
const UNPACK: &str = "unpack it";

/// Signatures of what is often found in folders of pictures: where the signature is, what it belongs to, what to do.
const SIGNATURES: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\xff\x0a", "a JPEG XL image", CONVERT),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", CONVERT),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", CONVERT),
    (0, b"II\xbc", "a JPEG XR image", CONVERT),
    (0, b"8BPS", "a Photoshop document", CONVERT),
    (0, b"gimp xcf", "a GIMP document", CONVERT),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image", CONVERT),
    (0, b"#?RADIANCE", "a Radiance HDR image", CONVERT),
    (0, b"#?RGBE", "a Radiance HDR image", CONVERT),
    (0, b"DDS ", "a DirectDraw surface", CONVERT),
    (0, b"farbfeld", "a farbfeld image", CONVERT),
    (0, b"BPG\xfb", "a BPG image", CONVERT),
    (0, b"FLIF", "a FLIF image", CONVERT),
    (0, b"\x8aMNG\r\n\x1a\n", "an MNG animation", FRAME),
    (0, b"\x8bJNG\r\n\x1a\n", "a JNG image", CONVERT),
    (0, b"icns", "an icon of macOS", CONVERT),
    (0, b"PF\n", "a PFM image", CONVERT),
    (0, b"Pf\n", "a PFM image", CONVERT),
    (0, b"SIMPLE  =", "a FITS image", CONVERT),
    (128, b"DICM", "a DICOM image", CONVERT),
    (0, b"\x0a\x05\x01", "a PCX image", CONVERT),
    (0, b"AT&TFORM", "a DjVu document", RENDER),
    (0, b"FUJIFILMCCD-RAW", "a raw image of a camera", DEVELOP),
    (0, b"IIRO", "a raw image of a camera", DEVELOP),
    (0, b"IIRS", "a raw image of a camera", DEVELOP),
    (0, b"IIU\0", "a raw image of a camera", DEVELOP),
    (8, b"CR\x02", "a raw image of a camera", DEVELOP),
    (0, b"%!PS", "a PostScript document", RENDER),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document", RENDER),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile", RENDER),
    (40, b" EMF", "a Windows metafile", RENDER),
    (8, b"AVI ", "a video", FRAME),
    (0, b"\x1a\x45\xdf\xa3", "a video", FRAME),
    (
        0,
        b"PK\x03\x04",
        "a ZIP archive or an office document",
        UNPACK,
    ),
    (0, b"\x1f\x8b", "a gzip archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (
        0,
        b"\0\x05\x16\x07",
        "what macOS keeps beside a file (AppleDouble)",
        "pass it over",
    ),
];

/// Brands of ISO's base media files, which begin with a box `ftyp`.
fn of_brand(brand: &[u8]) -> (&'static str, &'static str) {
    match brand {
        b"avif" | b"avis" => ("an AVIF image", CONVERT),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"hevm" | b"hevs" => {
            ("a HEIC image", CONVERT)
        }
        b"mif1" | b"mif2" | b"msf1" | b"miaf" => ("a HEIF image", CONVERT),
        b"crx " => ("a raw image of a camera", DEVELOP),
        b"jxl " => ("a JPEG XL image", CONVERT),
        b"jp2 " | b"jpx " | b"jpm " => ("a JPEG 2000 image", CONVERT),
        _ => ("a video", FRAME),
    }
}

/// What the bytes are instead of an image, and what to do.
fn foreign(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match StandIn::recognise(bytes) {
        Some(StandIn::GitLfsPointer) => {
            return Some((
                "a Git LFS pointer in place of the file",
                "run `git lfs pull` in its repository, or download the file again",
            ));
        }
        Some(StandIn::WebPage) => {
            return Some(("a web page in place of the file", "download the file again"));
        }
        _ => {}
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(of_media(bytes));
    }
    for (place, signature, found, advice) in SIGNATURES {
        if bytes
            .get(*place..)
            .is_some_and(|rest| rest.starts_with(signature))
        {
            return Some((found, advice));
        }
    }
    // A Targa image begins likewise, but with zeros where a cursor has the number of its pictures.
    if bytes.starts_with(b"\0\0\x02\0") && bytes.get(4..6).is_some_and(|count| count != [0, 0]) {
        return Some(("a cursor of Windows", CONVERT));
    }
    let start = &bytes[..bytes.len().min(1024)];
    // A reader of PDF looks for this mark in the first kilobyte.
    if start.windows(5).any(|mark| mark == b"%PDF-") {
        return Some(("a PDF document", RENDER));
    }
    of_text(start)
}

/// The major brand may be a general one: then a compatible one says what it is.
fn of_media(bytes: &[u8]) -> (&'static str, &'static str) {
    let size = bytes
        .first_chunk()
        .map_or(0, |size| u32::from_be_bytes(*size) as usize);
    let brands = bytes
        .get(8..size.clamp(12, 256).min(bytes.len()))
        .unwrap_or(&[]);
    let (brands, _) = brands.as_chunks::<4>();
    let mut named = brands.iter().map(|brand| of_brand(brand));
    let major = named.next().unwrap_or(("a video", FRAME));
    match major.0 {
        "a HEIF image" | "a video" => named
            .find(|found| !matches!(found.0, "a HEIF image" | "a video"))
            .unwrap_or(major),
        _ => major,
    }
}

fn of_text(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = text.trim_ascii_start();
    let has = |mark: &[u8]| text.windows(mark.len()).any(|part| part == mark);
    match text {
        [b'<', ..] if has(b"<svg") => Some(("an SVG drawing", RENDER)),
        [b'<', ..] if has(b"<html") || has(b"<HTML") || has(b"<head") || has(b"<body") => {
            Some(("a web page in place of the file", "download the file again"))
        }
        _ if text.starts_with(b"<?xml") => Some((
            "an XML document, perhaps an error of a server in place of the file",
            "download the file again",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> &'static str {
        match Kind::of(bytes).unwrap_err() {
            Error::ForeignFormat { found, .. } => found,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_not_an_image_of_ours_is_named() {
        for (bytes, expected) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "a HEIC image"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "an AVIF image"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", "a HEIC image"),
            (b"\0\0\0\x10ftypmif1\0\0\0\0", "a HEIF image"),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF image"),
            (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "a video"),
            (b"\0\0\0\x08ftyp", "a video"),
            (b"\xff\x0a\0", "a JPEG XL image"),
            (
                b"<?xml version='1.0'?>\n<!-- x -->\n<svg>",
                "an SVG drawing",
            ),
            (
                b" <svg xmlns='http://www.w3.org/2000/svg'/>",
                "an SVG drawing",
            ),
            (b"%PDF-1.7", "a PDF document"),
            (b"junk\n%PDF-1.4", "a PDF document"),
            (b"<!-- x --><html>", "a web page in place of the file"),
            (b"<!DOCTYPE html>", "a web page in place of the file"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
                "a Git LFS pointer in place of the file",
            ),
            (
                b"\0\x05\x16\x07\0\x02",
                "what macOS keeps beside a file (AppleDouble)",
            ),
            (b"II*\0\x10\0\0\0CR\x02\0", "a raw image of a camera"),
        ] {
            assert_eq!(found(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn anything_else_is_unknown() {
        for bytes in [
            &b""[..],
            b"P",
            b"P8 1 1",
            b"P6x",
            b"text",
            b"\x89PN",
            b"II+\0\0",
        ] {
            let error = Kind::of(bytes).unwrap_err();
            assert!(matches!(error, Error::UnknownFormat { .. }), "{error}");
        }
        assert_eq!(Kind::of(b"II+\0\x08\0\0\0").unwrap(), Kind::Tiff);
    }
}
