//! The messages of a chat: where the picture is, and which language is wanted.

use captioning::Language;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::app::App;
use crate::failure::Failure;
use crate::fields::{List, Object};
use crate::pictures::Picture;

/// Words of a system message that are looked at.
const WORDS: usize = 1000;

/// What a chat asks for.
pub(super) struct Messages {
    /// The texts of messages of the system or the developer.
    pub(super) system: Option<String>,
    /// The picture of the last message that has one.
    pub(super) picture: Picture,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    r#type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
}

/// OpenAI's API has an object here, and some clients send the address alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum ImageUrl {
    Url(String),
    Object { url: String },
}

/// Takes the messages of a request.
pub(super) fn read(object: &mut Object<'_>) -> Result<Messages, Failure> {
    let messages: Option<List<Message<'_>>> = object.take("messages")?;
    let messages = messages.map(|list| list.0).unwrap_or_default();
    let (mut system, mut pictures) = (String::new(), Vec::new());
    for message in messages {
        let Some(content) = message.content else {
            continue;
        };
        let mut of_message = Vec::new();
        let text = read_content(content, &mut of_message)?;
        match message.role.as_str() {
            "system" | "developer" => {
                system.push_str(&text);
                system.push('\n');
            }
            "user" if !of_message.is_empty() => pictures = of_message,
            "user" | "assistant" => {}
            other => {
                let other: String = other.chars().take(32).collect();
                let message = format!(
                    "messages of the role {other:?} can't be answered by a model that captions pictures"
                );
                return Err(Failure::unsupported("messages", message));
            }
        }
    }
    let about = |message: &str| Failure::unsupported("messages", message);
    if pictures.len() > 1 {
        return Err(about(
            "a message has several pictures, but this model captions one at a time; POST /v1/captions takes several",
        ));
    }
    let url = pictures.pop().ok_or_else(|| {
        about(
            "there is no picture: this model captions pictures and does not chat; send a part {\"type\": \"image_url\", \
             \"image_url\": {\"url\": \"data:image/png;base64,...\"}}",
        )
    })?;
    let picture = Picture::from_text(url, None).map_err(|failure| failure.about("messages"))?;
    Ok(Messages {
        system: (!system.trim().is_empty()).then_some(system),
        picture,
    })
}

/// Reads the content of a message: a text, or a list of parts. Returns its text, and adds its pictures.
fn read_content(content: &RawValue, pictures: &mut Vec<String>) -> Result<String, Failure> {
    let invalid =
        |error: serde_json::Error| Failure::field("messages", format!("messages: {error}"));
    if !content.get().starts_with('[') {
        let text: Option<String> = serde_json::from_str(content.get()).map_err(invalid)?;
        return Ok(text.unwrap_or_default());
    }
    let parts: List<Part<'_>> = serde_json::from_str(content.get()).map_err(invalid)?;
    let mut texts = Vec::new();
    for part in parts.0 {
        match (part.r#type.as_str(), part.image_url) {
            ("text", _) => texts.extend(part.text),
            ("image_url", Some(url)) => {
                pictures.push(match serde_json::from_str(url.get()).map_err(invalid)? {
                    ImageUrl::Url(url) | ImageUrl::Object { url } => url,
                });
            }
            (other, _) => {
                let other: String = other.chars().take(32).collect();
                let message =
                    format!("parts of the type {other:?} can't be used, only text and image_url");
                return Err(Failure::unsupported("messages", message));
            }
        }
    }
    Ok(texts.join("\n"))
}

/// The language that a text names: the whole text, as `de`, or the first of its words that is the English name of one, as
/// in `Answer in German.`
pub(crate) fn language_in(app: &App, text: &str) -> Option<Language> {
    let captioner = app.captioner();
    if let Ok(language) = captioner.language(text.trim()) {
        return Some(language);
    }
    let mut words = text
        .split(|one: char| !one.is_alphanumeric() && one != '_')
        .take(WORDS);
    words.find_map(|word| {
        let mut languages = captioner.languages().iter();
        languages
            .find(|one| one.name.eq_ignore_ascii_case(word) || one.code.eq_ignore_ascii_case(word))
            .copied()
    })
}
