//! What the tests of models share. A family says how its decoder is made, and [`decoder_tests!`](crate::decoder_tests)
//! compares it with a reference folder and tests its states; [`state_tests!`](crate::state_tests) needs no reference. An
//! encoder's [`EncoderFamily`] is compared with a folder by [`states_are_those_of_the_reference`].

mod attention;
mod encoders;
mod joining;
mod packed;
mod reference;
mod searches;
pub mod small;
mod states;
mod step_by_step;
mod teaching;

pub use attention::{recorded_weights_sum_to_one, recording_by_token_equals_recording_at_once};
pub use encoders::{EncoderFamily, states_are_those_of_the_reference};
pub use joining::{
    joined_rows_are_decoded_as_in_a_state_of_their_own, rows_of_different_cohorts_keep_their_order,
    states_that_record_attention_cannot_be_joined,
};
pub use packed::packed_weights_compute_nearly_the_same;
pub use reference::{Family, Reference, WeightTables, relative_difference};
pub use searches::searches_are_those_of_the_reference;
pub use states::{
    joined_rows_are_decoded_as_alone, padding_is_not_attended_to, selected_rows_keep_their_history,
    steps_equal_the_whole_text,
};
pub use step_by_step::{
    every_walk_through_a_text_equals_the_whole_text, padded_memory_equals_shorter_memory,
    padded_rows_equal_shorter_rows, selected_rows_continue_as_fresh_rows_with_their_history,
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

/// Defines tests of the states of a decoder that has random weights and the sizes of [`small`]: `$decoder` makes it on a
/// device.
#[macro_export]
macro_rules! state_tests {
    ($decoder:expr) => {
        $crate::state_tests!(
            @each $decoder,
            every_walk_through_a_text_equals_the_whole_text
            selected_rows_continue_as_fresh_rows_with_their_history
            padded_rows_equal_shorter_rows
            padded_memory_equals_shorter_memory
            joined_rows_are_decoded_as_in_a_state_of_their_own
            states_that_record_attention_cannot_be_joined
        );

        #[test]
        #[should_panic(expected = "comes behind one of a later cohort")]
        fn rows_of_different_cohorts_keep_their_order() {
            $crate::rows_of_different_cohorts_keep_their_order($decoder);
        }
    };
    (@each $decoder:expr, $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                $crate::$test($decoder);
            }
        )*
    };
}
