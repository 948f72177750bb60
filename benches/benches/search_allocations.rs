//! What a generation step allocates without the model, at 1, 4 and 16 rows of mBART-50's vocabulary.

use std::io::{self, Write};

use benches::{END, InstantModel};
use generation::{Generation, GenerationConfig, Prompt};

/// The blocks and bytes that a text of `steps` tokens allocates.
fn allocated(model: &InstantModel, steps: usize, rows: usize) -> (u64, u64) {
    let config = GenerationConfig {
        num_beams: rows,
        max_new_tokens: Some(steps),
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    };
    model.prepare(steps, rows);
    let generation = Generation::new(config);
    let prompts = [Prompt::new(vec![END])];
    let allocated = allocation_counter::measure(|| {
        let found = generation.run(model, 0, &prompts);
        assert!(found.is_ok_and(|found| found[0].is_ok()));
    });
    (allocated.count_total, allocated.bytes_total)
}

fn main() -> io::Result<()> {
    let model = InstantModel::default();
    for rows in [1, 4, 16] {
        // The difference of two texts is that of their steps, without what the start allocates.
        let (short, long) = (10, 30);
        let (few_blocks, few_bytes) = allocated(&model, short, rows);
        let (many_blocks, many_bytes) = allocated(&model, long, rows);
        let steps = (long - short) as u64;
        writeln!(
            io::stdout(),
            "{rows:2} rows: {} blocks, {} bytes a step",
            (many_blocks - few_blocks) / steps,
            (many_bytes - few_bytes) / steps
        )?;
    }
    Ok(())
}
