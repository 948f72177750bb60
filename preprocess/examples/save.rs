//! Writes a checkpoint's tokenizer and image options as the files that Hugging Face's classes open. The tokenizer may be
//! a `sentencepiece.bpe.model`.
//!
//! ```text
//! cargo run -p preprocess --example save -- CHECKPOINT SAVED
//! ```

use std::env;
use std::error::Error;
use std::path::PathBuf;

use preprocess::image::ImageProcessorConfig;
use preprocess::text::Tokenizer;

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [checkpoint, saved] = &folders[..] else {
        return Err("expected two folders: CHECKPOINT SAVED".into());
    };
    Tokenizer::from_folder(checkpoint)?.save(saved)?;
    let options = checkpoint.join("preprocessor_config.json");
    if options.exists() {
        ImageProcessorConfig::from_file(options)?.save(saved)?;
    }
    Ok(())
}
