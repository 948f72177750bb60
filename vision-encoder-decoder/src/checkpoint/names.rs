use super::TensorSource;

/// Ties the parameters of a module to the names of a checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct WeightNames<'a> {
    /// The parts of the module.
    pub groups: &'a [WeightGroup<'a>],
    /// Names that a checkpoint may have although the module has no place for them; a `*` in front
    /// or at the end stands for anything.
    pub ignored: &'a [&'a str],
}

/// The weights of one part of a module.
#[derive(Clone, Copy, Debug)]
pub struct WeightGroup<'a> {
    /// What Burn's paths of these parameters begin with.
    pub module: &'a str,
    /// What the checkpoint's names begin with; several are tried in turn. One that begins with a
    /// minus is what they lack instead: `-model.` for checkpoints without that level.
    pub checkpoint: &'a [&'a str],
    /// Burn's path and the checkpoint's name behind those beginnings; `{}` stands for a number. A
    /// path may come several times, if checkpoints call it differently; the first name is the one
    /// that is written.
    pub names: &'a [(&'a str, &'a str)],
}

impl WeightNames<'_> {
    /// The names that a parameter may have in a checkpoint, most likely first.
    pub(crate) fn candidates(&self, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        for group in self.groups {
            let Some(rest) = path.strip_prefix(group.module) else {
                continue;
            };
            for (ours, theirs) in group.names {
                if let Some(numbers) = numbers(ours, rest) {
                    let name = fill(theirs, &numbers);
                    found.extend(group.checkpoint.iter().filter_map(|start| {
                        match start.strip_prefix('-') {
                            Some(lacking) => name.strip_prefix(lacking).map(String::from),
                            None => Some(format!("{start}{name}")),
                        }
                    }));
                }
            }
        }
        found
    }

    /// The name of a parameter that a source has.
    pub(crate) fn find(&self, path: &str, source: &dyn TensorSource) -> Option<String> {
        let mut candidates = self.candidates(path).into_iter();
        candidates.find(|name| source.info(name).is_some())
    }

    /// Whether a checkpoint may have this name without the module having a place for it.
    pub(crate) fn is_ignored(&self, name: &str) -> bool {
        self.ignored.iter().any(|pattern| {
            if let Some(end) = pattern.strip_prefix('*') {
                name.ends_with(end)
            } else if let Some(start) = pattern.strip_suffix('*') {
                name.starts_with(start)
            } else {
                name == *pattern
            }
        })
    }
}

/// The numbers that stand in `path` where `pattern` has `{}`, if it fits otherwise.
fn numbers<'p>(pattern: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut found = Vec::new();
    let mut parts = path.split('.');
    for expected in pattern.split('.') {
        let part = parts.next()?;
        if expected == "{}" && part.bytes().all(|byte| byte.is_ascii_digit()) {
            found.push(part);
        } else if expected != part {
            return None;
        }
    }
    parts.next().is_none().then_some(found)
}

fn fill(pattern: &str, numbers: &[&str]) -> String {
    let name = String::from(pattern);
    numbers
        .iter()
        .fold(name, |name, number| name.replacen("{}", number, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_where_the_placeholders_are() {
        let names = WeightNames {
            groups: &[WeightGroup {
                module: "a.",
                checkpoint: &["x.", "y.z.", "-layers."],
                names: &[
                    ("l.{}.w", "layers.{}.weight"),
                    ("l.last.w", "last"),
                    ("l.last.w", "end"),
                ],
            }],
            ignored: &["*ids", "text.*", "scale"],
        };
        assert_eq!(
            names.candidates("a.l.12.w"),
            ["x.layers.12.weight", "y.z.layers.12.weight", "12.weight"]
        );
        assert_eq!(
            names.candidates("a.l.last.w"),
            ["x.last", "y.z.last", "x.end", "y.z.end"]
        );
        for unknown in ["a.l.w", "a.l.x.w", "a.l.1.w.b", "b.l.1.w"] {
            assert!(names.candidates(unknown).is_empty());
        }
        for ignored in ["x.ids", "text.w", "scale"] {
            assert!(names.is_ignored(ignored));
        }
        for other in ["x.idx", "a.text.w", "scales"] {
            assert!(!names.is_ignored(other));
        }
    }
}
