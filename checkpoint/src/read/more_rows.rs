use std::collections::HashMap;

use burn::tensor::TensorData;
use packed_linear::PackedShape;

use super::source::are_equal_in_blocks;
use super::{TensorInfo, TensorSource};
use crate::placement::read_as;
use crate::{Layout, LoadError};

/// A row that tables of a checkpoint gain while they are read, such as the embedding of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// The index of the row. A table that has it already gets the new values.
    pub row: usize,
    /// The rows of the same table whose mean it is.
    pub like: Vec<usize>,
}

/// The tensors of another source, some of which have more rows.
///
/// Hugging Face: `resize_token_embeddings`, which draws the rows from a normal distribution.
///
/// ```
/// # use burn::module::Module;
/// # use burn::nn::EmbeddingConfig;
/// # use burn::tensor::Device;
/// use checkpoint::{MoreRows, NewRow, TensorSource, open_weights};
/// # use checkpoint::{Layout, SaveOptions, WeightGroup, WeightNames, save_weights};
/// # let group = WeightGroup {
/// #     module: "",
/// #     checkpoint: &[""],
/// #     names: &[("weight", "tokens.weight", Layout::OutputFirst)],
/// # };
/// # let names = WeightNames { groups: &[group], ignored: &[] };
/// # let folder = tempfile::tempdir().unwrap();
/// # let table = EmbeddingConfig::new(5, 2).init(&Device::flex());
/// # save_weights(&table, &names, folder.path(), &SaveOptions::default()).unwrap();
///
/// let weights = open_weights(folder.path())?; // 5 tokens, width 2
/// let row = NewRow { row: 5, like: vec![0, 1] };
/// let weights = MoreRows::new(weights.as_ref(), &["tokens.weight"], &[row])?;
/// assert_eq!(weights.info("tokens.weight").unwrap().shape, [6, 2]);
/// let values = weights.read_all("tokens.weight")?;
/// assert_eq!(values[10], (values[0] + values[2]) / 2.0);
/// # Ok::<(), checkpoint::LoadError>(())
/// ```
pub struct MoreRows<'s> {
    source: &'s dyn TensorSource,
    tables: HashMap<String, Table>,
}

struct Table {
    /// In [`Layout::OutputFirst`], with the new rows.
    shape: Vec<usize>,
    /// Number of values in the source.
    length: usize,
    /// The values of the source, if it has them in another layout.
    values: Option<Vec<f32>>,
    /// The first value of each new row, and its values.
    rows: Vec<(usize, Vec<f32>)>,
}

impl<'s> MoreRows<'s> {
    /// Adds these rows to each of the named tensors. The first dimension that is not 1 is that of the rows. Rows
    /// between the last of the source and a new one are zeros.
    ///
    /// # Errors
    /// [`LoadError`] if there is no such tensor, if it has no row that a new one should be like, or if its values
    /// can't be read.
    pub fn new<N: AsRef<str>>(
        source: &'s dyn TensorSource,
        names: &[N],
        rows: &[NewRow],
    ) -> Result<Self, LoadError> {
        let tables = names.iter().map(|name| {
            let name = name.as_ref();
            Ok((name.to_owned(), Table::new(source, name, rows)?))
        });
        Ok(Self {
            source,
            tables: tables.collect::<Result<_, LoadError>>()?,
        })
    }
}

impl Table {
    fn new(source: &dyn TensorSource, name: &str, rows: &[NewRow]) -> Result<Self, LoadError> {
        let info = source.info(name).ok_or_else(|| source.missing(name))?;
        let mut shape = info.output_first_shape();
        let length = shape.iter().product();
        let Some(dim) = shape.iter().position(|size| *size != 1) else {
            return Err(missing_row(source, name, 0));
        };
        let (count, width) = (shape[dim], shape[dim + 1..].iter().product::<usize>());
        let values = match info.layout {
            Layout::OutputFirst | Layout::Conv1d => None,
            Layout::OutputLast => Some(read_as(source, name, info, Layout::OutputFirst)?),
        };
        let mut table = Self {
            shape: Vec::new(),
            length,
            values,
            rows: Vec::with_capacity(rows.len()),
        };
        for NewRow { row, like } in rows {
            let mut sums = vec![0.0; width];
            let mut values = vec![0.0; width];
            for one in like {
                if *one >= count {
                    return Err(missing_row(source, name, *one));
                }
                table.read_source(source, name, one * width, &mut values)?;
                for (sum, value) in sums.iter_mut().zip(&values) {
                    *sum += f64::from(*value);
                }
            }
            let mean = sums
                .into_iter()
                .map(|sum| (sum / like.len().max(1) as f64) as f32);
            table.rows.push((row * width, mean.collect()));
            shape[dim] = shape[dim].max(row + 1);
        }
        table.shape = shape;
        Ok(table)
    }

    /// Reads values that the source has.
    fn read_source(
        &self,
        source: &dyn TensorSource,
        name: &str,
        start: usize,
        values: &mut [f32],
    ) -> Result<(), LoadError> {
        match &self.values {
            None => source.read(name, start, values),
            Some(whole) => {
                values.copy_from_slice(&whole[start..start + values.len()]);
                Ok(())
            }
        }
    }

    fn read(
        &self,
        source: &dyn TensorSource,
        name: &str,
        start: usize,
        values: &mut [f32],
    ) -> Result<(), LoadError> {
        let in_source = self.length.saturating_sub(start).min(values.len());
        let (known, more) = values.split_at_mut(in_source);
        more.fill(0.0);
        // Also if there are none: this finds out whether the tensor is of a type that can be read.
        let first = if known.is_empty() { 0 } else { start };
        self.read_source(source, name, first, known)?;
        self.put_rows(start, values);
        Ok(())
    }

    /// Puts the new rows where they are among values that begin with value `start`.
    fn put_rows(&self, start: usize, values: &mut [f32]) {
        let end = start + values.len();
        for (first, row) in &self.rows {
            let from = start.max(*first);
            let to = end.min(first + row.len());
            if from < to {
                values[from - start..to - start].copy_from_slice(&row[from - first..to - first]);
            }
        }
    }
}

fn missing_row(source: &dyn TensorSource, name: &str, row: usize) -> LoadError {
    LoadError::MissingRow {
        origin: source.origin().into(),
        name: name.into(),
        row,
    }
}

impl TensorSource for MoreRows<'_> {
    fn origin(&self) -> &str {
        self.source.origin()
    }

    fn names(&self) -> Vec<&str> {
        self.source.names()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let info = self.source.info(name)?;
        Some(match self.tables.get(name) {
            None => info,
            Some(table) => TensorInfo {
                shape: &table.shape,
                layout: Layout::OutputFirst,
                ..info
            },
        })
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        match self.tables.get(name) {
            None => self.source.read(name, start, values),
            Some(table) => table.read(self.source, name, start, values),
        }
    }

    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let Some(table) = self.tables.get(name) else {
            return self.source.read_all(name);
        };
        let mut values = match &table.values {
            None => self.source.read_all(name)?,
            Some(values) => values.clone(),
        };
        values.resize(table.shape.iter().product(), 0.0);
        table.put_rows(0, &mut values);
        Ok(values)
    }

    fn are_equal(&self, first: &str, second: &str) -> Result<bool, LoadError> {
        let is_table = |name| self.tables.contains_key(name);
        match is_table(first) || is_table(second) {
            true => are_equal_in_blocks(self, first, second),
            false => self.source.are_equal(first, second),
        }
    }

    fn is_packed(&self, name: &str) -> bool {
        !self.tables.contains_key(name) && self.source.is_packed(name)
    }

    fn packed(&self, name: &str) -> Result<Option<(PackedShape, TensorData)>, LoadError> {
        match self.tables.contains_key(name) {
            true => Ok(None),
            false => self.source.packed(name),
        }
    }
}
