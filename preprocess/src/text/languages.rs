use unicode_script::Script;

/// mBART-50's language codes in the order of their token ids: the 25 of mBART first, then those added for mBART-50.
///
/// Published by fairseq and as `FAIRSEQ_LANGUAGE_CODES` in Hugging Face's `tokenization_mbart50.py`.
#[rustfmt::skip]
pub const LANGUAGE_CODES: [&str; 52] = [
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX", "kk_KZ",
    "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
    "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN",
    "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES",
    "sl_SI",
];

/// The scripts in which a language of [`LANGUAGE_CODES`] is written today, in the country of its code; none for other
/// codes.
///
/// Chinese is Han alone, and Korean has Han beside Hangul for the names and headlines that still use it.
pub(super) fn scripts(code: &str) -> &'static [Script] {
    use Script::*;
    match code {
        "ar_AR" | "fa_IR" | "ps_AF" | "ur_PK" => &[Arabic],
        "bn_IN" => &[Bengali],
        "kk_KZ" | "mk_MK" | "mn_MN" | "ru_RU" | "uk_UA" => &[Cyrillic],
        "hi_IN" | "mr_IN" | "ne_NP" => &[Devanagari],
        "ka_GE" => &[Georgian],
        "gu_IN" => &[Gujarati],
        "zh_CN" => &[Han],
        "ko_KR" => &[Hangul, Han],
        "he_IL" => &[Hebrew],
        "ja_XX" => &[Hiragana, Katakana, Han],
        "km_KH" => &[Khmer],
        "af_ZA" | "az_AZ" | "cs_CZ" | "de_DE" | "en_XX" | "es_XX" | "et_EE" | "fi_FI" | "fr_XX"
        | "gl_ES" | "hr_HR" | "id_ID" | "it_IT" | "lt_LT" | "lv_LV" | "nl_XX" | "pl_PL"
        | "pt_XX" | "ro_RO" | "sl_SI" | "sv_SE" | "sw_KE" | "tl_XX" | "tr_TR" | "vi_VN"
        | "xh_ZA" => &[Latin],
        "ml_IN" => &[Malayalam],
        "my_MM" => &[Myanmar],
        "si_LK" => &[Sinhala],
        "ta_IN" => &[Tamil],
        "te_IN" => &[Telugu],
        "th_TH" => &[Thai],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_scripts_of_its_own() {
        for code in LANGUAGE_CODES {
            assert!(!scripts(code).is_empty(), "{code}");
            for script in scripts(code) {
                // These are in every shortlist anyway.
                assert!(
                    ![Script::Common, Script::Inherited].contains(script),
                    "{code}"
                );
            }
        }
        assert!(scripts("en").is_empty());
    }
}
