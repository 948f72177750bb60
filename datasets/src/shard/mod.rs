//! WebDataset shards: tar archives in which an image and the files about it follow each other under one name.

mod archive;
mod captions;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use preprocess::text::Language;

use self::archive::{Found, Member};
use self::captions::{Fault, Texts, language_of};
use crate::example::{Example, ImageSource, Origin};
use crate::positioned::{Stamp, read_exact_at, unreadable};
use crate::source::{Place, Walk};
use crate::{Entry, Error, Options, SkipReason, Skipped};

/// The endings of images.
const IMAGES: [&str; 11] = [
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "qoi",
];

/// Files about one image; more are left out.
const MAX_MEMBERS: usize = 256;

/// A shard. It is open only while it is read, since data sets have thousands of them.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    path: Arc<Path>,
    stamp: Stamp,
    language: Option<Language>,
    /// The key of the captions in JSON files, if it is not the usual one.
    key: Option<Arc<str>>,
    max_text: u64,
    max_image: u64,
    captions: bool,
}

impl Shard {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let (file, metadata) = whole_files::open(path)?;
        let stamp = Stamp::new(&metadata);
        let found = archive::member(&Arc::new(file), 0, stamp.bytes);
        let problem = match found.map_err(|source| unreadable(path, source))? {
            Found::Member(_) | Found::End => None,
            Found::CutShort => Some(
                "expected a tar archive, found a file that ends before its first member".to_owned(),
            ),
            Found::Damaged(reason) => Some(format!(
                "expected a tar archive, found something else: {reason}; if it is compressed, unpack it first"
            )),
        };
        match problem {
            Some(problem) => Err(Error::Damaged {
                path: path.to_owned(),
                problem,
            }),
            None => Ok(Self {
                path: path.into(),
                stamp,
                language: options.language,
                key: options.columns.other_caption().map(Arc::from),
                max_text: options.max_row_bytes as u64,
                max_image: options.max_image_bytes,
                captions: options.captions,
            }),
        }
    }

    /// All images in order; without their content, if not wanted.
    pub(crate) fn members(&self, images: bool) -> Result<Members, Error> {
        let start = Place { offset: 0, row: 1 };
        self.members_from(start, images)
    }

    /// The images from a place on.
    pub(crate) fn members_at(&self, place: Place) -> Result<Members, Error> {
        self.members_from(place, true)
    }

    fn members_from(&self, place: Place, images: bool) -> Result<Members, Error> {
        let (file, metadata) = whole_files::open(&*self.path)?;
        self.stamp.check(&self.path, &metadata)?;
        Ok(Members {
            shard: self.clone(),
            file: Arc::new(file),
            place,
            images,
            group: None,
            last: None,
            ended: false,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }
}

/// Reads a shard's members and joins those of one name.
pub(crate) struct Members {
    shard: Shard,
    file: Arc<File>,
    /// Of the next member.
    place: Place,
    images: bool,
    group: Option<Group>,
    /// What is reported at the end.
    last: Option<(Place, Skipped)>,
    ended: bool,
}

/// The members of one name.
struct Group {
    place: Place,
    key: Vec<u8>,
    members: Vec<(String, Member)>,
}

impl Walk for Members {
    fn next_entry(&mut self) -> Result<Option<(Place, Entry)>, Error> {
        while !self.ended {
            let place = self.place;
            let found = archive::member(&self.file, place.offset, self.shard.stamp.bytes);
            match found.map_err(|source| unreadable(&self.shard.path, source))? {
                Found::Member(member)
                    if member.content.saturating_add(member.bytes) > self.shard.stamp.bytes =>
                {
                    self.cut_short(place, &member);
                }
                Found::Member(member) => {
                    self.place = Place {
                        offset: member.next,
                        row: place.row + 1,
                    };
                    if let Some(group) = self.add(place, member) {
                        return self.finish(group).map(Some);
                    }
                }
                Found::End => self.ended = true,
                Found::CutShort => {
                    let detail =
                        "the shard ends without the mark of its end; it may lack images".to_owned();
                    self.stop(place, None, SkipReason::CutShort, detail);
                }
                Found::Damaged(reason) => {
                    let detail = format!("the rest of the shard can't be read: {reason}");
                    self.stop(place, None, SkipReason::Malformed, detail);
                }
            }
        }
        if let Some(group) = self.group.take() {
            return self.finish(group).map(Some);
        }
        let last = self.last.take();
        Ok(last.map(|(place, skipped)| (place, Entry::Skipped(skipped))))
    }
}

impl Members {
    /// Adds a member to those of its name; those before, if it has another.
    fn add(&mut self, place: Place, member: Member) -> Option<Group> {
        if !member.is_file {
            return None;
        }
        let (key, ending) = split(&member.path)?;
        if let Some(group) = &mut self.group
            && group.key == key
        {
            if group.members.len() < MAX_MEMBERS {
                group.members.push((ending, member));
            }
            return None;
        }
        self.group.replace(Group {
            place,
            key: key.to_vec(),
            members: vec![(ending, member)],
        })
    }

    /// Ends at a member whose content is not all there, and drops what belongs to it.
    fn cut_short(&mut self, place: Place, member: &Member) {
        let name = String::from_utf8_lossy(&member.path).into_owned();
        let key = split(&member.path).map(|(key, _)| key);
        let mut start = place;
        if let Some(group) = self.group.take_if(|group| Some(&*group.key) == key) {
            start = group.place;
        }
        let detail = format!(
            "the shard ends after {} of the {} bytes of this file; it may lack more images",
            self.shard.stamp.bytes.saturating_sub(member.content),
            member.bytes
        );
        self.stop(start, Some(name), SkipReason::CutShort, detail);
    }

    fn stop(&mut self, place: Place, image: Option<String>, reason: SkipReason, detail: String) {
        self.ended = true;
        self.last = Some((place, self.skipped(place, image, (reason, detail))));
    }

    fn skipped(&self, place: Place, image: Option<String>, (reason, detail): Fault) -> Skipped {
        Skipped {
            origin: self.origin(place),
            image,
            reason,
            detail,
        }
    }

    fn origin(&self, place: Place) -> Origin {
        Origin {
            file: self.shard.path.to_path_buf(),
            row: place.row,
        }
    }

    fn finish(&mut self, group: Group) -> Result<(Place, Entry), Error> {
        let place = group.place;
        let image = group
            .members
            .iter()
            .find(|(ending, _)| IMAGES.contains(&ending.as_str()));
        let name = match image {
            Some((_, member)) => String::from_utf8_lossy(&member.path).into_owned(),
            None => String::from_utf8_lossy(&group.key).into_owned(),
        };
        let entry = match self.example(&group, image.map(|(_, member)| member), &name)? {
            Ok(example) => Entry::Example(example),
            Err(fault) => Entry::Skipped(self.skipped(place, Some(name), fault)),
        };
        Ok((place, entry))
    }

    /// The example of a group, or what is wrong with it; an error if the shard can't be read.
    fn example(
        &self,
        group: &Group,
        image: Option<&Member>,
        name: &str,
    ) -> Result<Result<Example, Fault>, Error> {
        let Some(image) = image else {
            return Ok(Err((
                SkipReason::NoImage,
                format!("expected one of {}", IMAGES.join(", ")),
            )));
        };
        if image.bytes > self.shard.max_image {
            let detail = format!(
                "the image has {} bytes, expected at most {}",
                image.bytes, self.shard.max_image
            );
            return Ok(Err((SkipReason::TooLong, detail)));
        }
        let texts = match self.shard.captions {
            true => self.texts(group)?,
            false => Ok(Texts::default()),
        };
        let texts = match texts {
            Ok(texts) => texts,
            Err(fault) => return Ok(Err(fault)),
        };
        let url = texts.url.clone();
        let captions = texts.captions();
        if captions.is_empty() && self.shard.captions {
            let detail = match &self.shard.key {
                Some(key) => format!("expected a .json file with `{key}` beside the image"),
                None => "expected a .txt, .en.txt or .json file with a caption beside the image"
                    .to_owned(),
            };
            return Ok(Err((SkipReason::NoCaption, detail)));
        }
        let bytes = match self.images {
            true => self.content(image)?,
            false => Vec::new(),
        };
        Ok(Ok(Example {
            image: ImageSource::Bytes {
                name: name.to_owned(),
                bytes,
            },
            captions,
            url,
            origin: self.origin(group.place),
        }))
    }

    fn texts(&self, group: &Group) -> Result<Result<Texts, Fault>, Error> {
        let mut texts = Texts::default();
        // Text files first: JSON without a language repeats them.
        let (plain, others): (Vec<_>, Vec<_>) = group
            .members
            .iter()
            .partition(|(ending, _)| ending.ends_with("txt"));
        for (ending, member) in plain.into_iter().chain(others) {
            let language = match language_of(ending) {
                None if ending == "json" => None,
                None => continue,
                Some(_) if self.shard.key.is_some() => continue,
                Some(Ok(language)) => Some(language.or(self.shard.language)),
                Some(Err(fault)) => return Ok(Err(fault)),
            };
            if member.bytes > self.shard.max_text {
                let detail = format!(
                    ".{ending} has {} bytes, expected at most {}",
                    member.bytes, self.shard.max_text
                );
                return Ok(Err((SkipReason::TooLong, detail)));
            }
            let content = self.content(member)?;
            let added = match language {
                Some(language) => texts.add_text(content, language),
                None => texts.add_json(&content, self.shard.language, self.shard.key.as_deref()),
            };
            if let Err(fault) = added {
                return Ok(Err(fault));
            }
        }
        Ok(Ok(texts))
    }

    /// The content of a member, whose size was checked.
    fn content(&self, member: &Member) -> Result<Vec<u8>, Error> {
        let failure = |source| unreadable(&self.shard.path, source);
        let length = usize::try_from(member.bytes)
            .map_err(|_| failure(std::io::ErrorKind::OutOfMemory.into()))?;
        let mut content = vec![0; length];
        read_exact_at(&self.file, &mut content, member.content).map_err(failure)?;
        Ok(content)
    }
}

/// A path up to the first dot of its file name, and the ending after it in lower case, as WebDataset splits it. `None` for
/// hidden files and what macOS adds.
fn split(path: &[u8]) -> Option<(&[u8], String)> {
    let name = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    if matches!(path.get(name), None | Some(b'.')) {
        return None;
    }
    let dot = name + path[name..].iter().position(|byte| *byte == b'.')?;
    let ending = String::from_utf8_lossy(&path[dot + 1..]).to_ascii_lowercase();
    Some((&path[..dot], ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_first_dot_of_the_file() {
        let parts = |path: &'static str| {
            let (key, ending) = split(path.as_bytes())?;
            Some((std::str::from_utf8(key).unwrap(), ending))
        };
        assert_eq!(parts("a.b/c.En.TXT"), Some(("a.b/c", "en.txt".to_owned())));
        assert_eq!(parts("x.jpg"), Some(("x", "jpg".to_owned())));
        for path in ["", "a/", "a/.hidden", "._x.jpg", "noending"] {
            assert_eq!(parts(path), None, "{path}");
        }
    }
}
