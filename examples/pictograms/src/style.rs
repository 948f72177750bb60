/// A style of drawing: a set of icons of one artist.
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

    /// All styles that a model may be trained on.
    pub(crate) const OPEN: [Self; 10] = [
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

    /// The style that no model is trained on. Its licence is share-alike.
    pub(crate) const HELD_OUT: Self = Self::Openmoji;

    /// The folder of its npm package, and its name in a scene's description.
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
            Self::Openmoji => "openmoji",
        }
    }

    /// Whether it is drawn in one colour, that of the text around it.
    pub(crate) fn has_one_colour(self) -> bool {
        matches!(self, Self::EmojioneMonotone | Self::FluentEmojiHighContrast)
    }
}
