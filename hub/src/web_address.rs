//! The addresses of a model's pages, as users copy them from a browser or from `git clone`.

use std::path::Path;

use crate::address::percent_decode;
use crate::shown::shown;
use crate::{HubError, HubModel};

/// The servers of the public Hub.
const PUBLIC: [&str; 4] = ["huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co"];

/// The model that an address leads to; `None` if a text is not an address. The server has to be the public Hub, or that of
/// `endpoint`.
pub(crate) fn parse(text: &str, endpoint: Option<&str>) -> Option<Result<HubModel, HubError>> {
    let text = text.trim();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        // As `git clone` takes it.
        None => (None, text.strip_prefix("git@").unwrap_or(text)),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (server, path) = match (scheme, text.starts_with("git@")) {
        (None, true) => rest.split_once(':')?,
        _ => rest.split_once('/').unwrap_or((rest, "")),
    };
    let server = server.rsplit('@').next().unwrap_or_default();
    let is_encrypted = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let server = match is_encrypted {
        true => server.strip_suffix(":443").unwrap_or(server),
        false => server,
    };
    let base = endpoint.and_then(|endpoint| base_path(endpoint, server));
    let is_public = PUBLIC
        .iter()
        .any(|public| public.eq_ignore_ascii_case(server));
    if scheme.is_none() && !is_public && base.is_none() {
        return None;
    }
    let wrong = |reason: String| HubError::Address {
        address: shown(text),
        reason,
    };
    if !scheme.is_none_or(is_known) {
        return Some(Err(wrong("it does not begin with https://".into())));
    }
    if !is_public && base.is_none() {
        return Some(Err(wrong(
            "it is on another server than the Hub; set HF_ENDPOINT to use that server".into(),
        )));
    }
    let path = match base.filter(|base| !base.is_empty() && !is_public) {
        None => path,
        Some(base) => match path.strip_prefix(base.trim_end_matches('/')) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => return Some(Err(wrong("it is not below HF_ENDPOINT".into()))),
        },
    };
    Some(model(path).map_err(wrong))
}

/// The path that is before the names of models on a server, if it is that of the endpoint.
fn base_path<'a>(endpoint: &'a str, server: &str) -> Option<&'a str> {
    let rest = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let (found, base) = rest.split_once('/').unwrap_or((rest, ""));
    let found = found.rsplit('@').next().unwrap_or_default();
    (!server.is_empty() && found.eq_ignore_ascii_case(server)).then_some(base)
}

fn is_known(scheme: &str) -> bool {
    let known = ["http", "https", "ssh", "git"];
    known.iter().any(|known| known.eq_ignore_ascii_case(scheme))
}

/// The model of a path such as `owner/name/tree/revision/folder`. The error is a reason.
fn model(path: &str) -> Result<HubModel, String> {
    let segments: Option<Vec<String>> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(percent_decode)
        .collect();
    let segments = segments.ok_or("its percent escapes are not UTF-8")?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        ["datasets", ..] => return Err("it is that of a data set".into()),
        ["spaces", ..] => return Err("it is that of a space".into()),
        _ => (),
    }
    let [owner, name, ref page @ ..] = segments[..] else {
        return Err("it has no owner and name".into());
    };
    let reason = |error: HubError| match error {
        HubError::Name { reason, .. } => reason.to_owned(),
        other => other.to_string(),
    };
    // An address with what names have at their end.
    if name.contains(['@', ':']) {
        return HubModel::from_name(&segments.join("/")).map_err(reason);
    }
    let name = name.strip_suffix(".git").unwrap_or(name);
    let model = HubModel::new(format!("{owner}/{name}")).map_err(reason)?;
    let (is_folder, place) = match page {
        [] => return Ok(model),
        ["tree", place @ ..] => (true, place),
        ["commit" | "commits", place @ ..] => (true, place),
        ["blob" | "resolve" | "raw" | "blame" | "edit", place @ ..] => (false, place),
        [other, ..] => {
            return Err(format!("its page {:?} is not one of files", shown(other)));
        }
    };
    // The Hub's own references are the only ones whose slashes it does not escape.
    let (revision, path) = match place {
        [] => return Ok(model),
        ["refs", kind, name, path @ ..] => (format!("refs/{kind}/{name}"), path),
        [revision, path @ ..] => ((*revision).to_owned(), path),
    };
    let model = match revision.as_str() {
        "main" => model,
        _ => model.with_revision(revision).map_err(reason)?,
    };
    let path = path.join("/");
    let folder = match is_folder {
        true => path.as_str(),
        false => Path::new(&path)
            .parent()
            .and_then(Path::to_str)
            .unwrap_or_default(),
    };
    match folder {
        "" => Ok(model),
        folder => model.with_subfolder(folder).map_err(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, endpoint: Option<&str>) -> String {
        parse(text, endpoint).unwrap().unwrap().to_string()
    }

    #[test]
    fn the_addresses_of_pages_are_models() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (text, expected) in [
            ("https://huggingface.co/owner/name", "owner/name"),
            ("https://huggingface.co/owner/name/", "owner/name"),
            ("http://huggingface.co//owner/name?library=x", "owner/name"),
            ("HTTPS://HuggingFace.co/owner/name#usage", "owner/name"),
            ("huggingface.co/owner/name", "owner/name"),
            ("hf.co/owner/name/", "owner/name"),
            ("www.huggingface.co/owner/name", "owner/name"),
            (" https://hf.co/owner/name\n", "owner/name"),
            (
                "https://user:secret@huggingface.co/owner/name.git",
                "owner/name",
            ),
            ("git@hf.co:owner/name.git", "owner/name"),
            ("git@hf.co:owner/name", "owner/name"),
            ("https://huggingface.co:443/owner/name", "owner/name"),
            (
                "https://huggingface.co/owner/name@v1:a/b",
                "owner/name@v1:a/b",
            ),
            ("hf.co/owner/name:a", "owner/name:a"),
            ("ssh://git@hf.co/owner/name", "owner/name"),
            ("https://huggingface.co/owner/name/tree/main", "owner/name"),
            ("https://huggingface.co/owner/name/tree/main/", "owner/name"),
            (
                "https://huggingface.co/owner/name/tree/v1.0",
                "owner/name@v1.0",
            ),
            (
                "https://huggingface.co/owner/name/tree/refs%2Fpr%2F1",
                "owner/name@refs/pr/1",
            ),
            (
                "https://huggingface.co/owner/name/tree/refs/pr/1/a",
                "owner/name@refs/pr/1:a",
            ),
            (
                "https://huggingface.co/owner/name/tree/main/ckpt-1",
                "owner/name:ckpt-1",
            ),
            (
                "https://huggingface.co/owner/name/tree/v1/a%20b/c",
                "owner/name@v1:a b/c",
            ),
            (
                "https://huggingface.co/owner/name/blob/main/config.json",
                "owner/name",
            ),
            (
                "https://huggingface.co/owner/name/resolve/v1/a/model.safetensors?download=true",
                "owner/name@v1:a",
            ),
            (
                &format!("hf.co/owner/name/commit/{commit}"),
                &format!("owner/name@{commit}"),
            ),
            (
                "https://huggingface.co/owner/name/commits/main",
                "owner/name",
            ),
        ] {
            assert_eq!(named(text, None), expected, "{text}");
        }
    }

    #[test]
    fn the_server_of_the_endpoint_is_a_hub_too() {
        let endpoint = Some("http://user:secret@127.0.0.1:8080/hf");
        assert_eq!(
            named("http://127.0.0.1:8080/hf/owner/name", endpoint),
            "owner/name"
        );
        assert_eq!(
            named("127.0.0.1:8080/hf/owner/name/tree/v1", endpoint),
            "owner/name@v1"
        );
        assert_eq!(named("https://hf.co/owner/name", endpoint), "owner/name");
        assert_eq!(
            named("https://mirror/owner/name", Some("https://mirror")),
            "owner/name"
        );
    }

    #[test]
    fn other_addresses_are_refused_with_what_to_do() {
        for (text, reason) in [
            ("https://example.com/owner/name", "HF_ENDPOINT"),
            (
                "https://huggingface.co.example.com/owner/name",
                "HF_ENDPOINT",
            ),
            (
                "https://huggingface.co@example.com/owner/name",
                "HF_ENDPOINT",
            ),
            (
                "https://example.com\\@huggingface.co:1/owner/name",
                "HF_ENDPOINT",
            ),
            ("ftp://huggingface.co/owner/name", "https://"),
            ("https://huggingface.co", "no owner and name"),
            ("https://huggingface.co/gpt2", "no owner and name"),
            ("https://huggingface.co/datasets/owner/name", "data set"),
            ("https://huggingface.co/spaces/owner/name", "space"),
            ("https://huggingface.co/owner/name/discussions/3", "page"),
            ("https://huggingface.co/owner/na--me", "--"),
            ("https://huggingface.co/owner/name@..", "revision"),
            ("https://huggingface.co/hf.co/name@", "git"),
            ("https://huggingface.co/owner/name/tree/..", "revision"),
            (
                "https://huggingface.co/owner/name/tree/main/%2e%2e/a",
                "subfolder",
            ),
            ("https://huggingface.co/owner/%ff", "UTF-8"),
            ("https://", "another server"),
        ] {
            let error = parse(text, None).unwrap().unwrap_err();
            assert!(matches!(error, HubError::Address { .. }), "{error}");
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn credentials_of_an_address_are_not_repeated() {
        let text = "https://user:secret@example.com/owner/name";
        let error = parse(text, None).unwrap().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn names_and_paths_are_no_addresses() {
        for text in [
            "owner/name",
            "owner/name@v1:a/b",
            "",
            "name",
            "./a",
            "a@b/c",
            "git@x",
            "mirror/owner",
        ] {
            assert!(parse(text, None).is_none(), "{text}");
        }
    }
}
