use rayon::prelude::*;

use crate::{Layout, LoadError, TensorInfo, TensorSource};

/// Values that are read at a time when they have to be distributed over the whole tensor.
const BLOCK_VALUES: usize = 1 << 20;

/// Rows and columns that are transposed together. Their values in a row fill a cache line.
const TILE: usize = 16;

/// Reads a tensor in the given layout.
pub(crate) fn read_as<S: TensorSource + ?Sized>(
    source: &S,
    name: &str,
    info: TensorInfo<'_>,
    layout: Layout,
) -> Result<Vec<f32>, LoadError> {
    match (info.layout, layout, info.shape) {
        (_, _, shape) if shape.contains(&0) => Ok(Vec::new()),
        (Layout::OutputFirst, Layout::OutputLast, &[outputs, inputs]) => {
            transposed(source, name, [outputs, inputs])
        }
        (Layout::OutputLast, Layout::OutputFirst, [spatial @ .., inputs, outputs]) => {
            let positions = spatial.iter().product();
            positioned(source, name, [positions, *inputs, *outputs])
        }
        _ => source.read_all(name),
    }
}

/// Reads `[outputs, inputs]` as `[inputs, outputs]`.
fn transposed<S: TensorSource + ?Sized>(
    source: &S,
    name: &str,
    [outputs, inputs]: [usize; 2],
) -> Result<Vec<f32>, LoadError> {
    let mut values = vec![0.0; outputs * inputs];
    let rows = (BLOCK_VALUES / inputs).clamp(1, outputs);
    let mut block = vec![0.0; rows * inputs];
    for first in (0..outputs).step_by(rows) {
        let rows = rows.min(outputs - first);
        let block = &mut block[..rows * inputs];
        source.read(name, first * inputs, block)?;
        let columns = values.par_chunks_mut(outputs * TILE).enumerate();
        columns.for_each(|(tile, columns)| {
            transpose_columns(block, inputs, tile * TILE, columns, outputs, first);
        });
    }
    Ok(values)
}

/// Transposes some columns of `block`, `[rows, inputs]`, beginning with `first_column`. They are written to
/// `columns`, `[columns, outputs]`, after the first `first` values of each row.
fn transpose_columns(
    block: &[f32],
    inputs: usize,
    first_column: usize,
    columns: &mut [f32],
    outputs: usize,
    first: usize,
) {
    // Tile by tile, so that a cache line of a row is used for all columns before it is evicted.
    for (tile, rows) in block.chunks(inputs * TILE).enumerate() {
        let start = first + tile * TILE;
        for (column, values) in columns.chunks_mut(outputs).enumerate() {
            let values = &mut values[start..];
            for (value, row) in values.iter_mut().zip(rows.chunks(inputs)) {
                *value = row[first_column + column];
            }
        }
    }
}

/// Reads `[positions, inputs, outputs]` as `[outputs, inputs, positions]`.
fn positioned<S: TensorSource + ?Sized>(
    source: &S,
    name: &str,
    [positions, inputs, outputs]: [usize; 3],
) -> Result<Vec<f32>, LoadError> {
    let columns = positions * inputs;
    let mut values = vec![0.0; columns * outputs];
    let rows = (BLOCK_VALUES / outputs).clamp(1, columns);
    let mut block = vec![0.0; rows * outputs];
    for first in (0..columns).step_by(rows) {
        let rows = rows.min(columns - first);
        let block = &mut block[..rows * outputs];
        source.read(name, first * outputs, block)?;
        for output in 0..outputs {
            for row in 0..rows {
                let (position, input) = ((first + row) / inputs, (first + row) % inputs);
                let place = (output * inputs + input) * positions + position;
                values[place] = block[row * outputs + output];
            }
        }
    }
    Ok(values)
}
