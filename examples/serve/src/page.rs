//! The page at `/`: files within the program, so nothing is read from a disk at run time.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Everything comes from this server, as files: neither scripts nor styles within the page run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const WEBP: &str = "image/webp";

/// A file of the page.
struct File {
    path: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// Files of the folder `page`, which are found below `/page/`.
macro_rules! files {
    ($($name:literal: $media_type:expr,)*) => {
        &[$(File {
            path: concat!("/page/", $name),
            media_type: $media_type,
            bytes: include_bytes!(concat!("../page/", $name)),
        },)*]
    };
}

const INDEX: File = File {
    path: "/",
    media_type: HTML,
    bytes: include_bytes!("../page/index.html"),
};

const FILES: &[File] = files! {
    "announce.js": SCRIPT,
    "base.css": CSS,
    "captioner.js": SCRIPT,
    "card.js": SCRIPT,
    "connection.js": SCRIPT,
    "element.js": SCRIPT,
    "events.js": SCRIPT,
    "examples.js": SCRIPT,
    "examples/cat-and-pizza-blue.webp": WEBP,
    "examples/guitar-yellow.webp": WEBP,
    "examples/penguin-blue.webp": WEBP,
    "examples/whale-and-anchor-white.webp": WEBP,
    "export.js": SCRIPT,
    "gallery.css": CSS,
    "http.js": SCRIPT,
    "icon.svg": SVG,
    "labels.js": SCRIPT,
    "languages.js": SCRIPT,
    "main.js": SCRIPT,
    "overlay.js": SCRIPT,
    "pictures.js": SCRIPT,
    "queue.js": SCRIPT,
    "ranking.js": SCRIPT,
    "settings.js": SCRIPT,
    "texts.js": SCRIPT,
    "theme.js": SCRIPT,
    "trouble.js": SCRIPT,
    "words.js": SCRIPT,
};

/// Routes to the page and its files.
pub(crate) fn page<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let files = std::iter::once(&INDEX).chain(FILES);
    files.fold(Router::new(), |router, file| {
        let tag = entity_tag(file.bytes);
        let answer = move |headers: HeaderMap| async move { answer(file, &tag, &headers) };
        router.route(file.path, get(answer))
    })
}

/// The file, or 304 if the client has it. Clients ask each time, so that a new program shows its new page.
fn answer(file: &'static File, tag: &str, headers: &HeaderMap) -> Response {
    let common = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    match has(headers, tag) {
        true => (StatusCode::NOT_MODIFIED, common).into_response(),
        false => {
            let media_type = [(header::CONTENT_TYPE, file.media_type)];
            (common, media_type, file.bytes).into_response()
        }
    }
}

/// Whether `If-None-Match` names the file, with or without the mark of a weak comparison.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH);
    let texts = lists.iter().filter_map(|list| list.to_str().ok());
    texts.flat_map(|list| list.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

/// 64-bit FNV-1a of the content, which has to tell apart the few versions of one file, not to resist anybody.
fn entity_tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asking(known: &str) -> HeaderMap {
        let value = HeaderValue::from_str(known).unwrap();
        HeaderMap::from_iter([(header::IF_NONE_MATCH, value)])
    }

    #[test]
    fn a_file_that_the_client_has_is_not_sent_again() {
        let tag = entity_tag(INDEX.bytes);
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".into(),
        ] {
            let response = answer(&INDEX, &tag, &asking(&known));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let response = answer(&INDEX, &tag, &asking("\"other\""));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], HTML);
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut found = 0;
        for below in ["", "examples/"] {
            for entry in std::fs::read_dir(folder.join(below)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                if entry.file_type().unwrap().is_dir() || name == "index.html" || name == "NOTICE" {
                    continue;
                }
                let path = format!("/page/{below}{name}");
                assert!(FILES.iter().any(|file| file.path == path), "{path}");
                found += 1;
            }
        }
        assert_eq!(found, FILES.len());
    }

    #[test]
    fn the_page_stays_below_150_kilobytes() {
        let bytes: usize = FILES.iter().map(|file| file.bytes.len()).sum();
        assert!(bytes + INDEX.bytes.len() < 150_000, "{bytes}");
    }
}
