//! Captions a picture with a custom logits processor and a custom search strategy.
//!
//! ```sh
//! cargo run -p custom-search -- examples/caption/pictures/cat-and-pizza-blue.png
//! ```

use std::error::Error;
use std::process::ExitCode;

use burn::tensor::Device;
use captioning::{Captioner, GenerationConfig, open_image};
use custom_search::{FirstTokens, ShortWords};
use generation::{Generation, Prompt, Search};
use report::Program;

fn main() -> ExitCode {
    report::run_without_arguments("custom-search", |program| run(program).map(|()| 0))
}

fn run(program: &Program) -> Result<(), Box<dyn Error>> {
    let picture = std::env::args_os()
        .nth(1)
        .ok_or("name a picture: cargo run -p custom-search -- picture.png")?;
    let captioner = Captioner::embedded(&Device::flex())?;
    let config = captioner.generation_config().clone();
    let memory = captioner.encode(&[open_image(picture)?])?;

    // A prompt for each language; all attend to the same image.
    let start = config.start_token()?;
    let mut prompts = Vec::new();
    for language in captioner.languages() {
        let code = captioner.tokenizer().language_id(language.code)?;
        prompts.push(Prompt::new(vec![start]).with_forced_bos_token_id(code));
    }
    let row_sources = vec![0; prompts.len()];
    let search = |prompt| Box::new(FirstTokens::new(3, prompt)) as Box<dyn Search>;
    let generation = Generation::new(GenerationConfig {
        max_length: Some(64),
        ..config
    })
    .with_processor(ShortWords::new(0.05, captioner.vocabulary()))
    .with_searches(prompts.iter().map(search).collect());
    let found =
        captioner
            .model()
            .generate_with(memory, &row_sources, &prompts, generation, None)?;

    for (language, found) in captioner.languages().iter().zip(found) {
        let texts = match found {
            Ok(texts) => texts,
            Err(error) => {
                // The other languages are not affected.
                program.message(format_args!("{}: {error}", language.code));
                continue;
            }
        };
        for text in texts {
            let words = captioner.tokenizer().decode(&text.tokens, true)?;
            let (code, score) = (language.code, text.score);
            program.line(format_args!("{code}  {score:8.4}  {words}"))?;
        }
    }
    Ok(())
}
