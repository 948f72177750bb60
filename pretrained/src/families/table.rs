/// Defines the two enums of a table of families, the models and their configurations, and what is the same
/// for encoders and decoders; each call goes to the crate of the entry.
macro_rules! table {
    (
        $part:literal, $error:ident,
        $(#[$models_doc:meta])* $models:ident,
        $(#[$configs_doc:meta])* $configs:ident,
        $($(#[$doc:meta])* $name:ident: $config:ty => $model:ty;)*
    ) => {
        $(#[$models_doc])*
        #[derive(burn::module::Module, Debug)]
        #[allow(clippy::large_enum_variant)] // a model has only one value of it
        pub enum $models {
            $($(#[$doc])* $name($model)),*
        }

        $(#[$configs_doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $configs {
            $($(#[$doc])* $name($config)),*
        }

        $(
            impl From<$config> for $configs {
                fn from(config: $config) -> Self {
                    Self::$name(config)
                }
            }
        )*

        impl $configs {
            /// Reads the configuration of a supported family, and the keys that are not used here but saved again.
            pub(crate) fn read(
                model_type: crate::model_type::ModelType,
                json: &str,
            ) -> Result<(Self, serde_json::Map<String, serde_json::Value>), crate::ConfigError> {
                $(
                    if <$config as Family>::MODEL_TYPES.contains(&model_type.name.as_str()) {
                        let read = super::family::read::<$config>(json, crate::ConfigError::$error);
                        return read.map(|(config, kept)| (Self::$name(config), kept));
                    }
                )*
                Err(model_type.unsupported([$(<$config as Family>::MODEL_TYPES),*].concat()))
            }

            /// The configuration that is saved.
            pub(crate) fn write(
                &self,
                kept: &serde_json::Map<String, serde_json::Value>,
            ) -> serde_json::Map<String, serde_json::Value> {
                match self {
                    $(Self::$name(config) => super::family::written(config, kept)),*
                }
            }

            /// Creates the model with fresh weights, which are packed if there is a format.
            pub(crate) fn init(
                &self,
                format: Option<packed_linear::Format>,
                device: &burn::tensor::Device,
            ) -> $models {
                match self {
                    $(Self::$name(config) => $models::$name(Family::init(config, format, device))),*
                }
            }

            /// The names of its weights in a checkpoint of the whole model.
            pub(crate) fn weights(&self) -> [checkpoint::WeightGroup<'static>; 2] {
                match self {
                    $(Self::$name(config) => {
                        let module = concat!($part, ".", stringify!($name), ".");
                        super::family::groups(config, module, <$config as Family>::PREFIXES)
                    }),*
                }
            }

            /// The names of its weights in a checkpoint of its own.
            pub(crate) fn own_weights(&self) -> [checkpoint::WeightGroup<'static>; 2] {
                match self {
                    $(Self::$name(config) => {
                        let module = concat!(stringify!($name), ".");
                        super::family::groups(config, module, <$config as Family>::OWN_PREFIXES)
                    }),*
                }
            }

            /// Names in a checkpoint of the whole model that are not part of it.
            pub(crate) fn ignored(&self) -> &'static [&'static str] {
                match self {
                    $(Self::$name(_) => <$config as Family>::IGNORED),*
                }
            }

            /// Loads it from its own checkpoint, except for parameters that are missing there and, by their paths, may be.
            pub(crate) fn load(
                &self,
                model: $models,
                weights: &dyn checkpoint::TensorSource,
                may_be_missing: &dyn Fn(&str) -> bool,
            ) -> Result<$models, checkpoint::LoadError> {
                let names = checkpoint::WeightNames {
                    groups: &self.own_weights(),
                    ignored: match self {
                        $(Self::$name(_) => <$config as Family>::OWN_IGNORED),*
                    },
                };
                checkpoint::load_weights_except(model, weights, &names, may_be_missing)
            }

            /// Width of the hidden states: an encoder's output, or the memory that a decoder attends to.
            pub fn width(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.width()),*
                }
            }
        }
    };
}
pub(super) use table;
