use std::fmt::Write;

use ::report::{OutputError, Program};
use pretrained::LoadNotice;
use serde::Serialize;

/// One line of the report: what was compared, and the result.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    what: String,
    /// The largest absolute difference; `None` where results have to be equal.
    difference: Option<f64>,
    tolerance: Option<f64>,
    /// How many cases are equal, or within the tolerance.
    equal: usize,
    cases: usize,
    status: Status,
    /// Why the comparison was not run, or what differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Differs,
    NotRun,
}

/// The result of all comparisons together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All comparisons hold.
    Holds,
    /// At least one differs.
    Differs,
    /// No comparison differs, but some could not be run.
    Incomplete,
}

/// Prints comparisons as they are made and counts their results.
pub(crate) struct Report<'p> {
    program: &'p Program,
    json: bool,
    differs: usize,
    not_run: usize,
    ok: usize,
}

impl Comparison {
    /// Compares values. They differ if two are further apart than the tolerance, if one is NaN, or if there
    /// are not equally many.
    pub(crate) fn of_values(
        what: impl Into<String>,
        found: &[f32],
        expected: &[f32],
        tolerance: f64,
    ) -> Self {
        let difference = largest_difference(found, expected);
        Self::of_cases(what, usize::from(difference <= tolerance), 1)
            .with_difference(difference, tolerance)
    }

    /// Counts equal cases. A comparison without cases shows nothing, so it counts as not run.
    pub(crate) fn of_cases(what: impl Into<String>, equal: usize, cases: usize) -> Self {
        if cases == 0 {
            return Self::not_run(what, 0, "the reference has no cases");
        }
        Self {
            what: what.into(),
            difference: None,
            tolerance: None,
            equal,
            cases,
            status: if equal == cases {
                Status::Ok
            } else {
                Status::Differs
            },
            reason: None,
        }
    }

    /// Adds the largest difference of all cases.
    pub(crate) fn with_difference(mut self, difference: f64, tolerance: f64) -> Self {
        self.difference = Some(difference);
        self.tolerance = Some(tolerance);
        if difference.is_nan() || difference > tolerance {
            self.status = Status::Differs;
        }
        self
    }

    /// Says what differs.
    pub(crate) fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// A readable line.
    fn text(&self) -> String {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Differs => "DIFFERS",
            Status::NotRun => "not run",
        };
        let mut text = format!("{status:8}{}", self.what);
        // Writing to a string can't fail.
        if let (Some(difference), Some(tolerance)) = (self.difference, self.tolerance) {
            let _ = write!(
                text,
                "  |difference| {difference:.1e}, tolerance {tolerance:.1e}"
            );
        }
        if self.status != Status::NotRun {
            let _ = write!(text, "  {}/{} equal", self.equal, self.cases);
        }
        if let Some(reason) = &self.reason {
            let _ = write!(text, "  ({reason})");
        }
        text
    }

    /// A comparison that can't be made.
    pub(crate) fn not_run(
        what: impl Into<String>,
        cases: usize,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            difference: None,
            tolerance: None,
            equal: 0,
            cases,
            status: Status::NotRun,
            reason: Some(reason.into()),
        }
    }
}

/// The largest absolute difference; infinite if the lengths differ or a value is NaN.
pub(crate) fn largest_difference(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| {
            let difference = (f64::from(*a) - f64::from(*b)).abs();
            match a == b {
                true => 0.0, // also equal infinities
                false if difference.is_nan() => f64::INFINITY,
                false => difference,
            }
        })
        .fold(0.0, f64::max)
}

impl<'p> Report<'p> {
    /// Prints readable lines, or a JSON object per line.
    pub(crate) fn new(program: &'p Program, json: bool) -> Self {
        Self {
            program,
            json,
            differs: 0,
            not_run: 0,
            ok: 0,
        }
    }

    /// Tells what was unusual about the checkpoint.
    pub(crate) fn notice(&self, notice: &LoadNotice) {
        self.program.message(notice);
    }

    /// Prints a comparison and counts it.
    pub(crate) fn add(&mut self, comparison: Comparison) -> Result<(), OutputError> {
        match comparison.status {
            Status::Ok => self.ok += 1,
            Status::Differs => self.differs += 1,
            Status::NotRun => self.not_run += 1,
        }
        match self.json {
            true => self.program.json(&comparison),
            false => self.program.line(comparison.text()),
        }
    }

    /// Prints the totals, unless the report is JSON, and returns the result. A report without a comparison
    /// that holds is incomplete.
    pub(crate) fn finish(self) -> Result<Outcome, OutputError> {
        if !self.json {
            self.program.line(format_args!(
                "{} comparisons hold, {} differ, {} not run",
                self.ok, self.differs, self.not_run
            ))?;
        }
        Ok(match (self.differs, self.not_run, self.ok) {
            (0, 0, 1..) => Outcome::Holds,
            (0, _, _) => Outcome::Incomplete,
            _ => Outcome::Differs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_missing_values_differ() {
        assert_eq!(largest_difference(&[1.0, 2.0], &[1.0, 2.5]), 0.5);
        assert_eq!(
            largest_difference(&[f32::NEG_INFINITY], &[f32::NEG_INFINITY]),
            0.0
        );
        for (found, expected) in [
            (&[f32::NAN][..], &[1.0][..]),
            (&[1.0], &[f32::NAN]),
            (&[1.0], &[f32::INFINITY]),
            (&[1.0], &[]),
        ] {
            assert_eq!(largest_difference(found, expected), f64::INFINITY);
        }
    }
}
