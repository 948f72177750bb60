use report::{OutputError, Program};
use serde_json::Value;

/// Prints the values of an object, as they are or, without `json`, a line for each, with this many digits after the point.
///
/// # Errors
/// [`OutputError`] if the standard output can't be written.
pub fn print_figures(
    program: &Program,
    values: &Value,
    json: bool,
    digits: usize,
) -> Result<(), OutputError> {
    if json {
        return program.json(values);
    }
    for (name, value) in values.as_object().into_iter().flatten() {
        match value.as_f64().filter(|_| value.is_f64()) {
            Some(number) => program.line(format_args!("{name:24}{number:.digits$}"))?,
            None => {
                let value = value.to_string();
                program.line(format_args!("{name:24}{}", value.trim_matches('"')))?;
            }
        }
    }
    Ok(())
}

/// The value in the middle; of two, the larger. NaN if there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
