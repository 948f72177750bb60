use std::sync::Arc;

use captioning::Language;
use datasets::ImageSource;
use metrics::Chrf;

/// How many of the best, of the worst and of random captions are kept of each language.
const EACH: usize = 8;

/// A caption with its picture.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Shared, since it may hold the whole file.
    pub(crate) image: Arc<ImageSource>,
    pub(crate) prediction: String,
    pub(crate) references: Vec<String>,
    /// chrF of this caption alone, from 0 to 100.
    pub(crate) chrf: f64,
}

/// Some captions of each language, in the order in which languages were met first.
#[derive(Default)]
pub(crate) struct Samples {
    languages: Vec<LanguageSamples>,
    random: Random,
}

/// Some captions of a language.
pub(crate) struct LanguageSamples {
    pub(crate) language: Language,
    /// From the best on.
    pub(crate) best: Vec<Sample>,
    /// From the worst on.
    pub(crate) worst: Vec<Sample>,
    pub(crate) random: Vec<Sample>,
    seen: u64,
}

/// The same numbers in every run (Knuth's MMIX), so that the same captions are shown.
struct Random(u64);

impl Samples {
    pub(crate) fn languages(&self) -> &[LanguageSamples] {
        &self.languages
    }

    /// Looks at a caption. Of equally good ones, the first are kept.
    pub(crate) fn add(
        &mut self,
        language: Language,
        image: &Arc<ImageSource>,
        prediction: &str,
        references: &[String],
    ) {
        let mut chrf = Chrf::default();
        if chrf.add(prediction, references).is_err() {
            return; // unreachable: the corpus has accepted it
        }
        let chrf = chrf.score();
        let index = self.index(language);
        let of = &mut self.languages[index];
        of.seen += 1;
        let better = place(&of.best, |one| one.chrf >= chrf);
        let worse = place(&of.worst, |one| one.chrf <= chrf);
        // Every caption has the same chance to be one of the random ones (reservoir sampling).
        let seen = of.seen;
        let slot = match seen <= EACH as u64 {
            true => Some(seen as usize - 1),
            false => usize::try_from(self.random.below(seen)).ok(),
        };
        let slot = slot.filter(|slot| *slot < EACH);
        if better.is_none() && worse.is_none() && slot.is_none() {
            return;
        }
        let sample = Sample {
            image: Arc::clone(image),
            prediction: prediction.to_owned(),
            references: references.to_vec(),
            chrf,
        };
        let of = &mut self.languages[index];
        for (list, place) in [(&mut of.best, better), (&mut of.worst, worse)] {
            if let Some(place) = place {
                list.insert(place, sample.clone());
                list.truncate(EACH);
            }
        }
        match slot {
            Some(slot) if slot < of.random.len() => of.random[slot] = sample,
            Some(_) => of.random.push(sample),
            None => {}
        }
    }

    /// Where the captions of a language are.
    fn index(&mut self, language: Language) -> usize {
        let known = self
            .languages
            .iter()
            .position(|one| one.language == language);
        known.unwrap_or_else(|| {
            self.languages.push(LanguageSamples {
                language,
                best: Vec::new(),
                worst: Vec::new(),
                random: Vec::new(),
                seen: 0,
            });
            self.languages.len() - 1
        })
    }
}

/// Where a sample belongs in a list, after those that go `before` it; `None` if the list is full without it.
fn place(list: &[Sample], before: impl Fn(&Sample) -> bool) -> Option<usize> {
    let place = list.partition_point(before);
    (place < EACH).then_some(place)
}

impl Default for Random {
    fn default() -> Self {
        Self(16)
    }
}

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
