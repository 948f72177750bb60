//! Where tensors of Burn's backend Flex meet the kernels, which read and write their memory.

pub(crate) mod attention;
pub(crate) mod memory;
pub(crate) mod norm;
pub(crate) mod product;
