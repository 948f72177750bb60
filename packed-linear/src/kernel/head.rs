use super::attention::{Attention, Head};
use super::vector::Vector;
use super::{few_queries, many_queries};

/// Attends as one head with all queries of a batch item, with vectors of the type `V`.
///
/// # Safety
/// The processor has the instructions of the vector. The outputs have room for what their shapes say, and no
/// other thread accesses those of this batch item and head.
#[inline(always)]
pub(super) unsafe fn attend<V: Vector>(attention: &Attention<'_>, head: Head<'_>) {
    // SAFETY: as the caller promises; `suits` is checked.
    unsafe {
        match many_queries::suits::<V>(attention) {
            true => many_queries::attend::<V>(attention, head),
            false => few_queries::attend::<V>(attention, head),
        }
    }
}
