use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Gradients, Int, Tensor};
use vision_encoder_decoder::Decoder;

use crate::reference::{Family, Reference, logits};

/// Tolerance of logits: weights of the references are deliberately large.
const TOLERANCE: f32 = 2e-4;

/// Teacher forcing gives the logits of transformers, where tokens are not padding.
pub fn logits_are_those_of_the_reference<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let (tokens, padding) = reference.texts(&device);
    let [rows, _] = tokens.dims();
    let row_sources: Vec<usize> = (0..rows).collect();
    let mut state = decoder.start(reference.memory(&device), &row_sources);
    let found = logits(&decoder, tokens, Some(padding.clone()), &mut state);
    let expected = Tensor::<3>::from_data(reference.logits.clone(), &device);
    let padding = padding.unsqueeze_dim::<3>(2).expand(found.dims());
    let difference = (found - expected).abs().mask_fill(padding, 0.0);
    let difference = difference.max().into_scalar::<f32>();
    eprintln!("logits differ by at most {difference:e}");
    assert!(difference <= TOLERANCE, "{difference}");
}

/// A shortlist gives its tokens the same scores as the whole head.
pub fn shortlisted_logits_are_columns_of_all<F: Family>(reference: &Reference) {
    const TOKENS: [u32; 5] = [0, 2, 7, 13, 22];
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let mut state = decoder.start(reference.memory(&device), &[0, 1, 1]);
    let hidden = decoder.forward(reference.varied(3, 5, &device), None, &mut state);
    let shortlist = decoder.shortlist(&TOKENS).unwrap();
    let columns = Tensor::<1, Int>::from_data(TOKENS.map(i64::from), &device);
    let expected = decoder.logits(hidden.clone()).select(2, columns);
    let difference = (shortlist.logits(hidden) - expected).abs().max();
    assert!(difference.into_scalar::<f32>() <= 1e-4);
}

/// In training, a gradient that is finite and not 0 reaches every parameter. Only the biases of keys may have none: they add
/// the same to all scores of a query, which softmax takes out again.
pub fn every_parameter_has_a_gradient<F: Family>(reference: &Reference) {
    let device = Device::flex().autodiff();
    let decoder = reference.load::<F>(None, &device);
    let (tokens, padding) = reference.texts(&device);
    let [rows, _] = tokens.dims();
    let row_sources: Vec<usize> = (0..rows).collect();
    let mut state = decoder.start(reference.memory(&device), &row_sources);
    let found = logits(&decoder, tokens, Some(padding), &mut state);
    let gradients = log_softmax(found, 2).slice_dim(2, 3..4).mean().backward();
    let mut visitor = Visitor {
        gradients: &gradients,
        parameters: 0,
        path: Vec::new(),
    };
    decoder.visit(&mut visitor);
    assert!(visitor.parameters > 0);
}

struct Visitor<'a> {
    gradients: &'a Gradients,
    parameters: usize,
    path: Vec<String>,
}

impl ModuleVisitor for Visitor<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        let name = self.path.join(".");
        let gradient = gradient.unwrap_or_else(|| panic!("{name} has no gradient"));
        let sum = gradient.abs().sum().into_scalar::<f32>();
        assert!(sum.is_finite(), "the gradient of {name} is {sum}");
        assert!(
            sum > 0.0 || name.ends_with("key.bias"),
            "the gradient of {name} is 0"
        );
        self.parameters += 1;
    }
}
