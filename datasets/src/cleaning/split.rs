use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What a model is trained with.
    Train,
    /// What it is evaluated with.
    Validation,
}

/// The part that an image belongs to: validation if eight bytes of a SHA-256 over the seed and the image's identity,
/// read as a fraction between 0 and 1, are below `validation`.
///
/// It depends on the picture's content and on nothing else of the data set. So it stays when rows are added, files move or
/// the order changes, a picture never is in both parts, and a larger share only moves images from training to validation.
///
/// ```
/// use datasets::cleaning::{Split, split};
///
/// assert_eq!(split([7; 16], 0.0, 0), Split::Train);
/// assert_eq!(split([7; 16], 1.0, 0), Split::Validation);
/// ```
pub fn split(identity: [u8; 16], validation: f64, seed: u64) -> Split {
    let mut hash = Sha256::new_with_prefix(seed.to_le_bytes());
    hash.update(identity);
    let number = u64::from_le_bytes(super::check::shortened(hash));
    // 53 bits, which a double holds exactly; the fraction is below 1.
    let fraction = (number >> 11) as f64 / (1u64 << 53) as f64;
    match fraction < validation {
        true => Split::Validation,
        false => Split::Train,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities() -> impl Iterator<Item = [u8; 16]> {
        (0..20_000u128).map(|number| number.to_le_bytes())
    }

    #[test]
    fn the_share_is_met_and_a_larger_one_only_adds_to_validation() {
        let validation = |share| -> Vec<bool> {
            let parts = identities().map(|identity| split(identity, share, 3));
            parts.map(|part| part == Split::Validation).collect()
        };
        let (small, large) = (validation(0.05), validation(0.2));
        let count = |parts: &[bool]| parts.iter().filter(|part| **part).count();
        // The standard deviations are 31 and 57.
        assert!(count(&small).abs_diff(1000) < 150, "{}", count(&small));
        assert!(count(&large).abs_diff(4000) < 280, "{}", count(&large));
        assert!(
            small
                .iter()
                .zip(&large)
                .all(|(small, large)| !small || *large)
        );
    }

    #[test]
    fn another_seed_is_another_split() {
        let parts = |seed| identities().map(move |identity| split(identity, 0.5, seed));
        let same = parts(0).zip(parts(1)).filter(|(a, b)| a == b).count();
        assert!(same.abs_diff(10_000) < 400, "{same}");
    }
}
