//! What the tests of decoders share: a family says how its decoder is made, and [`decoder_tests!`](crate::decoder_tests)
//! compares it with a reference folder and tests its states.

mod attention;
mod packed;
mod reference;
mod searches;
mod states;
mod teaching;

pub use attention::{recorded_weights_sum_to_one, recording_by_token_equals_recording_at_once};
pub use packed::packed_weights_compute_nearly_the_same;
pub use reference::{Family, Reference, WeightTables};
pub use searches::searches_are_those_of_the_reference;
pub use states::{
    joined_rows_are_decoded_as_alone, padding_is_not_attended_to, selected_rows_keep_their_history,
    steps_equal_the_whole_text,
};
pub use teaching::{
    every_parameter_has_a_gradient, logits_are_those_of_the_reference,
    shortlisted_logits_are_columns_of_all,
};

/// Defines the tests of a module for a [`Family`] and a reference folder, whose path begins at the package.
#[macro_export]
macro_rules! decoder_tests {
    ($family:ty, $folder:literal) => {
        fn reference() -> Option<$crate::Reference> {
            $crate::Reference::open(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder))
        }

        $crate::decoder_tests!(
            @each $family,
            logits_are_those_of_the_reference
            searches_are_those_of_the_reference
            steps_equal_the_whole_text
            selected_rows_keep_their_history
            joined_rows_are_decoded_as_alone
            padding_is_not_attended_to
            recorded_weights_sum_to_one
            recording_by_token_equals_recording_at_once
            shortlisted_logits_are_columns_of_all
            packed_weights_compute_nearly_the_same
            every_parameter_has_a_gradient
        );
    };
    (@each $family:ty, $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                if let Some(reference) = reference() {
                    $crate::$test::<$family>(&reference);
                }
            }
        )*
    };
}
