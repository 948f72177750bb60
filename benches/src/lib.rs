//! Models and figures for the benchmarks of this workspace.
//!
//! ```sh
//! cargo bench -p benches --bench model               # encoder, steps, captions, on every device
//! cargo bench -p benches --bench preparation         # pixels and tokens
//! cargo bench -p benches --bench search              # time of a search without its model
//! cargo bench -p benches --bench search_allocations  # memory that a search allocates
//! ```

mod figures;
mod instant_model;
mod memory;
mod model;

pub use figures::{median, print_figures};
pub use instant_model::InstantModel;
pub use memory::{anonymous_bytes, peak_rss_bytes};
pub use model::{Size, captions_of, random_model, random_pixels};

/// Tokens of mBART-50's vocabulary.
pub const VOCABULARY: usize = 250_054;

/// mBART-50's end token.
pub const END: u32 = 2;
