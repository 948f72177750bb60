use unicode_script::Script;

/// The scripts in which the language of this code is written today, in the country of the code; empty for codes that
/// are not in [`LANGUAGES`](super::LANGUAGES).
///
/// Chinese has Han alone. Korean has Han besides Hangul, for the names and headlines that still use it.
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
    use crate::text::LANGUAGES;

    #[test]
    fn every_language_has_a_script_that_is_not_in_every_shortlist() {
        for code in LANGUAGES.map(|language| language.code) {
            assert!(!scripts(code).is_empty(), "{code}");
            for script in scripts(code) {
                assert!(
                    ![Script::Common, Script::Inherited].contains(script),
                    "{code}"
                );
            }
        }
        assert!(scripts("en").is_empty());
    }
}
