use unicode_script::{Script, UnicodeScript};

use super::Language;

impl Language {
    /// Whether a character is of a script in which the language is written today. `None` for characters that all scripts
    /// share, such as digits, and for languages whose scripts are not known.
    ///
    /// ```
    /// let russian = preprocess::text::language("ru").unwrap();
    /// assert_eq!(russian.is_written_with('ж'), Some(true));
    /// assert_eq!(russian.is_written_with('w'), Some(false));
    /// assert_eq!(russian.is_written_with('7'), None);
    /// ```
    pub fn is_written_with(self, character: char) -> Option<bool> {
        let scripts = scripts(self.code)?;
        match character.script() {
            Script::Common | Script::Inherited | Script::Unknown => None,
            script => Some(scripts.contains(&script)),
        }
    }
}

/// The scripts in which the language of this code is written today, in the country of the code; `None` for codes that
/// are not in [`LANGUAGES`](super::LANGUAGES) or [`MORE_LANGUAGES`](super::MORE_LANGUAGES).
///
/// Chinese has Han alone. Korean has Han besides Hangul, for the names and headlines that still use it.
pub(super) fn scripts(code: &str) -> Option<&'static [Script]> {
    use Script::*;
    let scripts: &[Script] = match code {
        "ar_AR" | "ckb_IQ" | "fa_IR" | "ks_IN" | "ps_AF" | "sd_PK" | "ug_CN" | "ur_PK" => &[Arabic],
        "hy_AM" => &[Armenian],
        "as_IN" | "bn_IN" => &[Bengali],
        "iu_CA" => &[Canadian_Aboriginal],
        "ab_GE" | "av_RU" | "ba_RU" | "be_BY" | "bg_BG" | "ce_RU" | "cv_RU" | "kk_KZ" | "kv_RU"
        | "ky_KG" | "mk_MK" | "mn_MN" | "os_GE" | "ru_RU" | "tg_TJ" | "tt_RU" | "uk_UA" => {
            &[Cyrillic]
        }
        "sr_RS" => &[Cyrillic, Latin],
        "bho_IN" | "hi_IN" | "hne_IN" | "mag_IN" | "mai_IN" | "mr_IN" | "ne_NP" | "sa_IN" => {
            &[Devanagari]
        }
        "am_ET" | "ti_ER" => &[Ethiopic],
        "ka_GE" => &[Georgian],
        "el_GR" => &[Greek],
        "gu_IN" => &[Gujarati],
        "pa_IN" => &[Gurmukhi],
        "yue_HK" | "zh_CN" => &[Han],
        "ko_KR" => &[Hangul, Han],
        "he_IL" | "yi_XX" => &[Hebrew],
        "ja_XX" => &[Hiragana, Katakana, Han],
        "kn_IN" => &[Kannada],
        "km_KH" => &[Khmer],
        "lo_LA" => &[Lao],
        "aa_ET" | "af_ZA" | "ak_GH" | "an_ES" | "ast_ES" | "ay_BO" | "az_AZ" | "ban_ID"
        | "bem_ZM" | "bm_ML" | "br_FR" | "bs_BA" | "ca_ES" | "ceb_PH" | "ch_GU" | "co_FR"
        | "crh_UA" | "cs_CZ" | "cy_GB" | "da_DK" | "de_DE" | "ee_GH" | "en_XX" | "eo_XX"
        | "es_XX" | "et_EE" | "eu_ES" | "ff_SN" | "fi_FI" | "fil_PH" | "fj_FJ" | "fo_FO"
        | "fon_BJ" | "fr_XX" | "fur_IT" | "fy_NL" | "ga_IE" | "gd_GB" | "gl_ES" | "gn_PY"
        | "gv_IM" | "ha_NG" | "haw_US" | "hr_HR" | "hsb_DE" | "ht_HT" | "hu_HU" | "ia_XX"
        | "id_ID" | "ig_NG" | "ilo_PH" | "io_XX" | "is_IS" | "it_IT" | "jv_ID" | "kab_DZ"
        | "ki_KE" | "kl_GL" | "ku_TR" | "kw_GB" | "la_VA" | "lb_LU" | "lg_UG" | "li_NL"
        | "lij_IT" | "lmo_IT" | "ln_CD" | "lt_LT" | "luo_KE" | "lv_LV" | "mg_MG" | "mi_NZ"
        | "min_ID" | "ms_MY" | "mt_MT" | "nah_MX" | "nb_NO" | "nl_XX" | "nn_NO" | "no_NO"
        | "nso_ZA" | "nv_US" | "ny_MW" | "oc_FR" | "om_ET" | "pap_CW" | "pl_PL" | "pt_XX"
        | "qu_PE" | "rm_CH" | "rn_BI" | "ro_RO" | "rw_RW" | "sc_IT" | "scn_IT" | "se_NO"
        | "sg_CF" | "sk_SK" | "sl_SI" | "sm_WS" | "sn_ZW" | "so_SO" | "sq_AL" | "ss_ZA"
        | "st_ZA" | "su_ID" | "sv_SE" | "sw_KE" | "szl_PL" | "tk_TM" | "tl_XX" | "tn_ZA"
        | "to_TO" | "tpi_PG" | "tr_TR" | "ts_ZA" | "ty_PF" | "uz_UZ" | "ve_ZA" | "vec_IT"
        | "vi_VN" | "war_PH" | "wo_SN" | "xh_ZA" | "yo_NG" | "za_CN" | "zu_ZA" => &[Latin],
        "ml_IN" => &[Malayalam],
        "my_MM" | "shn_MM" => &[Myanmar],
        "sat_IN" => &[Ol_Chiki],
        "or_IN" => &[Oriya],
        "si_LK" => &[Sinhala],
        "ta_IN" => &[Tamil],
        "te_IN" => &[Telugu],
        "dv_MV" => &[Thaana],
        "th_TH" => &[Thai],
        "bo_CN" | "dz_BT" => &[Tibetan],
        "tzm_MA" => &[Tifinagh],
        _ => return None,
    };
    Some(scripts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{LANGUAGES, MORE_LANGUAGES};

    #[test]
    fn every_language_has_a_script_that_is_not_in_every_shortlist() {
        let languages = LANGUAGES.iter().chain(MORE_LANGUAGES);
        for code in languages.map(|language| language.code) {
            let scripts = scripts(code).unwrap();
            assert!(!scripts.is_empty(), "{code}");
            for script in scripts {
                assert!(
                    ![Script::Common, Script::Inherited].contains(script),
                    "{code}"
                );
            }
        }
        assert_eq!(scripts("en"), None);
    }
}
