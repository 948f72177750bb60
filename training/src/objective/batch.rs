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

    /// How many sources the rows attend to.
    pub(crate) fn sources(&self) -> usize {
        let last = self.row_sources.iter().max();
        last.map_or(0, |last| last + 1)
    }
}
