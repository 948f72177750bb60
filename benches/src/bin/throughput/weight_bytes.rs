use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Tensor};
use mbart50_decoder::MBartDecoder;

/// Bytes of weights that a step reads: those of the decoder without the projections of the memory,
/// which are read once an image, and without tables of which a step reads a few rows. A table of
/// tokens that is the head too is read whole.
pub(crate) fn weight_bytes_of_a_step(decoder: &MBartDecoder) -> u64 {
    let mut all = Bytes::default();
    decoder.visit(&mut all);
    let has_head = all
        .tensors
        .iter()
        .any(|(path, _)| path.starts_with("head."));
    let is_read = |path: &str| {
        let of_memory = path.contains("cross_attention.projections.key")
            || path.contains("cross_attention.projections.value");
        let table =
            path == "embeddings.positions" || (has_head && path.starts_with("embeddings.tokens"));
        !of_memory && !table
    };
    let read = all.tensors.iter().filter(|(path, _)| is_read(path));
    read.map(|(_, bytes)| bytes).sum()
}

/// The path and the bytes of every tensor.
#[derive(Default)]
struct Bytes {
    path: Vec<String>,
    tensors: Vec<(String, u64)>,
}

impl Bytes {
    fn add(&mut self, numbers: usize) {
        self.tensors.push((self.path.join("."), 4 * numbers as u64));
    }
}

impl ModuleVisitor for Bytes {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(param.lazy_shape().num_elements());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(param.lazy_shape().num_elements());
    }
}
