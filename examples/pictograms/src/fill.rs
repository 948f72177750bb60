//! Colours within the lines of a line drawing.

use fastrand::Rng;
use image::RgbaImage;

/// A pixel is of a line from this opacity on.
const LINE: u8 = 110;

/// Regions of fewer pixels are gaps within lines.
const SMALLEST: usize = 6;

/// Fills what lines enclose with a few colours, as in a colouring book. Some regions stay empty.
pub(crate) fn fill(drawing: &mut RgbaImage, random: &mut Rng) {
    let (columns, rows) = drawing.dimensions();
    let (columns, rows) = (columns as usize, rows as usize);
    let is_line: Vec<bool> = drawing.pixels().map(|pixel| pixel.0[3] >= LINE).collect();
    let mut region = vec![None; columns * rows];
    // Region 0 is what is outside.
    let edge = (0..columns * rows).filter(|place| {
        let (x, y) = (place % columns, place / columns);
        x == 0 || y == 0 || x + 1 == columns || y + 1 == rows
    });
    spread(edge.collect(), 0, &is_line, &mut region, columns);
    let palette: Vec<[u8; 3]> = (0..1 + random.usize(..3)).map(|_| colour(random)).collect();
    let mut colours = vec![None];
    for place in 0..region.len() {
        if !is_line[place] && region[place].is_none() {
            let size = spread(vec![place], colours.len(), &is_line, &mut region, columns);
            let is_filled = size >= SMALLEST && random.f32() < 0.85;
            colours.push(is_filled.then(|| palette[random.usize(..palette.len())]));
        }
    }
    for (place, pixel) in drawing.pixels_mut().enumerate() {
        // The inner half of a line that is not quite opaque lets the colour through.
        let near = [
            Some(place),
            place.checked_sub(1),
            place.checked_sub(columns),
            Some(place + 1),
            Some(place + columns),
        ];
        let own = region[place];
        let near = near
            .into_iter()
            .filter_map(|near| region.get(near?).copied().flatten());
        let colour = match own {
            Some(region) => colours[region],
            None => near.filter_map(|region| colours[region]).next(),
        };
        let Some(colour) = colour else { continue };
        let rest = 255 - u16::from(pixel.0[3]);
        for (value, level) in pixel.0.iter_mut().zip(colour) {
            *value += (u16::from(level) * rest / 255) as u8;
        }
        pixel.0[3] = 255;
    }
}

/// Gives all places that can be reached from some without crossing a line this region, and counts them.
fn spread(
    mut from: Vec<usize>,
    number: usize,
    is_line: &[bool],
    region: &mut [Option<usize>],
    columns: usize,
) -> usize {
    let mut size = 0;
    while let Some(place) = from.pop() {
        if is_line[place] || region[place].is_some() {
            continue;
        }
        region[place] = Some(number);
        size += 1;
        if place % columns > 0 {
            from.push(place - 1);
        }
        if place % columns + 1 < columns {
            from.push(place + 1);
        }
        if place >= columns {
            from.push(place - columns);
        }
        if place + columns < region.len() {
            from.push(place + columns);
        }
    }
    size
}

/// A light or strong colour, sometimes white.
fn colour(random: &mut Rng) -> [u8; 3] {
    if random.f32() < 0.2 {
        return [255; 3];
    }
    let grey = 80.0 + 150.0 * random.f32();
    [(); 3].map(|()| (grey + (random.f32() - 0.4) * 220.0).clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn what_a_line_encloses_is_filled_and_nothing_else() {
        let mut filled = 0;
        for seed in 0..20 {
            // A square of lines, and room around it.
            let mut drawing = RgbaImage::from_fn(9, 9, |x, y| {
                let on_line = |a: u32, b: u32| (a == 1 || a == 6) && (1..=6).contains(&b);
                let opacity = if on_line(x, y) || on_line(y, x) {
                    255
                } else {
                    0
                };
                Rgba([0, 0, 0, opacity])
            });
            fill(&mut drawing, &mut Rng::with_seed(seed));
            assert_eq!(drawing.get_pixel(0, 0).0, [0; 4]);
            assert_eq!(drawing.get_pixel(8, 4).0, [0; 4]);
            assert_eq!(drawing.get_pixel(1, 3).0, [0, 0, 0, 255]);
            filled += u32::from(drawing.get_pixel(3, 3).0[3] == 255);
        }
        assert!((10..20).contains(&filled), "{filled}");
    }
}
