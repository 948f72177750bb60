use packed_linear::Layout;

use crate::{TableError, TensorSource};

/// Ties the parameters of a module to the names of a checkpoint.
///
/// ```
/// use checkpoint::{Layout, WeightGroup, WeightNames};
///
/// const NAMES: WeightNames<'_> = WeightNames {
///     groups: &[WeightGroup {
///         module: "encoder.",
///         checkpoint: &["vision_model."],
///         names: &[
///             // Burn's `Linear` keeps `[input, output]`, PyTorch `[output, input]`.
///             ("layers.{}.fc.weight", "layers.{}.mlp.fc.weight", Layout::OutputLast),
///             ("layers.{}.fc.bias", "layers.{}.mlp.fc.bias", Layout::OutputFirst),
///         ],
///     }],
///     ignored: &["*.position_ids"],
/// };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WeightNames<'a> {
    /// The weights of each part of the module.
    pub groups: &'a [WeightGroup<'a>],
    /// Names that a checkpoint may have although the module has no parameter for them. A `*` at the
    /// beginning or the end matches any text.
    pub ignored: &'a [&'a str],
}

/// The weights of one part of a module.
#[derive(Clone, Copy, Debug)]
pub struct WeightGroup<'a> {
    /// The common prefix of Burn's paths of these parameters.
    pub module: &'a str,
    /// The prefixes that the names may have in a checkpoint, which are tried in turn. A prefix that begins
    /// with a minus sign is removed from the names instead of added: `-model.` for checkpoints without that
    /// level.
    pub checkpoint: &'a [&'a str],
    /// For each parameter, Burn's path and the checkpoint's name, both without their prefixes, and the
    /// layout that the module keeps it in. `{}` stands for a number. If checkpoints name a parameter
    /// differently, it is listed several times; it is saved under the first name.
    pub names: &'a [(&'a str, &'a str, Layout)],
}

/// What the table says about a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedWeight {
    /// The layout that the module keeps it in.
    pub(crate) layout: Layout,
    /// The names that it may have in a checkpoint, most likely first; at least one.
    pub(crate) names: Vec<String>,
}

impl NamedWeight {
    /// The name that it is saved under.
    pub(crate) fn first(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

impl WeightNames<'_> {
    /// What the table says about the parameter of this shape at Burn's path `path`.
    pub(crate) fn of(&self, path: &str, shape: &[usize]) -> Result<NamedWeight, TableError> {
        let weight = self
            .listed(path)
            .ok_or_else(|| TableError::UnknownParameter {
                parameter: path.into(),
            })?;
        match weight.layout != Layout::OutputFirst && shape.len() != 2 {
            true => Err(TableError::Layout {
                parameter: path.into(),
                shape: shape.to_vec(),
            }),
            false => Ok(weight),
        }
    }

    /// What the table says about the parameter at Burn's path `path`; `None` if it is not listed.
    fn listed(&self, path: &str) -> Option<NamedWeight> {
        let mut found: Option<NamedWeight> = None;
        for group in self.groups {
            let Some(rest) = path.strip_prefix(group.module) else {
                continue;
            };
            for (pattern, name, layout) in group.names {
                let Some(numbers) = numbers(pattern, rest) else {
                    continue;
                };
                let name = fill(name, &numbers);
                let names =
                    group
                        .checkpoint
                        .iter()
                        .filter_map(|prefix| match prefix.strip_prefix('-') {
                            Some(removed) => name.strip_prefix(removed).map(String::from),
                            None => Some(format!("{prefix}{name}")),
                        });
                let weight = found.get_or_insert_with(|| NamedWeight {
                    layout: *layout,
                    names: Vec::new(),
                });
                weight.names.extend(names);
            }
        }
        found.filter(|weight| !weight.names.is_empty())
    }

    /// The name that the parameter at Burn's path `path` is saved under; `None` if it is not listed.
    pub fn saved_name(&self, path: &str) -> Option<String> {
        let weight = self.listed(path)?;
        weight.names.into_iter().next()
    }

    /// Whether a source has a tensor for the parameter at Burn's path `path`.
    pub fn is_in(&self, path: &str, source: &dyn TensorSource) -> bool {
        self.name_in(path, source).is_some()
    }

    /// The name that a source has for the parameter at Burn's path `path`; `None` if it has none.
    pub fn name_in(&self, path: &str, source: &dyn TensorSource) -> Option<String> {
        self.names_in(path, source).into_iter().next()
    }

    /// All names that a source has for the parameter at Burn's path `path`. The first is the one that is loaded.
    pub fn names_in(&self, path: &str, source: &dyn TensorSource) -> Vec<String> {
        let names = self.listed(path).map(|weight| weight.names);
        let mut names = names.unwrap_or_default();
        names.retain(|name| source.info(name).is_some());
        names
    }

    /// Whether a checkpoint may have this name although the module has no parameter for it.
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

/// The numbers in `path` at the places of `{}` in `pattern`; `None` if the path does not match.
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
                    ("l.{}.w", "layers.{}.weight", Layout::OutputLast),
                    ("l.last.w", "last", Layout::OutputFirst),
                    ("l.last.w", "end", Layout::OutputFirst),
                ],
            }],
            ignored: &["*ids", "text.*", "scale"],
        };
        let weight = names.listed("a.l.12.w").unwrap();
        assert_eq!(
            weight.names,
            ["x.layers.12.weight", "y.z.layers.12.weight", "12.weight"]
        );
        assert_eq!(weight.layout, Layout::OutputLast);
        let weight = names.listed("a.l.last.w").unwrap();
        assert_eq!(weight.names, ["x.last", "y.z.last", "x.end", "y.z.end"]);
        assert_eq!(weight.layout, Layout::OutputFirst);
        for unknown in ["a.l.w", "a.l.x.w", "a.l.1.w.b", "b.l.1.w"] {
            assert_eq!(names.listed(unknown), None);
        }
        for ignored in ["x.ids", "text.w", "scale"] {
            assert!(names.is_ignored(ignored));
        }
        for other in ["x.idx", "a.text.w", "scales"] {
            assert!(!names.is_ignored(other));
        }
    }
}
