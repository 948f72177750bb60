use super::{long, push_sparingly, short};

/// The perceptual hashes of all pictures that were kept, in 40 bytes for each.
///
/// A hash of 64 bits is four bands of 16. Two hashes that differ in at most `distance` bits have a band in which they differ
/// in at most `distance / 4` (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012),
/// so only pictures with such a band are compared, and none is missed. The work still grows with the square of the data,
/// but of random hashes one is compared with a 16,384th of the others up to a distance of 3, with a 964th up to 7, and with
/// a 120th up to 11.
pub(in super::super) struct NearDuplicates {
    distance: u32,
    /// The lists of band `b` with value `v`, at `b * 65536 + v`.
    lists: Vec<Vec<Entry>>,
    /// All values with few bits, which lead from a band to similar ones.
    changes: Vec<u16>,
}

/// The other three bands, and the picture's number.
struct Entry {
    rest: [[u8; 2]; 3],
    number: [u8; 4],
}

/// Hashes with so few ones or zeros are those of pictures without structure, such as plain areas, which all look the same.
const PLAIN: u32 = 8;

impl NearDuplicates {
    /// An empty set. `distance` is the largest number of bits in which similar pictures differ.
    pub(in super::super) fn new(distance: u32) -> Self {
        Self {
            distance,
            lists: (0..4 << 16).map(|_| Vec::new()).collect(),
            changes: (0..=u16::MAX)
                .filter(|bits| bits.count_ones() <= distance / 4)
                .collect(),
        }
    }

    /// The first similar picture: `Some(None)` if its number is beyond 2^32 - 2.
    pub(in super::super) fn find(&self, hash: u64) -> Option<Option<u64>> {
        if is_plain(hash) {
            return None;
        }
        let bands = bands(hash);
        let mut first: Option<u32> = None;
        for (band, value) in bands.into_iter().enumerate() {
            let rest = others(bands, band);
            for change in &self.changes {
                let same = change.count_ones();
                for entry in &self.lists[(band << 16) + usize::from(value ^ change)] {
                    let number = u32::from_le_bytes(entry.number);
                    // Lists are in the order of the data.
                    if first.is_some_and(|first| first <= number) {
                        break;
                    }
                    let differ =
                        entry.rest.iter().zip(rest).map(|(other, value)| {
                            (u16::from_le_bytes(*other) ^ value).count_ones()
                        });
                    if same + differ.sum::<u32>() <= self.distance {
                        first = Some(number);
                    }
                }
            }
        }
        first.map(|number| long(number.to_le_bytes()))
    }

    /// Remembers a picture.
    pub(in super::super) fn insert(&mut self, hash: u64, number: u64) {
        if is_plain(hash) {
            return;
        }
        let bands = bands(hash);
        for (band, value) in bands.into_iter().enumerate() {
            let entry = Entry {
                rest: others(bands, band).map(u16::to_le_bytes),
                number: short(number),
            };
            push_sparingly(&mut self.lists[(band << 16) + usize::from(value)], entry);
        }
    }
}

fn is_plain(hash: u64) -> bool {
    hash.count_ones().min(hash.count_zeros()) < PLAIN
}

fn bands(hash: u64) -> [u16; 4] {
    [0, 16, 32, 48].map(|shift| (hash >> shift & 0xffff) as u16)
}

/// The bands beside one.
fn others(bands: [u16; 4], band: usize) -> [u16; 3] {
    [1, 2, 3].map(|step| bands[(band + step) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random (SplitMix64).
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    #[test]
    fn the_first_similar_picture_is_found_as_by_comparing_all() {
        for distance in [0, 3, 4, 7, 9, 11] {
            let mut seen = NearDuplicates::new(distance);
            let mut all: Vec<u64> = Vec::new();
            let mut state = u64::from(distance);
            let mut found_some = 0;
            for number in 0..600 {
                let hash = match all.as_slice() {
                    [] => random(&mut state),
                    // Half of them are changed copies of one before, by 0 to 12 bits.
                    all if number % 2 == 0 => {
                        let base = all[random(&mut state) as usize % all.len()];
                        (0..random(&mut state) % 13)
                            .fold(base, |hash, _| hash ^ 1 << (random(&mut state) % 64))
                    }
                    _ => random(&mut state),
                };
                let expected = all
                    .iter()
                    .position(|other| (other ^ hash).count_ones() <= distance);
                let expected = expected
                    .filter(|_| !is_plain(hash))
                    .map(|first| Some(first as u64));
                assert_eq!(seen.find(hash), expected, "{distance}, {number}");
                found_some += u32::from(expected.is_some());
                seen.insert(hash, number);
                all.push(hash);
            }
            assert!(found_some > 10);
        }
    }

    #[test]
    fn plain_pictures_are_not_compared() {
        let mut seen = NearDuplicates::new(11);
        for hash in [0, u64::MAX, 0b111] {
            seen.insert(hash, 0);
            assert_eq!(seen.find(hash), None);
        }
    }
}
