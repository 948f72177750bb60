use super::CaptionRule;
use crate::Caption;

/// Drops captions with what is left of a web page: tags that HTML knows (`<br/>`, `</a>`) and entities (`&amp;`, `&#39;`).
/// Other words in angle brackets, such as `<PERSON>`, are not HTML.
pub(super) struct Html;

#[rustfmt::skip]
const TAGS: [&str; 40] = [
    "a", "abbr", "article", "b", "blockquote", "body", "br", "button", "code", "div", "em", "font", "footer", "h1", "h2",
    "h3", "h4", "head", "hr", "html", "i", "iframe", "img", "li", "link", "meta", "ol", "p", "pre", "script", "small",
    "span", "strong", "style", "sub", "sup", "table", "td", "tr", "ul",
];

#[rustfmt::skip]
const ENTITIES: [&str; 24] = [
    "amp", "apos", "bull", "copy", "deg", "eacute", "euro", "gt", "hellip", "laquo", "ldquo", "lsquo", "lt", "mdash",
    "middot", "nbsp", "ndash", "ouml", "quot", "raquo", "rdquo", "reg", "rsquo", "trade",
];

impl CaptionRule for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let mut rest = caption.text.as_str();
        // Looked for once, since a caption may have many brackets.
        let after_last_close = rest.rfind('>').map_or(0, |last| rest.len() - last);
        while let Some(start) = rest.find(['<', '&']) {
            let found = match rest.as_bytes()[start] {
                b'<' => {
                    tag(&rest[start + 1..], after_last_close).map(|name| format!("a tag, {name}"))
                }
                _ => entity(&rest[start + 1..]).map(|name| format!("an entity, {name}")),
            };
            if found.is_some() {
                return found;
            }
            rest = &rest[start + 1..];
        }
        None
    }
}

/// The name of the tag that starts behind its `<`. The last `>` of the caption and what follows it are
/// `after_last_close` bytes.
fn tag(text: &str, after_last_close: usize) -> Option<&'static str> {
    let text = text.strip_prefix('/').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (name, rest) = text.split_at(end);
    let has_close = after_last_close > 0 && rest.len() >= after_last_close;
    let is_closed = has_close && rest.starts_with(['>', '/', ' ']);
    let mut tags = TAGS.into_iter();
    tags.find(|tag| is_closed && tag.eq_ignore_ascii_case(name))
}

/// The name of the entity that starts behind its `&`.
fn entity(text: &str) -> Option<&'static str> {
    // The longest name that is looked for has six letters, the longest number eight characters.
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(..end)?;
    if let Some(number) = name.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        return u32::from_str_radix(digits, radix)
            .is_ok()
            .then_some("a number");
    }
    ENTITIES.into_iter().find(|entity| *entity == name)
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    #[test]
    fn tags_and_entities_are_found_and_other_brackets_are_not() {
        for text in [
            "a <b>cat</b>",
            "a<br/>cat",
            "<IMG src=x>",
            "cats &amp; dogs",
            "it&#39;s",
            "&#x27;",
            "<a href='x'>",
        ] {
            assert!(Html.check(&caption(text)).is_some(), "{text}");
        }
        for text in [
            "<PERSON> and <PERSON>",
            "R&B; live",
            "cats & dogs",
            "1 < 2 > 0",
            "I <3 cats",
            "AT&T",
            "&",
            "<",
            "<b",
        ] {
            assert_eq!(Html.check(&caption(text)), None, "{text}");
        }
    }
}
