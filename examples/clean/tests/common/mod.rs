//! Data for tests, and runs of the program.
#![allow(dead_code)] // each test uses some of it

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The program.
pub(crate) fn clean() -> Command {
    Command::new(env!("CARGO_BIN_EXE_clean"))
}

/// Runs the program in a folder, with arguments that spaces separate.
pub(crate) fn run(folder: &Path, arguments: &str) -> Output {
    let mut command = clean();
    command.current_dir(folder).args(arguments.split(' '));
    command.output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A picture of 12 x 12 pixels that depends on a number (PPM).
pub(crate) fn picture(number: u32) -> Vec<u8> {
    let pixels = (0..432u32)
        .map(|byte| (byte.wrapping_mul(number * 11 + 3).wrapping_add(number) >> 3) as u8);
    b"P6 12 12 255\n".iter().copied().chain(pixels).collect()
}

/// Writes `table.tsv` and this many pictures: some missing, damaged, duplicates, with bad captions.
pub(crate) fn data(folder: &Path, count: u32) {
    fs::create_dir_all(folder.join("pictures")).unwrap();
    let mut table = String::from("image_file\tcaption\turl\tlang_id\n");
    for number in 0..count {
        let path = folder.join(format!("pictures/{number}.ppm"));
        match number % 50 {
            7 => {}
            8 => fs::write(path, &picture(number)[..50]).unwrap(),
            9 => fs::write(path, picture(number - 5)).unwrap(),
            10 => fs::write(path, "not a picture").unwrap(),
            _ => fs::write(path, picture(number)).unwrap(),
        }
        for (language, caption) in [
            ("en", format!("picture {number}")),
            (
                "fr",
                if number % 20 == 3 {
                    "&nbsp;".to_owned()
                } else {
                    format!("l’image {number}")
                },
            ),
        ] {
            writeln!(
                table,
                "pictures/{number}.ppm\t{caption}\thttps://example.org/{number}\t{language}"
            )
            .unwrap();
        }
    }
    fs::write(folder.join("table.tsv"), table).unwrap();
}

/// The files of a folder and of those in it by name, without hidden ones and the journal.
pub(crate) fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut content = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            match name {
                "pictures.journal" => {}
                _ if name.starts_with('.') => {}
                _ if path.is_dir() => folders.push(path),
                _ => {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                    content.insert(name.to_owned(), fs::read(&path).unwrap());
                }
            }
        }
    }
    content
}
