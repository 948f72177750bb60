//! What Donut writes, as JSON.

use serde_json::{Map, Value};

use super::Tokenizer;

/// How many fields are read of one text. A model writes some thousand tokens at most, of which a field takes two or more.
/// Each takes time in proportion to the text.
const FIELDS: usize = 1000;

/// How deep fields are nested. What is deeper is a text.
const DEPTH: usize = 64;

const BEGIN: &str = "<s_";
const END: &str = "</s_";
const SEPARATOR: &str = "<sep/>";

/// The JSON that a text of Donut's tokens describes, as `DonutProcessor.token2json` of transformers reads it.
///
/// `<s_key>value</s_key>` is a field of an object, and fields may be nested. `<sep/>` separates the entries of a list:
/// texts within a field, or objects. A value spelled `<yes/>` is a category, the text `"yes"`. A field that is not closed
/// is left out, but not what follows it. A text without fields becomes `{"text_sequence": text}`.
///
/// The special token of the task and the one that ends the text have to be taken off before: the text after the first
/// `>`, decoded [with special tokens](Tokenizer::decode), up to `</s>`.
///
/// Any text has a result. Of one with more than 1,000 fields, the rest is left out; fields that are nested more than 64
/// deep stay texts.
///
/// ```
/// use preprocess::text::tokens_to_json;
/// use serde_json::json;
///
/// let text = "<s_menu><s_name>tea</s_name><s_count>2</s_count><sep/><s_name>milk</s_name></s_menu><s_paid><yes/></s_paid>";
/// let read = json!({"menu": [{"name": "tea", "count": "2"}, {"name": "milk"}], "paid": "yes"});
/// assert_eq!(tokens_to_json(text), read);
/// ```
pub fn tokens_to_json(text: &str) -> Value {
    Reader {
        is_token: &|_| true,
        fields: FIELDS,
    }
    .whole(text)
}

impl Tokenizer {
    /// [`tokens_to_json`] where only the added tokens of this tokenizer are categories, as in transformers.
    pub fn tokens_to_json(&self, text: &str) -> Value {
        let added = self.inner.get_added_vocabulary().get_vocab();
        Reader {
            is_token: &|token| added.contains_key(token),
            fields: FIELDS,
        }
        .whole(text)
    }
}

struct Reader<'f> {
    /// Whether a value can be a category.
    is_token: &'f dyn Fn(&str) -> bool,
    /// How many more fields are read.
    fields: usize,
}

/// The objects of a text, one for each part between separators.
struct Objects {
    objects: Vec<Map<String, Value>>,
    /// Whether there were separators.
    is_list: bool,
    /// What is left after the last field.
    rest: String,
}

impl Reader<'_> {
    fn whole(mut self, text: &str) -> Value {
        let mut read = self.objects(text, DEPTH);
        match (read.is_list, read.objects.pop()) {
            (false, None) => {
                let only = [("text_sequence".to_owned(), Value::from(read.rest))];
                Value::Object(only.into_iter().collect())
            }
            (false, Some(only)) => Value::Object(only),
            (true, last) => {
                read.objects.extend(last);
                Value::from(read.objects)
            }
        }
    }

    /// Reads fields that are nested at most `depth` deep.
    fn objects(&mut self, text: &str, depth: usize) -> Objects {
        let mut read = Objects {
            objects: Vec::new(),
            is_list: false,
            rest: text.to_owned(),
        };
        let mut object = Map::new();
        while let Some(field) = Field::first(&read.rest) {
            if self.fields == 0 {
                break;
            }
            self.fields -= 1;
            let Some(first_end) = field.first_end else {
                read.rest = read.rest.replace(&field.tag, "");
                continue;
            };
            if let Some(content) = field.content {
                self.add(&mut object, field.key, content.trim(), depth);
            }
            let rest = read.rest[first_end..].trim();
            match rest.strip_prefix(SEPARATOR) {
                Some(next) => {
                    read.rest = next.to_owned();
                    read.is_list = true;
                    read.objects.push(std::mem::take(&mut object));
                }
                None => read.rest = rest.to_owned(),
            }
        }
        if !object.is_empty() {
            read.objects.push(object);
        }
        read
    }

    fn add(&mut self, object: &mut Map<String, Value>, key: String, content: &str, depth: usize) {
        let is_nested = content.contains(BEGIN) && content.contains(END);
        let values: Vec<Value> = match depth.checked_sub(1) {
            Some(depth) if is_nested => {
                let objects = self.objects(content, depth).objects;
                objects.into_iter().map(Value::Object).collect()
            }
            _ => {
                let texts = content.split(SEPARATOR);
                texts.map(|text| self.leaf(text.trim())).collect()
            }
        };
        match <[Value; 1]>::try_from(values) {
            Ok([only]) => drop(object.insert(key, only)),
            Err(values) if values.is_empty() => {}
            Err(values) => drop(object.insert(key, Value::from(values))),
        }
    }

    fn leaf(&self, text: &str) -> Value {
        let name = text
            .strip_prefix('<')
            .and_then(|text| text.strip_suffix("/>"));
        Value::from(match name {
            Some(name) if (self.is_token)(text) => name,
            _ => text,
        })
    }
}

/// The first field of a text.
struct Field {
    key: String,
    /// The tag that begins it.
    tag: String,
    /// Where the first tag ends that ends a field of this name. It may be before the field.
    first_end: Option<usize>,
    /// What is between the tags.
    content: Option<String>,
}

impl Field {
    fn first(text: &str) -> Option<Self> {
        let start = find(text, 0, BEGIN)?;
        let length = text[start..].find('>')? + 1;
        let tag = &text[start..start + length];
        let key = &tag[BEGIN.len()..tag.len() - 1];
        let end_tag = [END, key, ">"].concat();
        let first_end = find(text, 0, &end_tag);
        let content = first_end.and_then(|first_end| {
            let after = start + length;
            let end = match first_end >= after {
                true => first_end,
                false => find(text, after, &end_tag)?,
            };
            Some(text[after..end].to_owned())
        });
        Some(Self {
            key: key.to_owned(),
            tag: tag.to_owned(),
            first_end: first_end.map(|position| position + end_tag.len()),
            content,
        })
    }
}

/// The first position of a tag at `from` or after it, in letters of either case.
fn find(text: &str, from: usize, tag: &str) -> Option<usize> {
    let mut brackets = text[from..].match_indices('<');
    let is_tag = |position: &usize| {
        let found = text.as_bytes().get(*position..*position + tag.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(tag.as_bytes()))
    };
    brackets.find_map(|(position, _)| Some(from + position).filter(is_tag))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    // Each result is that of `DonutProcessor.token2json` of transformers 5.23.
    #[test]
    fn fields_lists_and_categories_are_read_as_in_transformers() {
        for (text, expected) in [
            ("", json!({"text_sequence": ""})),
            ("plain text", json!({"text_sequence": "plain text"})),
            ("<s_a> tea </s_a>", json!({"a": "tea"})),
            ("<s_a></s_a>", json!({"a": ""})),
            ("<s_a>1<sep/>2<sep/></s_a>", json!({"a": ["1", "2", ""]})),
            (
                "<s_a><yes/></s_a><s_b><no/><sep/>x</s_b>",
                json!({"a": "yes", "b": ["no", "x"]}),
            ),
            ("<s_a><s_b>1</s_b></s_a>", json!({"a": {"b": "1"}})),
            (
                "<s_a><s_b>1</s_b><sep/><s_b>2</s_b><s_c>3</s_c></s_a>",
                json!({"a": [{"b": "1"}, {"b": "2", "c": "3"}]}),
            ),
            (
                "<s_a>1</s_a><sep/><s_a>2</s_a>",
                json!([{"a": "1"}, {"a": "2"}]),
            ),
            ("<s_a>1</s_a><sep/>rest", json!([{"a": "1"}])),
            ("<s_a>1<s_b>2</s_b>", json!({"b": "2"})),
            ("<s_a>1", json!({"text_sequence": "1"})),
            ("1</s_a>", json!({"text_sequence": "1</s_a>"})),
            ("<s_a", json!({"text_sequence": "<s_a"})),
            ("</s_a><s_a>1</s_a>", json!({"a": "1"})),
            ("</s_a><s_a>1", json!({"text_sequence": "1"})),
            ("<S_A>1</s_a> <s_b>2</S_B>", json!({"A": "1", "b": "2"})),
            ("before <s_a>1</s_a> after", json!({"a": "1"})),
            ("<s_a>1</s_a><s_a>2</s_a>", json!({"a": "2"})),
            ("<s_a><s_b></s_a>", json!({"a": "<s_b>"})),
            ("<s_a><s_b></s_c></s_a>", json!({"text_sequence": ""})),
            ("</s<s_x>_a><s_a>1</s_a>", json!({"a": "1"})),
            ("<s_é>ß</s_é>", json!({"é": "ß"})),
            ("<s_>x</s_>", json!({"": "x"})),
        ] {
            assert_eq!(tokens_to_json(text), expected, "{text}");
        }
    }

    #[test]
    fn hostile_texts_end_soon() {
        let many: String = (0..100_000).map(|number| format!("<s_{number}>")).collect();
        let deep = "<s_a>".repeat(20_000) + &"</s_a>".repeat(20_000);
        let nested: String = (0..20_000).map(|number| format!("<s_{number}>")).collect();
        let ends: String = (0..20_000)
            .rev()
            .map(|number| format!("</s_{number}>"))
            .collect();
        let list = "<s_a>1</s_a><sep/>".repeat(50_000);
        let nested = nested + &ends;
        for text in [many, deep, nested, list, "<".repeat(1 << 20)] {
            let start = Instant::now();
            let _ = tokens_to_json(&text);
            assert!(start.elapsed() < Duration::from_secs(20));
        }
    }
}
