use crate::icons::ICONS;

/// A style of drawing: a set of drawings by one artist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Style {
    Noto,
    NotoV1,
    Twemoji,
    FluentEmojiFlat,
    FluentEmoji,
    Emojione,
    Fxemoji,
    StreamlineEmojis,
    EmojioneMonotone,
    FluentEmojiHighContrast,
    /// The line drawings of the font Noto Emoji, in thin and in thick lines.
    NotoEmojiLight,
    NotoEmojiBold,
    /// The set of this place in [`ICONS`].
    Icons(usize),
    Openmoji,
}

impl Style {
    /// The styles that the reference was trained on.
    pub(crate) const SEEN: [Self; 6] = [
        Self::Noto,
        Self::NotoV1,
        Self::Twemoji,
        Self::FluentEmojiFlat,
        Self::FluentEmoji,
        Self::Emojione,
    ];

    /// The coloured and the plain emoji that a model may be trained on.
    pub(crate) const MORE: [Self; 10] = [
        Self::Noto,
        Self::NotoV1,
        Self::Twemoji,
        Self::FluentEmojiFlat,
        Self::FluentEmoji,
        Self::Emojione,
        Self::Fxemoji,
        Self::StreamlineEmojis,
        Self::EmojioneMonotone,
        Self::FluentEmojiHighContrast,
    ];

    /// The font of line drawings in each weight.
    pub(crate) const FONTS: [Self; 2] = [Self::NotoEmojiLight, Self::NotoEmojiBold];

    /// All styles that a model may be trained on.
    pub(crate) fn open() -> Vec<Self> {
        let icons = (0..ICONS.len()).map(Self::Icons);
        Self::MORE
            .into_iter()
            .chain(Self::FONTS)
            .chain(icons)
            .collect()
    }

    /// The style that no model is trained on. Its licence is share-alike.
    pub(crate) const HELD_OUT: Self = Self::Openmoji;

    /// Its name in a scene's description. That of a set of emoji is also the folder of its npm package.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Noto => "noto",
            Self::NotoV1 => "noto-v1",
            Self::Twemoji => "twemoji",
            Self::FluentEmojiFlat => "fluent-emoji-flat",
            Self::FluentEmoji => "fluent-emoji",
            Self::Emojione => "emojione",
            Self::Fxemoji => "fxemoji",
            Self::StreamlineEmojis => "streamline-emojis",
            Self::EmojioneMonotone => "emojione-monotone",
            Self::FluentEmojiHighContrast => "fluent-emoji-high-contrast",
            Self::NotoEmojiLight => "noto-emoji-light",
            Self::NotoEmojiBold => "noto-emoji-bold",
            Self::Icons(place) => ICONS[place].package,
            Self::Openmoji => "openmoji",
        }
    }

    /// Whether it is drawn in one colour, that of the text around it.
    pub(crate) fn has_one_colour(self) -> bool {
        match self {
            Self::Icons(place) => ICONS[place].has_one_colour,
            Self::EmojioneMonotone
            | Self::FluentEmojiHighContrast
            | Self::NotoEmojiLight
            | Self::NotoEmojiBold => true,
            _ => false,
        }
    }

    /// Whether its drawings are of lines around empty shapes.
    pub(crate) fn is_line_art(self) -> bool {
        let is_silhouette = matches!(self, Self::EmojioneMonotone | Self::FluentEmojiHighContrast);
        self.has_one_colour() && !is_silhouette
    }

    /// Whether its colours say nothing of the thing: all that it draws is blue, say.
    pub(crate) fn has_arbitrary_colours(self) -> bool {
        matches!(self, Self::Icons(_))
    }
}
