//! Curves in pages.

use std::fmt::Write;

/// Width and height of a curve in its own units.
const SIZE: (f64, f64) = (640.0, 200.0);

/// The largest number of points that are drawn.
const POINTS: usize = 600;

/// A curve through points with ascending first coordinates, as an SVG element. Many points are averaged in groups.
pub(crate) fn curve(points: &[(f64, f64)]) -> String {
    let points = averaged(points);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return String::new();
    };
    let finite = || points.iter().map(|point| point.1);
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let (width, height) = SIZE;
    let across = |x: f64| width * (x - first.0) / (last.0 - first.0).max(1e-12);
    let up = |y: f64| height - height * (y - low) / (high - low).max(1e-12);
    let mut path = String::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let letter = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{:.1} {:.1}", across(*x), up(*y));
    }
    format!(
        "<figure class=curve><svg viewBox=\"-4 -4 {} {}\" role=img><path d=\"{path}\"/></svg>\
         <figcaption><span>{} to {}</span><span>{low:.4} to {high:.4}, at the end {:.4}</span></figcaption></figure>",
        width + 8.0,
        height + 8.0,
        first.0,
        last.0,
        last.1
    )
}

/// At most [`POINTS`] points that are finite.
fn averaged(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let points: Vec<_> = points.iter().filter(|point| point.1.is_finite()).collect();
    let group = points.len().div_ceil(POINTS).max(1);
    let groups = points.chunks(group).map(|group| {
        let count = group.len() as f64;
        let sum: f64 = group.iter().map(|point| point.1).sum();
        let place = group.last().map_or(0.0, |point| point.0);
        (place, sum / count)
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_its_ends_and_no_more_points_than_fit() {
        let points: Vec<(f64, f64)> = (1..=5000)
            .map(|x| (f64::from(x), 1.0 / f64::from(x)))
            .collect();
        assert!(averaged(&points).len() <= POINTS);
        let svg = curve(&points[..3]);
        assert!(svg.contains("M0.0 0.0L320.0 150.0L640.0 200.0"), "{svg}");
        assert_eq!(curve(&[(1.0, f64::NAN)]), "");
    }
}
