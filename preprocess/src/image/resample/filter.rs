use std::f64::consts::PI;

/// The filter of a resize, with Pillow's names and numbers.
///
/// All but [`Nearest`](Self::Nearest) are convolutions with antialias: when an image is reduced, the kernel is stretched
/// by the same factor. The definitions are those of Pillow's `Resample.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Resample {
    /// 0: the input pixel under the centre of the output pixel.
    Nearest,
    /// 1: windowed sinc of radius 3.
    Lanczos,
    /// 2: triangle of radius 1.
    Bilinear,
    /// 3: Keys' cubic with a = -1/2, of radius 2. CLIP uses it.
    #[default]
    Bicubic,
    /// 4: the mean of the covered pixels.
    Box,
    /// 5: sinc of radius 1 with a Hamming window.
    Hamming,
}

/// The kernel of a convolution, and the radius outside which it is zero.
pub(super) struct Kernel {
    pub(super) radius: f64,
    pub(super) weight: fn(f64) -> f64,
}

impl Resample {
    /// Every filter, in the order of Pillow's numbers.
    pub const ALL: [Self; 6] = [
        Self::Nearest,
        Self::Lanczos,
        Self::Bilinear,
        Self::Bicubic,
        Self::Box,
        Self::Hamming,
    ];

    /// The number that Pillow and `preprocessor_config.json` use.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The filter with this number, or `None` if there is no such filter.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The kernel, or `None` for the nearest neighbour, which is not a convolution.
    pub(super) fn kernel(self) -> Option<Kernel> {
        let (radius, weight): (f64, fn(f64) -> f64) = match self {
            Self::Nearest => return None,
            Self::Lanczos => (3.0, lanczos),
            Self::Bilinear => (1.0, triangle),
            Self::Bicubic => (2.0, cubic),
            Self::Box => (0.5, rectangle),
            Self::Hamming => (1.0, hamming),
        };
        Some(Kernel { radius, weight })
    }
}

fn rectangle(x: f64) -> f64 {
    // Half open, so that a position between two pixels belongs to one of them.
    if x > -0.5 && x <= 0.5 { 1.0 } else { 0.0 }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

fn hamming(x: f64) -> f64 {
    let x = x.abs();
    if x >= 1.0 {
        return 0.0;
    }
    // Pillow has these two constants in single precision, which changes the last bit of some weights.
    sinc(x) * (f64::from(0.54f32) + f64::from(0.46f32) * (x * PI).cos())
}

fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(x: f64) -> f64 {
    if (-3.0..3.0).contains(&x) {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_names_its_filter() {
        for (number, filter) in (0u8..).zip(Resample::ALL) {
            assert_eq!(filter.number(), number);
            assert_eq!(Resample::from_number(u64::from(number)), Some(filter));
        }
        assert_eq!(Resample::from_number(6), None);
        assert_eq!(Resample::from_number(u64::MAX), None);
    }

    #[test]
    fn every_kernel_is_one_at_its_centre_and_zero_outside_its_radius() {
        for filter in Resample::ALL {
            let Some(kernel) = filter.kernel() else {
                continue;
            };
            assert!(((kernel.weight)(0.0) - 1.0).abs() < 1e-7, "{filter:?}");
            assert_eq!((kernel.weight)(kernel.radius + 1e-9), 0.0, "{filter:?}");
            assert_eq!((kernel.weight)(-kernel.radius - 1e-9), 0.0, "{filter:?}");
        }
    }
}
