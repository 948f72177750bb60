/// A language of captions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
    German,
    Spanish,
}

/// The colour of a scene's background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    /// Red, green, blue.
    pub(crate) rgb: [u8; 3],
    /// In the order of [`Language::ALL`], as the captions need it.
    names: [&'static str; Language::ALL.len()],
}

/// The backgrounds of scenes.
#[rustfmt::skip]
pub(crate) const COLOURS: [Colour; 7] = [
    Colour { rgb: [255, 255, 255], names: ["white", "blanc", "weißem", "blanco"] },
    Colour { rgb: [24, 24, 24], names: ["black", "noir", "schwarzem", "negro"] },
    Colour { rgb: [214, 48, 49], names: ["red", "rouge", "rotem", "rojo"] },
    Colour { rgb: [52, 101, 210], names: ["blue", "bleu", "blauem", "azul"] },
    Colour { rgb: [46, 150, 80], names: ["green", "vert", "grünem", "verde"] },
    Colour { rgb: [250, 205, 60], names: ["yellow", "jaune", "gelbem", "amarillo"] },
    Colour { rgb: [150, 150, 150], names: ["grey", "gris", "grauem", "gris"] },
];

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::English, Self::French, Self::German, Self::Spanish];

    /// Its ISO 639-1 code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
            Self::Spanish => "es",
        }
    }

    /// The caption of a scene that shows these things on this background.
    pub(crate) fn caption(self, things: &[&[String; Self::ALL.len()]], colour: Colour) -> String {
        let names: Vec<&str> = things
            .iter()
            .map(|names| names[self as usize].as_str())
            .collect();
        let and = match self {
            Self::English => "and",
            Self::French => "et",
            Self::German => "und",
            Self::Spanish if begins_with_i(names.last().copied().unwrap_or_default()) => "e",
            Self::Spanish => "y",
        };
        let things = names.join(&format!(" {and} "));
        let colour = colour.names[self as usize];
        match self {
            Self::English => format!("{things} on a {colour} background"),
            Self::French => format!("{things} sur fond {colour}"),
            Self::German => format!("{things} auf {colour} Hintergrund"),
            Self::Spanish => format!("{things} sobre fondo {colour}"),
        }
    }
}

impl Colour {
    /// Its English name.
    pub(crate) fn name(self) -> &'static str {
        self.names[Language::English as usize]
    }
}

/// Whether a Spanish word begins with the sound of `i`, before which `y` becomes `e`.
fn begins_with_i(word: &str) -> bool {
    let word = word.to_lowercase();
    let word = word.trim_start_matches(['¡', '¿']);
    (word.starts_with('i') || word.starts_with("hi") || word.starts_with('í'))
        && !word.starts_with("hie")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: [&str; 4]) -> [String; 4] {
        names.map(str::to_owned)
    }

    #[test]
    fn captions_are_sentences_of_their_language() {
        let camera = names(["camera", "appareil photo", "Fotoapparat", "cámara de fotos"]);
        let [red, blue] = [COLOURS[2], COLOURS[3]];
        let caption = |language: Language| language.caption(&[&camera], red);
        assert_eq!(caption(Language::English), "camera on a red background");
        assert_eq!(caption(Language::French), "appareil photo sur fond rouge");
        assert_eq!(
            caption(Language::German),
            "Fotoapparat auf rotem Hintergrund"
        );
        assert_eq!(
            caption(Language::Spanish),
            "cámara de fotos sobre fondo rojo"
        );

        let bee = names(["bee", "abeille", "Biene", "abeja"]);
        let church = names(["church", "église", "Kirche", "iglesia"]);
        let caption = |language: Language| language.caption(&[&bee, &church], blue);
        assert_eq!(
            caption(Language::English),
            "bee and church on a blue background"
        );
        assert_eq!(caption(Language::French), "abeille et église sur fond bleu");
        assert_eq!(
            caption(Language::German),
            "Biene und Kirche auf blauem Hintergrund"
        );
        assert_eq!(
            caption(Language::Spanish),
            "abeja e iglesia sobre fondo azul"
        );
    }

    #[test]
    fn only_the_sound_of_i_changes_the_spanish_and() {
        assert!(begins_with_i("Hilo"));
        assert!(!begins_with_i("hielo"));
        assert!(!begins_with_i("árbol"));
    }
}
