use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use transformer_layers::recompute::recomputed;

use crate::SwinConfig;
use crate::layer::Layer;
use crate::patch_merging::PatchMerging;
use crate::windows::Windows;

/// Layers of one width, and what merges their output for the next stage.
///
/// Hugging Face: `SwinStage`, `DonutSwinStage`.
#[derive(Module, Debug)]
pub(crate) struct Stage {
    layers: Vec<Layer>,
    merging: Option<PatchMerging>,
    #[module(skip)]
    window_size: usize,
}

impl Stage {
    pub(crate) fn new(
        config: &SwinConfig,
        stage: usize,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let before: usize = config.depths[..stage].iter().sum();
        let last = config.depths.iter().sum::<usize>().saturating_sub(1).max(1);
        let drop_path_rate = |layer| config.drop_path_rate * (before + layer) as f64 / last as f64;
        let std = config.initializer_range;
        Self {
            layers: (0..config.depths[stage])
                .map(|layer| Layer::new(config, stage, drop_path_rate(layer), format, device))
                .collect(),
            merging: (stage + 1 < config.depths.len())
                .then(|| PatchMerging::new(config.stage_width(stage), std, format, device)),
            window_size: config.window_size,
        }
    }

    /// The output for the next stage, and its rows and columns.
    ///
    /// # Shapes
    /// - hidden: `[batch, rows · columns, width]`
    /// - output: `[batch, rows / 2 · columns / 2, 2 width]` if positions are merged, otherwise that of `hidden`
    pub(crate) fn forward(
        &self,
        hidden: Tensor<3>,
        grid @ [rows, columns]: [usize; 2],
    ) -> (Tensor<3>, [usize; 2]) {
        let device = hidden.device();
        let [window, shift] = window_and_shift(self.window_size, grid);
        let windows = |shift| Windows::new(grid, window, shift, self.window_size, &device);
        let plain = windows(0);
        let shifted = match shift > 0 && self.layers.len() > 1 {
            true => windows(shift),
            false => plain.clone(),
        };
        let hidden = self
            .layers
            .iter()
            .enumerate()
            .fold(hidden, |hidden, (index, layer)| {
                let windows = if index % 2 == 0 { &plain } else { &shifted };
                let windows = windows.clone();
                recomputed(layer, [hidden], move |layer, [hidden]| {
                    layer.forward(hidden, &windows)
                })
            });
        match &self.merging {
            Some(merging) => {
                let merged = [rows.div_ceil(2), columns.div_ceil(2)];
                (merging.forward(hidden, grid), merged)
            }
            None => (hidden, grid),
        }
    }
}

/// The size of windows, and how far every second layer shifts them. A window that does not fit into the grid more than
/// once shrinks to its shorter side, and is not shifted.
///
/// Hugging Face: `set_shift_and_window_size`.
fn window_and_shift(window_size: usize, [rows, columns]: [usize; 2]) -> [usize; 2] {
    let shorter = rows.min(columns);
    match shorter <= window_size {
        true => [shorter, 0],
        false => [window_size, window_size / 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_shrink_to_a_small_grid_and_stay_where_they_are() {
        for (grid, expected) in [
            ([16, 12], [7, 3]),
            ([8, 8], [7, 3]),
            ([7, 20], [7, 0]),
            ([20, 4], [4, 0]),
        ] {
            assert_eq!(window_and_shift(7, grid), expected);
        }
    }
}
