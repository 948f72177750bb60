use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// Parameters that are trained differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParameterGroup {
    /// Patterns of parameters' names in the checkpoint. A `*` matches any text: `encoder.*`, `*.bias`. Every
    /// pattern has to match a parameter.
    pub parameters: Vec<String>,
    /// The highest learning rate, in place of the configuration's.
    pub learning_rate: Option<f64>,
    /// The weight decay, in place of the configuration's.
    pub weight_decay: Option<f64>,
    /// Whether they are left as they are. They then take no part in the norm of the gradients.
    pub freeze: bool,
}

/// How one parameter is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterPlan {
    /// Its name in the checkpoint.
    pub name: String,
    /// Its shape, as Burn keeps it.
    pub shape: Vec<usize>,
    /// The highest learning rate; `None` if the parameter is frozen.
    pub learning_rate: Option<f64>,
    /// The weight decay.
    pub weight_decay: f64,
}

/// The values for parameters that no group says anything about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    /// Whether parameters of one dimension are not decayed.
    pub(crate) spare_norms_and_biases: bool,
}

/// How each parameter is trained, by Burn's paths. Later groups have precedence over earlier ones.
///
/// # Errors
/// [`TrainingError::UnmatchedPattern`] if a pattern matches no parameter, which is a mistake in it.
pub(crate) fn plan(
    parameters: BTreeMap<String, (String, Vec<usize>)>,
    groups: &[ParameterGroup],
    defaults: Defaults,
) -> Result<BTreeMap<String, ParameterPlan>, TrainingError> {
    for pattern in groups.iter().flat_map(|group| &group.parameters) {
        if !parameters.values().any(|(name, _)| matches(pattern, name)) {
            return Err(TrainingError::UnmatchedPattern {
                pattern: pattern.clone(),
                example: parameters
                    .values()
                    .next()
                    .map_or_else(String::new, |(name, _)| name.clone()),
            });
        }
    }
    let plan = |(path, (name, shape)): (String, (String, Vec<usize>))| {
        let is_spared = defaults.spare_norms_and_biases && shape.len() < 2;
        let mut plan = ParameterPlan {
            learning_rate: Some(defaults.learning_rate),
            weight_decay: if is_spared {
                0.0
            } else {
                defaults.weight_decay
            },
            name,
            shape,
        };
        for group in groups {
            if !group
                .parameters
                .iter()
                .any(|pattern| matches(pattern, &plan.name))
            {
                continue;
            }
            if let Some(rate) = group.learning_rate {
                plan.learning_rate = Some(rate);
            }
            if let Some(decay) = group.weight_decay {
                plan.weight_decay = decay;
            }
            if group.freeze {
                plan.learning_rate = None;
            }
        }
        (path, plan)
    };
    Ok(parameters.into_iter().map(plan).collect())
}

/// Whether a text matches a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let ends = text.char_indices().map(|(place, _)| place);
    ends.chain([text.len()])
        .any(|place| matches(rest, &text[place..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text() {
        for (pattern, text) in [
            ("encoder.*", "encoder.layers.0.bias"),
            ("*.bias", "encoder.layers.0.bias"),
            ("*layer*norm*.weight", "decoder.layer_norm.weight"),
            ("head", "head"),
            ("*", ""),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("encoder.*", "decoder.encoder.x"),
            ("*.bias", "bias"),
            ("head", "head.weight"),
            ("a*b", "abc"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn later_groups_have_precedence_and_unused_patterns_are_errors() {
        let names = [("e.w", vec![2, 3]), ("e.b", vec![3]), ("d.w", vec![3, 3])];
        let parameters: BTreeMap<_, _> = names
            .into_iter()
            .map(|(name, shape)| (name.to_uppercase(), (name.to_owned(), shape)))
            .collect();
        let group = |pattern: &str| ParameterGroup {
            parameters: vec![pattern.into()],
            ..ParameterGroup::default()
        };
        let defaults = Defaults {
            learning_rate: 1.0,
            weight_decay: 0.1,
            spare_norms_and_biases: true,
        };
        let groups = [
            ParameterGroup {
                learning_rate: Some(0.5),
                ..group("e.*")
            },
            ParameterGroup {
                freeze: true,
                ..group("*.w")
            },
        ];
        let plan_of = |groups: &[ParameterGroup]| plan(parameters.clone(), groups, defaults);
        let found = plan_of(&groups).unwrap();
        assert_eq!(found["E.W"].learning_rate, None);
        assert_eq!(found["E.B"].learning_rate, Some(0.5));
        assert_eq!(found["E.B"].weight_decay, 0.0);
        assert_eq!(found["D.W"].weight_decay, 0.1);
        let error = plan_of(&[group("encoder.*")]).unwrap_err().to_string();
        assert!(
            error.contains("encoder.*") && error.contains("d.w"),
            "{error}"
        );
    }
}
