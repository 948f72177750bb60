use packed_linear::PackedShape;

/// The current position of a visitor or a mapper in a module.
#[derive(Default)]
pub(crate) struct Place {
    path: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    pub(crate) fn enter(&mut self, name: &str, container_type: &str) {
        self.path.push(name.into());
        self.containers.push(container_type.into());
    }

    pub(crate) fn exit(&mut self) {
        self.path.pop();
        self.containers.pop();
    }

    /// Burn's path of the current parameter.
    pub(crate) fn path(&self) -> String {
        self.path.join(".")
    }

    /// If the current parameter holds the words of a packed weight: the path that the same weight has when
    /// it is not packed, and its packed shape, which is the name of its container.
    pub(crate) fn packed(&self) -> Option<(String, PackedShape)> {
        let (words, weight) = self.path.split_last()?;
        let shape = self.containers.last()?.parse().ok()?;
        (words == "words").then(|| (weight.join("."), shape))
    }
}
