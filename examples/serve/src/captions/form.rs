//! Requests as forms, and what fields they have.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::limits::{FIELD_BYTES, FIELDS};
use crate::pictures::{Data, Picture};

/// Fields whose values are numbers, switches or JSON of any kind; those of others are texts.
const TEXTS: [&str; 7] = [
    "languages",
    "language",
    "prefix",
    "required",
    "forbidden",
    "texts",
    "model",
];

/// What a client may ask for. Beside these fields, there may be every option of generation by Hugging Face's name, such
/// as `length_penalty`, `no_repeat_ngram_size`, `do_sample`, `temperature` or `seed`.
#[derive(Deserialize, utoipa::ToSchema)]
#[allow(dead_code)] // Only described here: `Ask` reads the fields, since most of them are options of generation.
pub(crate) struct CaptionsRequest {
    /// Pictures as data URLs (`data:image/png;base64,...`), or files of a form. Addresses are not fetched.
    images: Vec<String>,
    /// Languages by code (`es_XX`), short code (`es`) or English name (`spanish`). Default: that of `Accept-Language`, or
    /// all of the model if there are at most 8, or English.
    languages: Option<Vec<String>>,
    /// Whether to answer with server-sent events while captions are written.
    stream: Option<bool>,
    /// Beams of the search.
    num_beams: Option<usize>,
    /// Captions per language. `n` is another name for it.
    num_return_sequences: Option<usize>,
    /// Tokens of a caption, including start token and language code.
    max_length: Option<usize>,
    /// Text that every caption begins with.
    prefix: Option<String>,
    /// Words that a caption has to contain: `dog`, `dog|dogs` (either), `dog*` (also longer words).
    required: Option<Vec<String>>,
    /// Words that a caption must not contain.
    forbidden: Option<Vec<String>>,
    /// Most likely tokens to return for each token.
    alternatives: Option<usize>,
    /// Whether to return where the decoder looked when it wrote each word.
    attention: Option<bool>,
    /// Texts to score in every language.
    texts: Option<Vec<String>>,
    /// Whether captions are wanted, and not only scores of `texts`. Default: true.
    captions: Option<bool>,
    /// The model's name, if it is to be checked.
    model: Option<String>,
}

/// Reads a form.
pub(super) async fn read(
    app: &App,
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<(Vec<Picture>, Fields), Failure> {
    let invalid = |error: String| {
        let message = format!("the form can't be read: {error}");
        Failure::invalid("invalid_form", message)
    };
    let mut request = Request::new(Body::from(bytes));
    if let Some(media_type) = headers.get(header::CONTENT_TYPE) {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type.clone());
    }
    // The whole body is here already, and within its limit.
    request.extensions_mut().insert(());
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| invalid(error.body_text()))?;
    let (mut pictures, mut fields) = (Vec::new(), Fields::default());
    let mut field_bytes = 0;
    for count in 0.. {
        let field = form.next_field().await;
        let Some(field) = field.map_err(|error| invalid(error.body_text()))? else {
            break;
        };
        if count == FIELDS {
            return Err(Failure::invalid(
                "over_limit",
                format!("the form has more than {FIELDS} parts"),
            ));
        }
        let name = field
            .name()
            .unwrap_or_default()
            .trim_end_matches("[]")
            .to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let bytes = field
            .bytes()
            .await
            .map_err(|error| invalid(error.body_text()))?;
        if name == "images" || name == "image" {
            if pictures.len() == app.limits.max_images {
                let most = app.limits.max_images;
                return Err(Failure::over_limit("images", most + 1, most));
            }
            pictures.push(picture(file_name, bytes)?);
            continue;
        }
        field_bytes += name.len() + bytes.len();
        if field_bytes > FIELD_BYTES {
            let message = format!("fields other than pictures have more than {FIELD_BYTES} bytes");
            return Err(Failure::invalid("over_limit", message));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::field(&name, format!("{name} is not UTF-8")))?;
        let value = value(&name, text);
        fields.add(name, value);
    }
    Ok((pictures, fields))
}

/// A file, or a text as in JSON.
fn picture(file_name: Option<String>, bytes: Bytes) -> Result<Picture, Failure> {
    match std::str::from_utf8(&bytes) {
        Ok(text) if file_name.is_none() => {
            Picture::from_text(text.to_owned(), None).map_err(|failure| failure.about("images"))
        }
        _ => Ok(Picture {
            name: file_name.map(|name| name.chars().take(255).collect()),
            data: Data::Bytes(bytes),
        }),
    }
}

/// The value that a text of a form stands for.
fn value(name: &str, text: &str) -> Value {
    match TEXTS.contains(&name) {
        true => text.into(),
        false => serde_json::from_str(text.trim()).unwrap_or_else(|_| text.into()),
    }
}
