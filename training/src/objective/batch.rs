use burn::tensor::{Bool, Device, Int, Tensor};

/// What an encoder takes, if it can be moved to another device. A training on several devices deals micro-batches out.
pub trait ToDevice: Send {
    /// The same values on a device.
    fn to_device(self, device: &Device) -> Self;
}

impl<const D: usize> ToDevice for Tensor<D> {
    fn to_device(self, device: &Device) -> Self {
        self.to_device(device)
    }
}

impl<const D: usize> ToDevice for Tensor<D, Int> {
    fn to_device(self, device: &Device) -> Self {
        self.to_device(device)
    }
}

impl<const D: usize> ToDevice for Tensor<D, Bool> {
    fn to_device(self, device: &Device) -> Self {
        self.to_device(device)
    }
}

impl<T: ToDevice> ToDevice for Option<T> {
    fn to_device(self, device: &Device) -> Self {
        self.map(|input| input.to_device(device))
    }
}

/// Token ids with their padding, for example.
impl<A: ToDevice, B: ToDevice> ToDevice for (A, B) {
    fn to_device(self, device: &Device) -> Self {
        (self.0.to_device(device), self.1.to_device(device))
    }
}

/// Sources with the texts to learn for them: one micro-batch.
#[derive(Clone, Debug)]
pub struct Batch<I> {
    /// What the encoder takes, on the model's device: pixel values, for example.
    pub input: I,
    /// The source of each row: row `r` attends to source `row_sources[r]`. Several captions of one image,
    /// one per language for example, share its encoding.
    pub row_sources: Vec<usize>,
    /// The token ids of each row, `[language code] words </s>` for mBART-50; padded or not.
    pub labels: Vec<Vec<u32>>,
}

impl<I> Batch<I> {
    /// One text for each source, in the order of the sources.
    pub fn one_per_source(input: I, labels: Vec<Vec<u32>>) -> Self {
        Self {
            input,
            row_sources: (0..labels.len()).collect(),
            labels,
        }
    }

    /// The same number of texts for each source: first those of the first source.
    ///
    /// # Panics
    /// If `texts` is 0.
    pub fn several_per_source(input: I, labels: Vec<Vec<u32>>, texts: usize) -> Self {
        Self {
            input,
            row_sources: (0..labels.len()).map(|row| row / texts).collect(),
            labels,
        }
    }

    /// The batch with its input on a device.
    pub(crate) fn on_device(self, device: &Device) -> Self
    where
        I: ToDevice,
    {
        Self {
            input: self.input.to_device(device),
            ..self
        }
    }

    /// How many sources the rows attend to.
    pub(crate) fn sources(&self) -> usize {
        let last = self.row_sources.iter().max();
        last.map_or(0, |last| last + 1)
    }
}
