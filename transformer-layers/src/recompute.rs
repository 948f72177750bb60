//! Gradient checkpointing by block (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
//!
//! A block that is [`recomputed`] keeps only its inputs for the backward pass, which computes the block once more and
//! differentiates that. Hugging Face: `gradient_checkpointing`.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use crate::{DecoderState, RowSources};

/// The random numbers of Burn's backends belong to the process, not to a device. Whoever has the lock may seed them and
/// draw.
static RANDOM: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether this thread has the lock.
    static HAS_LOCK: Cell<bool> = const { Cell::new(false) };
    /// The seed of the next block, if blocks are recomputed.
    static NEXT_SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Calls a function that draws random numbers, for dropout for example, from this seed. No other thread draws
/// in the meantime, as far as it calls this function too. With `recompute`, blocks in the function are recomputed in their
/// backward passes where [`recomputed`] can do that.
pub fn with_seed<R>(device: &Device, seed: u64, recompute: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NEXT_SEED.set(self.0);
        }
    }
    draw(device, seed, || {
        let _restore = Restore(NEXT_SEED.replace(recompute.then_some(seed)));
        f()
    })
}

fn draw<R>(device: &Device, seed: u64, f: impl FnOnce() -> R) -> R {
    struct Release;
    impl Drop for Release {
        fn drop(&mut self) {
            HAS_LOCK.set(false);
        }
    }
    if HAS_LOCK.get() {
        device.seed(seed);
        return f();
    }
    let _lock = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    HAS_LOCK.set(true);
    let _release = Release;
    device.seed(seed);
    f()
}

/// Whether blocks on a device are recomputed now: in [`with_seed`], on Flex with autodiff, with this crate's feature
/// `autodiff`.
pub fn is_recomputing(device: &Device) -> bool {
    NEXT_SEED.get().is_some() && packed_linear::has_gradients(device)
}

/// What a block computes from its inputs. While [blocks are recomputed](is_recomputing), only the inputs are kept for the
/// backward pass; otherwise this is `forward(block, inputs)`.
///
/// `forward` has to compute the same from the same block, inputs and random numbers, and must not use parameters that
/// are not the block's. Fresh parameters have to be drawn before.
///
/// # Shapes
/// - inputs, output: those of `forward`
pub fn recomputed<M, F, const D: usize, const N: usize>(
    block: &M,
    inputs: [Tensor<D>; N],
    forward: F,
) -> Tensor<D>
where
    M: Module + 'static,
    F: Fn(&M, [Tensor<D>; N]) -> Tensor<D> + Clone + Send + 'static,
{
    #[cfg(feature = "autodiff")]
    if let Some(seed) = NEXT_SEED.get()
        && inputs
            .iter()
            .all(|input| packed_linear::has_gradients(&input.device()))
    {
        // SplitMix64's step, so that blocks draw unrelated numbers.
        NEXT_SEED.set(Some(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        if let Some(output) = block::recomputed(block, &inputs, &forward, seed) {
            return output;
        }
    }
    forward(block, inputs)
}

/// What a decoder is taught with, to compute each layer from the memory again.
#[derive(Clone, Debug)]
pub struct Teaching {
    /// `[sources, positions, width]`
    pub memory: Tensor<3>,
    /// Which source each row attends to.
    pub row_sources: RowSources,
    /// `[sources, positions]`, true = ignore
    pub memory_padding: Option<Tensor<2, Bool>>,
}

#[cfg(feature = "autodiff")]
mod block {
    use std::fmt;
    use std::marker::PhantomData;

    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    use burn::backend::{Autodiff, BackendTypes, Flex};
    use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
    use burn::tensor::Tensor;

    type Values = <Flex as BackendTypes>::FloatTensorPrimitive;

    /// `None` if no input is tracked, or one can't be: then there is nothing that a step could be attached to.
    pub(super) fn recomputed<M, F, const D: usize, const N: usize>(
        block: &M,
        inputs: &[Tensor<D>; N],
        forward: &F,
        seed: u64,
    ) -> Option<Tensor<D>>
    where
        M: Module + 'static,
        F: Fn(&M, [Tensor<D>; N]) -> Tensor<D> + Clone + Send + 'static,
    {
        if !inputs.iter().any(Tensor::is_tracked) {
            return None;
        }
        let mut nodes = Vec::with_capacity(N);
        for input in inputs {
            let input = input.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
            nodes.push(input.node());
        }
        let nodes = nodes.try_into().ok()?;
        let inputs = inputs.clone().map(Tensor::inner);
        let output = super::draw(&inputs[0].device(), seed, || {
            let constants = inputs.clone().map(Tensor::from_inner);
            forward(&block.clone().map(&mut Constants), constants)
        });
        let output = output.inner().try_into_primitive::<Flex>().ok()?;
        let step = Step::<M, F, D>(PhantomData);
        let prepared = step.prepare::<NoCheckpointing>(nodes);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let kept = Kept {
                    block: block.clone(),
                    inputs,
                    forward: forward.clone(),
                    seed,
                };
                operation.finish(kept, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        };
        Some(Tensor::from_primitive::<Autodiff<Flex>>(output))
    }

    #[derive(Clone)]
    struct Kept<M, F, const D: usize, const N: usize> {
        block: M,
        /// Outside of automatic differentiation.
        inputs: [Tensor<D>; N],
        forward: F,
        seed: u64,
    }

    impl<M, F, const D: usize, const N: usize> fmt::Debug for Kept<M, F, D, N> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a block with {N} inputs")
        }
    }

    struct Step<M, F, const D: usize>(PhantomData<fn(M, F)>);

    impl<M, F, const D: usize> fmt::Debug for Step<M, F, D> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Step")
        }
    }

    impl<M, F, const D: usize, const N: usize> Backward<Flex, N> for Step<M, F, D>
    where
        M: Module + 'static,
        F: Fn(&M, [Tensor<D>; N]) -> Tensor<D> + Clone + Send + 'static,
    {
        type State = Kept<M, F, D, N>;

        fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
            let gradient = grads.consume::<Flex>(&ops.node);
            let Kept {
                block,
                inputs,
                forward,
                seed,
            } = ops.state;
            // Burn holds the lock of this graph, so the block is computed in another one: none of its tensors is of this.
            let copy = block.clone().map(&mut Leaves);
            let device = inputs[0].device();
            let inputs = inputs.map(|input| Tensor::from_inner(input).require_grad());
            let output = super::draw(&device, seed, || forward(&copy, inputs.clone()));
            let gradient = Tensor::<D>::from_primitive::<Flex>(gradient);
            let mut found = (output * Tensor::from_inner(gradient)).sum().backward();
            for (parent, input) in ops.parents.into_iter().zip(inputs) {
                if let (Some(parent), Some(gradient)) = (parent, input.grad_remove(&mut found))
                    && let Ok(gradient) = gradient.try_into_primitive::<Flex>()
                {
                    grads.register::<Flex>(parent.id, gradient);
                }
            }
            let mut collected = Collect {
                found: &mut found,
                gradients: Vec::new(),
            };
            copy.visit(&mut collected);
            let gradients = collected.gradients.into_iter();
            block.visit(&mut Register { gradients, grads });
        }
    }

    /// Makes parameters constants, and leaves everything else as it is: dropout too.
    struct Constants;

    impl ModuleMapper for Constants {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            Param::from_mapped_value(id, Tensor::from_inner(tensor.inner()), mapper)
        }
    }

    /// Makes parameters leaves of another graph.
    struct Leaves;

    impl ModuleMapper for Leaves {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            let is_trained = tensor.is_require_grad();
            let leaf = Tensor::from_inner(tensor.inner());
            let leaf = if is_trained {
                leaf.require_grad()
            } else {
                leaf
            };
            Param::from_mapped_value(id, leaf, mapper)
        }
    }

    /// Takes the gradient of each parameter.
    struct Collect<'a> {
        found: &'a mut burn::tensor::Gradients,
        gradients: Vec<Option<Values>>,
    }

    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad_remove(self.found);
            let values = gradient.and_then(|gradient| gradient.try_into_primitive::<Flex>().ok());
            self.gradients.push(values);
        }
    }

    /// Gives each parameter its gradient.
    struct Register<'a, I> {
        gradients: I,
        grads: &'a mut Gradients,
    }

    impl<I: Iterator<Item = Option<Values>>> ModuleVisitor for Register<'_, I> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(Some(gradient)) = self.gradients.next()
                && let Ok(tensor) = param.val().try_into_primitive::<Autodiff<Flex>>()
            {
                self.grads.register::<Flex>(tensor.node().id(), gradient);
            }
        }
    }
}

impl DecoderState {
    /// A state for one call, in which every layer computes its keys and values of the memory itself and keeps nothing:
    /// for a decoder whose layers are [`recomputed`].
    pub fn for_teaching(teaching: Teaching) -> Self {
        let row_sources = teaching.row_sources.clone();
        let mut state = Self::new(Vec::new(), row_sources, None);
        state.teaching = Some(teaching);
        state
    }

    /// What the state [was made of](Self::for_teaching). A second call gets nothing.
    pub fn take_teaching(&mut self) -> Option<Teaching> {
        self.teaching.take()
    }
}
