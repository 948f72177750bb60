use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use preprocess::image::{Resample, RgbImage, resize};

use crate::escaped;

const QUALITY: u8 = 85;

/// The start of a page that needs nothing from elsewhere, up to its `<main>`: the title, a style that pages share, and
/// the page's own `style`, which comes later and so has precedence. Browsers are told to load nothing and run nothing.
///
/// The shared style has dark and light colours (`--line`, `--soft`, `--dim`), tables of numbers, which may be wider than
/// the screen in a `.scroll`, and a `.gallery` of figures.
pub fn html_head(title: &str, style: &str) -> String {
    let title = html(title);
    format!(
        "<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-scale=1\">
<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">
<title>{title}</title>
<style>
{STYLE}{style}</style>
<main>
"
    )
}

/// Text for a page: what could be markup becomes character references, and what [is escaped](crate::is_escaped)
/// elsewhere is escaped here too, line breaks among it.
///
/// ```
/// assert_eq!(report::html("<b>\u{202e}"), r"&lt;b&gt;\u{202e}");
/// ```
pub fn html(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in escaped(text).chars() {
        match character {
            '&' => result.push_str("&amp;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '"' => result.push_str("&quot;"),
            '\'' => result.push_str("&#39;"),
            other => result.push(other),
        }
    }
    result
}

/// The first characters of a text, with an ellipsis if there are more.
pub fn shortened(text: &str, characters: usize) -> String {
    let mut all = text.chars();
    let mut short: String = all.by_ref().take(characters).collect();
    if all.next().is_some() {
        short.push('…');
    }
    short
}

/// A picture as the address of an `<img>`: a JPEG within a `data:` URL, with no side longer than `side` pixels. Nothing
/// in it needs escapes. `None` if JPEG can't hold the picture.
pub fn data_url(picture: &RgbImage, side: u32) -> Option<String> {
    let (width, height) = (picture.width(), picture.height());
    let longest = width.max(height);
    if longest > side {
        let scaled = |length: u32| {
            let length = u64::from(length) * u64::from(side) / u64::from(longest);
            u32::try_from(length).unwrap_or(side).max(1)
        };
        let small = resize(picture, scaled(width), scaled(height), Resample::Box).ok()?;
        return jpeg(&small);
    }
    jpeg(picture)
}

fn jpeg(picture: &RgbImage) -> Option<String> {
    let (width, height) = (picture.width(), picture.height());
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(picture.pixels(), width, height, ExtendedColorType::Rgb8)
        .ok()?;
    let text = BASE64_STANDARD.encode(bytes);
    Some(format!("data:image/jpeg;base64,{text}"))
}

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --dim: light-dark(#666, #aaa); }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0; }
main { max-width: 72rem; margin: auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.gallery { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); margin: .75rem 0; }
.gallery figure { margin: 0; padding: .6rem; background: var(--soft); border-radius: .5rem; min-width: 0; }
.gallery img { display: block; max-width: 100%; margin: 0 auto .4rem; border-radius: .25rem; }
.gallery figcaption { overflow-wrap: anywhere; }
.none { padding: 2rem 0; text-align: center; color: var(--dim); }
@media (max-width: 30rem) { th, td { padding: .3rem .4rem; } .gallery { gap: .5rem; } }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            html("<a href='\"'>&\n\u{202e}é"),
            r"&lt;a href=&#39;&quot;&#39;&gt;&amp;\n\u{202e}é"
        );
        assert!(html_head("<script>", "").contains("<title>&lt;script&gt;</title>"));
    }

    #[test]
    fn long_texts_end_with_an_ellipsis() {
        assert_eq!(shortened("éàü", 3), "éàü");
        assert_eq!(shortened("éàüx", 3), "éàü…");
    }

    #[test]
    fn pictures_are_small_jpegs() {
        let file = |width: u32, height: u32| {
            let pixels = vec![200; (3 * width * height) as usize];
            let picture = RgbImage::new(width, height, pixels).unwrap();
            let url = data_url(&picture, 64).unwrap();
            let text = url.strip_prefix("data:image/jpeg;base64,").unwrap();
            let file = BASE64_STANDARD.decode(text).unwrap();
            let found = image::load_from_memory(&file).unwrap();
            [found.width(), found.height()]
        };
        assert_eq!(file(640, 320), [64, 32]);
        assert_eq!(file(32, 16), [32, 16]);
        assert_eq!(file(1000, 1), [64, 1]);
    }
}
