/// Ties the parameters of a module to the names of a checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct WeightNames<'a> {
    /// The parts of the module.
    pub groups: &'a [WeightGroup<'a>],
    /// Ends of names that a checkpoint may have although the module has no place for them.
    pub ignored: &'a [&'a str],
}

/// The weights of one part of a module.
#[derive(Clone, Copy, Debug)]
pub struct WeightGroup<'a> {
    /// What Burn's paths of these parameters begin with.
    pub module: &'a str,
    /// What the checkpoint's names begin with; several are tried in turn.
    pub checkpoint: &'a [&'a str],
    /// Burn's path and the checkpoint's name behind those beginnings; `{}` stands for a number.
    pub names: &'a [(&'a str, &'a str)],
}

impl WeightNames<'_> {
    /// The names that a parameter may have in a checkpoint, most likely first.
    pub(crate) fn candidates(&self, path: &str) -> Vec<String> {
        self.groups
            .iter()
            .filter_map(|group| {
                let rest = path.strip_prefix(group.module)?;
                let (numbers, name) = group
                    .names
                    .iter()
                    .find_map(|(ours, theirs)| Some((numbers(ours, rest)?, *theirs)))?;
                let name = fill(name, &numbers);
                Some(
                    group
                        .checkpoint
                        .iter()
                        .map(move |start| format!("{start}{name}")),
                )
            })
            .flatten()
            .collect()
    }

    /// Whether a checkpoint may have this name without the module having a place for it.
    pub(crate) fn is_ignored(&self, name: &str) -> bool {
        self.ignored.iter().any(|end| name.ends_with(end))
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
                checkpoint: &["x.", "y.z."],
                names: &[("l.{}.w", "layers.{}.weight"), ("l.last.w", "last")],
            }],
            ignored: &["ids"],
        };
        assert_eq!(
            names.candidates("a.l.12.w"),
            ["x.layers.12.weight", "y.z.layers.12.weight"]
        );
        assert_eq!(names.candidates("a.l.last.w"), ["x.last", "y.z.last"]);
        for unknown in ["a.l.w", "a.l.x.w", "a.l.1.w.b", "b.l.1.w"] {
            assert!(names.candidates(unknown).is_empty());
        }
        assert!(names.is_ignored("x.ids") && !names.is_ignored("x.idx"));
    }
}
