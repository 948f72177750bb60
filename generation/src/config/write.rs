//! Writes options as JSON that Python reads, which has NaN and infinity.

use super::EarlyStopping;

/// A value that can be written.
pub(super) trait Python {
    /// Appends the text of the value.
    fn write(&self, text: &mut String);
}

macro_rules! as_displayed {
    ($($type:ty),*) => {
        $(impl Python for $type {
            fn write(&self, text: &mut String) {
                text.push_str(&self.to_string());
            }
        })*
    };
}

as_displayed!(bool, u32, u64, i64, usize);

impl Python for f64 {
    fn write(&self, text: &mut String) {
        match self {
            _ if self.is_nan() => text.push_str("NaN"),
            _ if self.is_infinite() && *self > 0.0 => text.push_str("Infinity"),
            _ if self.is_infinite() => text.push_str("-Infinity"),
            // With a decimal point or an exponent: Python tells numbers with one from integers.
            _ => text.push_str(&format!("{self:?}")),
        }
    }
}

impl Python for String {
    fn write(&self, text: &mut String) {
        text.push_str(&serde_json::Value::from(self.as_str()).to_string());
    }
}

impl Python for EarlyStopping {
    fn write(&self, text: &mut String) {
        text.push_str(match self {
            Self::Heuristic => "false",
            Self::FirstFinished => "true",
            Self::Never => "\"never\"",
        });
    }
}

impl<T: Python> Python for Option<T> {
    fn write(&self, text: &mut String) {
        match self {
            Some(value) => value.write(text),
            None => text.push_str("null"),
        }
    }
}

impl<T: Python> Python for Vec<T> {
    fn write(&self, text: &mut String) {
        text.push('[');
        for (index, item) in self.iter().enumerate() {
            text.push_str(if index > 0 { ", " } else { "" });
            item.write(text);
        }
        text.push(']');
    }
}

impl<A: Python, B: Python> Python for (A, B) {
    fn write(&self, text: &mut String) {
        text.push('[');
        self.0.write(text);
        text.push_str(", ");
        self.1.write(text);
        text.push(']');
    }
}
