/// Why a model's configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not JSON, or a value has the wrong type.
    #[error("not a model configuration")]
    Json(#[from] serde_json::Error),
    /// A size is out of range.
    #[error("{name} is {value}, expected {least} to {most}")]
    Size {
        /// The key.
        name: &'static str,
        /// Its value.
        value: usize,
        /// The smallest value that is accepted.
        least: usize,
        /// The largest value that is accepted.
        most: usize,
    },
    /// A size does not divide another.
    #[error("{name} {value} is not a multiple of {divisor_name} {divisor}")]
    NotAMultiple {
        /// The key of the size that should be a multiple.
        name: &'static str,
        /// Its value.
        value: usize,
        /// The key of the divisor.
        divisor_name: &'static str,
        /// The value of the divisor.
        divisor: usize,
    },
    /// A size is larger than another that limits it.
    #[error("{name} {value} is larger than {limit_name} {limit}")]
    LargerThan {
        /// The key of the size that is too large.
        name: &'static str,
        /// Its value.
        value: usize,
        /// The key of the limit.
        limit_name: &'static str,
        /// The value of the limit.
        limit: usize,
    },
    /// A rate is not a probability below 1.
    #[error("{name} is {value}, expected 0 to below 1")]
    Rate {
        /// The key.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// An option has a value that is not supported.
    #[error("{name} is {value}, which is not supported: {reason}")]
    Unsupported {
        /// The key.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why, in words.
        reason: &'static str,
    },
}

impl ConfigError {
    /// Checks that a size is between two others, both included.
    ///
    /// # Errors
    /// [`ConfigError::Size`] if it is not.
    pub fn check_size(
        name: &'static str,
        value: usize,
        least: usize,
        most: usize,
    ) -> Result<(), Self> {
        match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(Self::Size {
                name,
                value,
                least,
                most,
            }),
        }
    }

    /// Checks that a size is a multiple of another, such as a width of the number of heads. Each
    /// comes with its key.
    ///
    /// # Errors
    /// [`ConfigError::NotAMultiple`] if it is not.
    pub fn check_multiple(
        (name, value): (&'static str, usize),
        (divisor_name, divisor): (&'static str, usize),
    ) -> Result<(), Self> {
        match value.is_multiple_of(divisor) {
            true => Ok(()),
            false => Err(Self::NotAMultiple {
                name,
                value,
                divisor_name,
                divisor,
            }),
        }
    }

    /// Checks a dropout rate.
    ///
    /// # Errors
    /// [`ConfigError::Rate`] unless it is 0 or above, and below 1.
    pub fn check_rate(name: &'static str, value: f64) -> Result<(), Self> {
        match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Self::Rate { name, value }),
        }
    }

    /// Checks the epsilon of layer norms.
    ///
    /// # Errors
    /// [`ConfigError::Unsupported`] unless it is a number of at least 0.
    pub fn check_epsilon(name: &'static str, value: f64) -> Result<(), Self> {
        match value >= 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Self::Unsupported {
                name,
                value: value.to_string(),
                reason: "the epsilon of layer norms is a number of at least 0",
            }),
        }
    }
}
