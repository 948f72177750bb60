//! Text that is sent as it grows.

/// What was sent of a text that is only ever added to.
#[derive(Default)]
pub(crate) struct Growth {
    sent: usize,
}

impl Growth {
    /// The new part of a text, if there is any.
    pub(crate) fn add(&mut self, text: &str) -> Option<String> {
        let new = text.get(self.sent..).filter(|new| !new.is_empty())?;
        self.sent = text.len();
        Some(new.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_are_the_text() {
        let mut growth = Growth::default();
        let parts = ["", "a", "a", "a dög", "a dög."].map(|text| growth.add(text));
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        assert_eq!(parts, ["a", " dög", "."]);
    }
}
