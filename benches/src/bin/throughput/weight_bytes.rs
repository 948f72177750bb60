use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Tensor};
use pretrained::TextDecoder;

/// Bytes of weights that a step reads. The key and value projections of the memory don't count, because they
/// are read only once for each image. Embedding tables don't count, because a step reads only a few of their
/// rows, unless the head uses the table of tokens too.
pub(crate) fn weight_bytes_of_a_step(decoder: &TextDecoder) -> u64 {
    let mut all = Bytes::default();
    match decoder {
        TextDecoder::MBart(decoder) => decoder.visit(&mut all),
        TextDecoder::Gpt2(decoder) => decoder.visit(&mut all),
        TextDecoder::Bert(decoder) | TextDecoder::Roberta(decoder) => decoder.visit(&mut all),
        TextDecoder::Trocr(decoder) => decoder.visit(&mut all),
    }
    let has_head = all
        .tensors
        .iter()
        .any(|(path, _)| path.starts_with("head."));
    let is_read = |path: &str| {
        let is_of_memory = path.contains("cross_attention.projections.key")
            || path.contains("cross_attention.projections.value")
            || path.contains("cross_attention.projections.fused");
        let is_table = matches!(path, "embeddings.positions" | "embeddings.types")
            || (has_head && path.starts_with("embeddings.tokens"));
        !is_of_memory && !is_table
    };
    let read = all.tensors.iter().filter(|(path, _)| is_read(path));
    read.map(|(_, bytes)| bytes).sum()
}

/// Collects the path and the size of every tensor, in bytes.
#[derive(Default)]
struct Bytes {
    path: Vec<String>,
    tensors: Vec<(String, u64)>,
}

impl Bytes {
    fn add(&mut self, elements: usize) {
        let bytes = 4 * elements as u64; // f32, or words of 32 bits
        self.tensors.push((self.path.join("."), bytes));
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
