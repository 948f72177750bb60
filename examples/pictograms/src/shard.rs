//! Scenes in WebDataset shards: TAR archives in which the files of a scene follow each other and share a name.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use image::ImageFormat;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::caption::Language;
use crate::error::Error;
use crate::scene::Scene;

/// Creates the folder, which must not hold shards.
pub(crate) fn prepare(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(Error::writing(folder))?;
    if path(folder, 0).exists() {
        return Err(Error::NotEmpty {
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

/// The path of a shard.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:05}.tar"))
}

/// Writes a shard, whole or not at all. `written` is called after each scene.
pub(crate) fn write<'a>(
    path: &Path,
    scenes: impl Iterator<Item = (u64, Scene<'a>)>,
    written: impl Fn(),
) -> Result<(), Error> {
    let mut archive = tar::Builder::new(Vec::new());
    for (number, scene) in scenes {
        let mut picture = Cursor::new(Vec::new());
        let encoded = scene.picture.write_to(&mut picture, ImageFormat::Png);
        encoded
            .map_err(std::io::Error::other)
            .and_then(|()| append(&mut archive, number, "png", picture.get_ref()))
            .and_then(|()| append(&mut archive, number, "json", &description(&scene)?))
            .map_err(Error::writing(path))?;
        written();
    }
    let content = archive.into_inner().map_err(Error::writing(path))?;
    whole_files::replace(path, &content).map_err(Error::writing(path))
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    number: u64,
    extension: &str,
    content: &[u8],
) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, format!("{number:08}.{extension}"), content)
}

/// The captions by language, and what a classifier learns: the background and the things from left to right.
fn description(scene: &Scene<'_>) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Description<'a> {
        captions: Map<String, Value>,
        labels: Vec<&'a str>,
        style: &'a str,
    }
    let names: Vec<_> = scene.things.iter().map(|thing| &thing.names).collect();
    let captions = Language::ALL.map(|language| {
        let caption = language.caption(&names, scene.background);
        (language.code().to_owned(), Value::from(caption))
    });
    let things = scene
        .things
        .iter()
        .map(|thing| thing.names[Language::English as usize].as_str());
    serde_json::to_vec(&Description {
        captions: captions.into_iter().collect(),
        labels: std::iter::once(scene.background.name())
            .chain(things)
            .collect(),
        style: scene.style.name(),
    })
}
