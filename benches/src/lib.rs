//! What the benchmarks of this workspace measure.
//!
//! ```sh
//! cargo bench -p benches --bench model               # encoder, steps, captions, on every device
//! cargo bench -p benches --bench preparation         # pixels and tokens
//! cargo bench -p benches --bench search              # time of a search beside its model
//! cargo bench -p benches --bench search_allocations  # and what it allocates
//! ```

mod instant_model;
mod model;

pub use instant_model::InstantModel;
pub use model::{Size, captions_of, random_model, random_pixels};

/// Tokens of mBART-50.
pub const VOCABULARY: usize = 250_054;

/// The token that ends a text in mBART-50.
pub const END: u32 = 2;
