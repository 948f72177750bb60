//! Sets of icons that are not emoji: those whose name is a thing's English name are further drawings of the thing.

/// An Iconify set, or those of its icons whose names have a suffix.
pub(crate) struct Icons {
    /// The folder of its npm package.
    pub(crate) package: &'static str,
    /// What follows the thing's name in an icon's name. The first that there is counts.
    suffixes: &'static [&'static str],
    /// Whether it is drawn in one colour, that of the text around it.
    pub(crate) has_one_colour: bool,
}

const fn plain(package: &'static str, suffixes: &'static [&'static str]) -> Icons {
    Icons {
        package,
        suffixes,
        has_one_colour: true,
    }
}

const fn coloured(package: &'static str, suffixes: &'static [&'static str]) -> Icons {
    Icons {
        package,
        suffixes,
        has_one_colour: false,
    }
}

pub(crate) const ICONS: [Icons; 22] = [
    coloured("icon-park", &[""]),
    plain("icon-park-twotone", &[""]),
    coloured("streamline-flex-color", &["", "-1"]),
    coloured("streamline-plump-color", &["", "-1"]),
    coloured("streamline-cyber-color", &["", "-1"]),
    coloured("streamline-ultimate-color", &["", "-1"]),
    coloured("streamline-kameleon-color", &["", "-1"]),
    plain("game-icons", &[""]),
    plain("hugeicons", &["", "-01"]),
    plain("mdi", &[""]),
    plain("mdi", &["-outline"]),
    plain("tabler", &[""]),
    plain("ph", &[""]),
    plain("ph", &["-duotone"]),
    plain("lucide", &[""]),
    plain("lucide-lab", &[""]),
    plain("fa6-solid", &[""]),
    plain("carbon", &[""]),
    plain("iconoir", &[""]),
    plain("mingcute", &["-line"]),
    plain("solar", &["-bold-duotone"]),
    plain("fluent", &["-24-regular"]),
];

/// English names that mean another thing among icons: a mouse with a cable, a window on a screen.
const AMBIGUOUS: [&str; 27] = [
    "bat",
    "comet",
    "construction",
    "cooking",
    "crane",
    "cricket",
    "dagger",
    "fly",
    "fountain",
    "herb",
    "hook",
    "joker",
    "knot",
    "label",
    "memo",
    "mouse",
    "pick",
    "pie",
    "ram",
    "rock",
    "seal",
    "seat",
    "station",
    "thread",
    "window",
    "wood",
    "yarn",
];

impl Icons {
    /// What the icon of a thing may be called, given the thing's English name.
    pub(crate) fn names(&self, english: &str) -> Vec<String> {
        if AMBIGUOUS.contains(&english) {
            return Vec::new();
        }
        let name = english.to_lowercase().replace(' ', "-");
        let suffixes = self.suffixes.iter();
        suffixes.map(|suffix| format!("{name}{suffix}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_called_as_the_thing_unless_that_means_another() {
        let icons = coloured("some", &["", "-1"]);
        assert_eq!(icons.names("stop sign"), ["stop-sign", "stop-sign-1"]);
        assert!(icons.names("mouse").is_empty());
    }
}
