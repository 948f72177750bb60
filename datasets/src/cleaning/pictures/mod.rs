//! The rules for pictures that decode, each in a file that is named like its reason.

mod extreme_aspect_ratio;
mod too_large;
mod too_small;

use super::{PictureLimits, Reason, Sound};

/// Everything that is wrong with a picture.
pub(super) fn reasons(picture: &Sound, limits: &PictureLimits) -> Vec<Reason> {
    let rules = [
        ("too_small", too_small::check(picture, limits)),
        ("too_large", too_large::check(picture, limits)),
        (
            "extreme_aspect_ratio",
            extreme_aspect_ratio::check(picture, limits),
        ),
    ];
    rules
        .into_iter()
        .filter_map(|(rule, detail)| Some(Reason::new(rule, detail?)))
        .collect()
}

/// Width times height.
fn pixels(picture: &Sound) -> u64 {
    u64::from(picture.width) * u64::from(picture.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_at_the_limits_pass_and_those_beyond_do_not() {
        let limits = PictureLimits {
            min_side: 10,
            max_side: Some(100),
            min_pixels: 200,
            max_pixels: 5000,
            max_aspect_ratio: Some(4.0),
        };
        for (width, height, expected) in [
            (10, 40, ""),
            (50, 100, ""),
            (9, 30, "too_small: 9 x 30: a side below 10"),
            (10, 19, "too_small: 10 x 19: fewer than 200 pixels"),
            (10, 41, "extreme_aspect_ratio: 10 x 41: more than 4 to 1"),
            (101, 40, "too_large: 101 x 40: a side above 100"),
            (72, 72, "too_large: 72 x 72: more than 5000 pixels"),
        ] {
            let picture = Sound {
                width,
                height,
                identity: [0; 16],
                near: None,
            };
            let found: Vec<_> = reasons(&picture, &limits)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found.join("; "), expected);
        }
    }
}
