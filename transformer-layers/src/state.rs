use burn::tensor::{Bool, Device, Tensor, s};

use crate::attention::KeysValues;
use crate::attention_record::AttentionRecord;
use crate::cache::KeyValueCache;
use crate::cohort::Cohort;
use crate::pass::Pass;
use crate::recompute::Teaching;
use crate::row_sources::RowSources;

/// The state of a decoder between calls.
///
/// Rows that began together are a cohort. A state begins with one; [`join`](Self::join) adds others, whose
/// rows are at other positions of their texts. Linear layers compute all rows at once, attention each cohort
/// for itself.
#[derive(Clone, Debug)]
pub struct DecoderState {
    /// In the order of their rows.
    cohorts: Vec<Cohort>,
    layers: Vec<LayerState>,
    device: Device,
    /// Of a state whose layers compute everything themselves.
    pub(crate) teaching: Option<Teaching>,
}

/// The state of one layer of a decoder. [`CrossAttention::start`](crate::CrossAttention::start) creates it.
#[derive(Clone, Debug)]
pub struct LayerState {
    /// One for each cohort.
    pub(crate) cohorts: Vec<LayerCohort>,
}

/// What one layer remembers of a cohort.
#[derive(Clone, Debug)]
pub(crate) struct LayerCohort {
    pub(crate) tokens: KeyValueCache,
    pub(crate) memory: KeysValues,
    /// The same next to each other, `[sources · positions, 2 · width]`, where a kernel with a backward pass can
    /// attend to them.
    pub(crate) memory_columns: Option<Tensor<2>>,
    /// The cross-attention weights, while they are recorded.
    pub(crate) record: Option<AttentionRecord>,
}

impl LayerState {
    pub(crate) fn new(memory: KeysValues, memory_columns: Option<Tensor<2>>) -> Self {
        Self {
            cohorts: vec![LayerCohort {
                tokens: KeyValueCache::default(),
                memory,
                memory_columns,
                record: None,
            }],
        }
    }
}

impl DecoderState {
    /// A state before the first token. `layers` are in the order of the decoder's layers.
    ///
    /// # Shapes
    /// - memory padding: `[sources, positions]`, true = ignore
    pub fn new(
        layers: Vec<LayerState>,
        sources: RowSources,
        memory_padding: Option<Tensor<2, Bool>>,
    ) -> Self {
        Self {
            device: sources.device().clone(),
            cohorts: vec![Cohort::new(sources, memory_padding)],
            layers,
            teaching: None,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.cohorts.iter().map(Cohort::rows).sum()
    }

    /// The number of tokens that each row has been fed, or the longest of several cohorts.
    pub fn length(&self) -> usize {
        let lengths = self.cohorts.iter().map(Cohort::length);
        lengths.max().unwrap_or(0)
    }

    /// For each cohort, in the order of the rows, how many rows it has and how many tokens they have been fed.
    pub fn cohorts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let cohorts = self.cohorts.iter();
        cohorts.map(|cohort| (cohort.rows(), cohort.length()))
    }

    /// Whether the rows of another state can [`join`](Self::join): both are of the same decoder and device, and
    /// neither records attention or trains.
    pub fn can_join(&self, other: &Self) -> bool {
        let records = |state: &Self| {
            let mut cohorts = state.layers.iter().flat_map(|layer| &layer.cohorts);
            cohorts.any(|cohort| cohort.record.is_some())
        };
        self.layers.len() == other.layers.len()
            && self.device == other.device
            && !self.device.is_autodiff()
            && !records(self)
            && !records(other)
    }

    /// Appends the rows of another state behind those of this one. Nothing is copied.
    ///
    /// # Panics
    /// If the states [can't be joined](Self::can_join).
    pub fn join(&mut self, other: Self) {
        assert!(self.can_join(&other), "these states can't be joined");
        self.cohorts.extend(other.cohorts);
        for (layer, others) in self.layers.iter_mut().zip(other.layers) {
            layer.cohorts.extend(others.cohorts);
        }
    }

    /// From now on, every layer records its cross-attention weights, averaged over heads. An earlier
    /// recording is discarded. Without this call nothing is recorded, and nothing is computed for it.
    pub fn record_attention(&mut self) {
        for cohort in self.layers.iter_mut().flat_map(|layer| &mut layer.cohorts) {
            cohort.record = Some(AttentionRecord::default());
        }
    }

    /// The recorded cross-attention weights, averaged over heads: one tensor per layer, the first layer
    /// first. The weights of a token are not negative and sum to 1 over positions; they are 0 where
    /// the memory is padded. Token `t` has the weights with which the token after it is predicted.
    ///
    /// `None` if no token was fed since [`record_attention`](Self::record_attention), or for a state of
    /// several cohorts.
    ///
    /// # Shapes
    /// - output: `[rows, tokens fed since recording began, positions]`
    pub fn recorded_attention(&self) -> Option<Vec<Tensor<3>>> {
        let layers = self.layers.iter();
        layers
            .map(|layer| match layer.cohorts.as_slice() {
                [cohort] => cohort.record.as_ref().and_then(AttentionRecord::joined),
                _ => None,
            })
            .collect()
    }

    /// Begins a call with `new` tokens for each row. Every layer has to run its self-attention on its
    /// own [`LayerState`] before the next call.
    ///
    /// # Shapes
    /// - padding: `[rows, new]`, true = ignore
    pub fn advance(
        &mut self,
        new: usize,
        padding: Option<Tensor<2, Bool>>,
    ) -> (Pass<'_>, &mut [LayerState]) {
        let mut first = 0;
        let cohorts = self.cohorts.iter_mut().map(|cohort| {
            let rows = first..first + cohort.rows();
            first = rows.end;
            let padding = padding.clone().map(|padding| padding.slice(s![rows, ..]));
            cohort.advance(new, padding)
        });
        let pass = Pass {
            cohorts: cohorts.collect(),
        };
        (pass, &mut self.layers)
    }

    /// Reorders, repeats or drops rows: row `i` continues what was row `parents[i]`. A cohort without rows is
    /// dropped.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that does not exist, or if a row of a cohort comes behind one of a
    /// later cohort.
    pub fn select_rows(&mut self, parents: &[usize]) {
        assert!(!parents.is_empty(), "decoding needs at least one row");
        let mut rest = parents;
        let mut first = 0;
        let mut index = 0;
        while let Some(cohort) = self.cohorts.get_mut(index) {
            let old = first..first + cohort.rows();
            first = old.end;
            let count = rest.iter().take_while(|row| old.contains(row)).count();
            let (own, others) = rest.split_at(count);
            rest = others;
            let layers = self.layers.iter_mut();
            if own.is_empty() {
                self.cohorts.remove(index);
                layers.for_each(|layer| drop(layer.cohorts.remove(index)));
                continue;
            }
            if !own.iter().copied().eq(old.clone()) {
                let own: Vec<usize> = own.iter().map(|row| row - old.start).collect();
                let layers = layers.map(|layer| &mut layer.cohorts[index]);
                cohort.select_rows(&own, layers);
            }
            index += 1;
        }
        assert!(
            rest.is_empty(),
            "row {} does not exist, or comes behind one of a later cohort",
            rest[0]
        );
    }
}
