use packed_linear::PackedShape;

use super::Layout;

/// Where a visitor or a mapper stands in a module.
#[derive(Default)]
pub(super) struct Place {
    path: Vec<String>,
    containers: Vec<String>,
}

/// The containers whose weights are `[input, output]`.
const LINEAR: &[&str] = &["Struct:Linear", "Struct:PackedLinear"];

impl Place {
    pub(super) fn enter(&mut self, name: &str, container_type: &str) {
        self.path.push(name.into());
        self.containers.push(container_type.into());
    }

    pub(super) fn exit(&mut self) {
        self.path.pop();
        self.containers.pop();
    }

    /// Burn's path of the parameter.
    pub(super) fn path(&self) -> String {
        self.path.join(".")
    }

    /// How Burn lays out a parameter of so many dimensions that stands here.
    pub(super) fn layout(&self, dimensions: usize) -> Layout {
        let container = self.containers.last();
        let is_linear = container.is_some_and(|name| LINEAR.contains(&name.as_str()));
        match is_linear && dimensions == 2 {
            true => Layout::OutputLast,
            false => Layout::OutputFirst,
        }
    }

    /// What a packed weight stands for, if the parameter that stands here is one: the path of the
    /// ordinary weight that would be in its place, and its shape.
    pub(super) fn packed(&self) -> Option<(String, PackedShape)> {
        let [owner @ .., packed, words] = self.path.as_slice() else {
            return None;
        };
        let is_packed = packed == "packed" && words == "words";
        let shape = self.containers.last()?.parse().ok().filter(|_| is_packed)?;
        Some((format!("{}.weight", owner.join(".")), shape))
    }
}
