use std::borrow::Cow;

/// JSON for the text that Python's `json` wrote, which has three values more than JSON: `NaN`, `Infinity` and
/// `-Infinity`. Outside of strings, the first becomes `null`, and the others become numbers beyond every range, so that
/// only a reader that needs one of them refuses it.
///
/// Other text is returned as it is, even if it is not JSON.
///
/// ```
/// let text = r#"{"penalty": -Infinity, "name": "NaN", "value": NaN}"#;
/// let json = whole_files::strict_json(text);
/// assert_eq!(json, r#"{"penalty": -1e999, "name": "NaN", "value": null}"#);
/// ```
pub fn strict_json(text: &str) -> Cow<'_, str> {
    const VALUES: [(&str, &str); 2] = [("NaN", "null"), ("Infinity", "1e999")];
    if !VALUES.iter().any(|(python, _)| text.contains(python)) {
        return Cow::Borrowed(text);
    }
    let mut json = String::with_capacity(text.len());
    let mut copied = 0;
    let bytes = text.as_bytes();
    let (mut position, mut in_string) = (0, false);
    while position < bytes.len() {
        match bytes[position] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => position += 1, // the next byte ends no string
            _ if in_string => {}
            _ => {
                let rest = &bytes[position..];
                let found = VALUES
                    .iter()
                    .find(|(python, _)| rest.starts_with(python.as_bytes()));
                if let Some((python, strict)) = found {
                    json.push_str(&text[copied..position]);
                    json.push_str(strict);
                    position += python.len();
                    copied = position;
                    continue;
                }
            }
        }
        position += 1;
    }
    json.push_str(&text[copied..]);
    Cow::Owned(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_outside_of_strings_change() {
        for (text, expected) in [
            ("", ""),
            ("NaN", "null"),
            ("[NaN,-Infinity, Infinity]", "[null,-1e999, 1e999]"),
            (
                r#"["\"NaN", NaN, "\\", Infinity]"#,
                r#"["\"NaN", null, "\\", 1e999]"#,
            ),
            (
                r#"{"Infinity": "-Infinity"}"#,
                r#"{"Infinity": "-Infinity"}"#,
            ),
            ("\"NaN", "\"NaN"),
            ("\"\\", "\"\\"),
            ("é NaN ü", "é null ü"),
        ] {
            assert_eq!(strict_json(text), expected, "{text}");
        }
    }
}
