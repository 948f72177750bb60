//! The micro-batches of an update, on one device or on several with a copy of the model each.

use std::panic::resume_unwind;
use std::thread;

use burn::tensor::{Device, StreamId, Tensor};
use transformer_layers::recompute::with_seed;
use vision_encoder_decoder::{Decoder, Encoder, VisionEncoderDecoder};

use crate::parameters::{replace_values, visit_values};
use crate::{Batch, Labels, ModuleGradients, Objective, ToDevice, TrainingError};

/// A micro-batch with the seed of its dropout.
pub(super) struct Job<I> {
    pub(super) batch: Batch<I>,
    pub(super) labels: Labels,
    pub(super) seed: u64,
    /// Whether blocks of layers keep only their inputs.
    pub(super) recompute: bool,
}

/// What is computed of the micro-batches of an update.
pub(super) struct Computed {
    /// The sums over all of them, on the first device.
    pub(super) gradients: ModuleGradients,
    /// The loss of each, on the first device. `[1]`
    pub(super) losses: Vec<Tensor<1>>,
}

/// Computes micro-batches one after the other.
pub(super) fn compute<E: Encoder, D: Decoder>(
    objective: &Objective,
    model: &VisionEncoderDecoder<E, D>,
    device: &Device,
    jobs: impl IntoIterator<Item = Job<E::Input>>,
    weight: f64,
) -> Result<Computed, TrainingError> {
    let (mut gradients, mut losses) = (ModuleGradients::default(), Vec::new());
    for Job {
        batch,
        labels,
        seed,
        recompute,
    } in jobs
    {
        // What is drawn for a micro-batch does not depend on what other threads do.
        let pass = with_seed(device, seed, recompute, || {
            objective.begin(model, batch, &labels, weight, &mut gradients)
        })?;
        losses.push(pass.finish(model, &mut gradients));
    }
    Ok(Computed { gradients, losses })
}

/// Copies of the model on further devices.
#[derive(Debug)]
pub(super) struct Replicas<E: Encoder, D> {
    replicas: Vec<Replica<E, D>>,
    /// [`compute_on_all`], which only inputs that can be moved have.
    compute: Compute<E, D>,
}

type Compute<E, D> = fn(
    &Objective,
    (&VisionEncoderDecoder<E, D>, &Device),
    &mut [Replica<E, D>],
    Vec<Job<<E as Encoder>::Input>>,
    f64,
) -> Result<Computed, TrainingError>;

#[derive(Debug)]
struct Replica<E, D> {
    model: VisionEncoderDecoder<E, D>,
    device: Device,
    /// Threads come and go; backends that have streams keep memory for each.
    stream: StreamId,
}

impl<E: Encoder, D: Decoder> Replicas<E, D> {
    /// Copies of this model on these devices, which have automatic differentiation.
    pub(super) fn new(model: &VisionEncoderDecoder<E, D>, devices: &[Device]) -> Self
    where
        E::Input: ToDevice,
    {
        let replica = |device: &Device| Replica {
            model: burn::module::Module::fork(model.clone(), device),
            device: device.clone(),
            stream: StreamId::allocate(),
        };
        Self {
            replicas: devices.iter().map(replica).collect(),
            compute: compute_on_all,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Computes micro-batches on the device of the model and on those of the copies.
    pub(super) fn compute(
        &mut self,
        objective: &Objective,
        first: (&VisionEncoderDecoder<E, D>, &Device),
        jobs: Vec<Job<E::Input>>,
        weight: f64,
    ) -> Result<Computed, TrainingError> {
        (self.compute)(objective, first, &mut self.replicas, jobs, weight)
    }

    /// Gives the copies the values that the model has now, of the parameters that are not frozen.
    pub(super) fn follow(
        &mut self,
        model: &VisionEncoderDecoder<E, D>,
        is_frozen: impl Fn(&str) -> bool,
    ) {
        let mut values = std::collections::BTreeMap::new();
        visit_values(model, |path, tensor| {
            if !is_frozen(&path) {
                values.insert(path, tensor);
            }
        });
        self.replicas = std::mem::take(&mut self.replicas)
            .into_iter()
            .map(|mut replica| {
                let device = replica.device.clone().inner();
                replica.model = replace_values(replica.model, |path, _| {
                    values
                        .get(path)
                        .map(|tensor| tensor.clone().to_device(&device))
                });
                replica
            })
            .collect();
    }

    /// Replaces the copies by those of another model.
    pub(super) fn replace(&mut self, model: &VisionEncoderDecoder<E, D>) {
        for replica in &mut self.replicas {
            replica.model = burn::module::Module::fork(model.clone(), &replica.device);
        }
    }
}

/// Micro-batch `n` goes to device `n` modulo their number. Each has a thread of its own.
///
/// Each device adds up the gradients of its micro-batches in order; then those of the devices are added up in order. So
/// the sums do not depend on which thread is faster.
fn compute_on_all<E: Encoder<Input: ToDevice>, D: Decoder>(
    objective: &Objective,
    (model, device): (&VisionEncoderDecoder<E, D>, &Device),
    replicas: &mut [Replica<E, D>],
    jobs: Vec<Job<E::Input>>,
    weight: f64,
) -> Result<Computed, TrainingError> {
    let (devices, count) = (replicas.len() + 1, jobs.len());
    let mut dealt: Vec<Vec<Job<E::Input>>> = (0..devices).map(|_| Vec::new()).collect();
    for (number, job) in jobs.into_iter().enumerate() {
        dealt[number % devices].push(job);
    }
    let mut dealt = dealt.into_iter();
    let of_first = dealt.next().unwrap_or_default();
    let computed = thread::scope(|scope| {
        let threads: Vec<_> = replicas
            .iter_mut()
            .zip(dealt)
            .map(|(replica, jobs)| {
                scope.spawn(move || {
                    let Replica {
                        model,
                        device,
                        stream,
                    } = replica;
                    let jobs = jobs.into_iter().map(|job| Job {
                        batch: job.batch.on_device(device),
                        ..job
                    });
                    stream.executes(|| compute(objective, model, device, jobs, weight))
                })
            })
            .collect();
        let mut computed = vec![compute(objective, model, device, of_first, weight)];
        for thread in threads {
            computed.push(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        computed
    });
    let computed = computed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let device = device.clone().inner();
    let mut gradients = ModuleGradients::default();
    let mut losses: Vec<_> = (0..devices).map(|_| Vec::new().into_iter()).collect();
    for (of_device, found) in losses.iter_mut().zip(computed) {
        gradients.add_from(found.gradients, &device);
        *of_device = found.losses.into_iter();
    }
    let losses = (0..count).filter_map(|number| losses[number % devices].next());
    let losses = losses.map(|loss| loss.to_device(&device)).collect();
    Ok(Computed { gradients, losses })
}
