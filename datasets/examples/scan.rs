//! What a data set costs: reads it in order, indexes it, and goes through a shuffled epoch without opening images. Says how
//! long each takes and, on Linux, the most memory that was in use.
//!
//! ```text
//! cargo run --release -p datasets --example scan --features parquet -- FILE...
//! cargo run --release -p datasets --example scan -- --rows 10000000 FILE.tsv    writes such a table first
//! cargo run --release -p datasets --example scan --features parquet -- --rows 1000000 FILE.parquet    in one row group
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::time::Instant;

use datasets::{Dataset, Entry, Loader, LoaderConfig, Options, Position};
use preprocess::image::{ImageProcessor, ImageProcessorConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--rows") && arguments.len() == 3 {
        let (path, rows) = (&arguments[2], arguments[1].parse()?);
        match path.ends_with(".parquet") {
            true => write_parquet(path, rows)?,
            false => write(path, rows)?,
        }
        arguments.drain(..2);
    }
    let dataset = Dataset::open_all(&arguments, &Options::default())?;
    let start = Instant::now();
    let (mut examples, mut skipped) = (0u64, 0u64);
    for entry in dataset.examples() {
        match entry? {
            Entry::Example(_) => examples += 1,
            Entry::Skipped(_) => skipped += 1,
        }
    }
    println!(
        "in order: {examples} examples, {skipped} skipped, {:?}, {}",
        start.elapsed(),
        memory()
    );
    let start = Instant::now();
    let indexed = dataset.index()?;
    println!(
        "index: {} examples, {:?}, {}",
        indexed.len(),
        start.elapsed(),
        memory()
    );
    let start = Instant::now();
    let count = indexed.len().min(100_000);
    for number in 0..count {
        indexed.get(number * 7_919 % indexed.len())?;
    }
    println!(
        "{count} examples by position: {:?}, {}",
        start.elapsed(),
        memory()
    );
    // Images of a synthetic table are missing: all are skipped, and nothing is left.
    let start = Instant::now();
    let processor = ImageProcessor::new(ImageProcessorConfig::default())?;
    let loader = Loader::new(indexed, processor, LoaderConfig::default())?;
    let mut batches = loader.batches(Position::default(), 1)?;
    let mut images = 0;
    for batch in batches.by_ref() {
        match batch {
            Ok(batch) => images += batch.examples.len(),
            Err(error) => println!("{error}"),
        }
    }
    let skipped = batches.skip_counts().total();
    println!(
        "an epoch: {images} images, {skipped} skipped, {:?}, {}",
        start.elapsed(),
        memory()
    );
    Ok(())
}

fn write(path: &str, rows: u64) -> Result<(), Box<dyn Error>> {
    let mut writer = BufWriter::new(File::create(path)?);
    writeln!(writer, "image_file\tcaption\turl\tlang_id")?;
    for row in 0..rows {
        writeln!(
            writer,
            "{row:08}.jpg\ta picture of number {row} on a table\thttps://example.org/{row}\ten"
        )?;
    }
    writer.flush()?;
    Ok(())
}

/// A row group of this many rows, in pages of 20,000 as other programs write them.
#[cfg(feature = "parquet")]
fn write_parquet(path: &str, rows: u64) -> Result<(), Box<dyn Error>> {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let schema = "message table { required binary image_file (UTF8); required binary caption (UTF8); \
                  required binary lang_id (UTF8); }";
    let properties = WriterProperties::builder()
        .set_data_page_row_count_limit(20_000)
        .build();
    let schema = Arc::new(parse_message_type(schema)?);
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, properties.into())?;
    let mut group = writer.next_row_group()?;
    let columns: [fn(u64) -> String; 3] = [
        |row| format!("{row:08}.jpg"),
        |row| format!("a picture of number {row} on a table"),
        |_| "en".to_owned(),
    ];
    for text in columns {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        let typed = column.typed::<ByteArrayType>();
        for start in (0..rows).step_by(20_000) {
            let end = rows.min(start + 20_000);
            let values: Vec<ByteArray> = (start..end)
                .map(|row| text(row).into_bytes().into())
                .collect();
            typed.write_batch(&values, None, None)?;
        }
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_path: &str, _rows: u64) -> Result<(), Box<dyn Error>> {
    Err("expected the feature parquet for a file of that format".into())
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(String::new, |peak| {
        format!("at most {} of memory", peak.trim())
    })
}
