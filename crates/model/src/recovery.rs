//! Which alert a recovery ends that has neither its key nor its words: `Load is above 16` and `Load is back below 16`,
//! `PROBLÈME : disque plein` and `RÉTABLI : disque plein`, `replica is not running` and `replica is running`.
//!
//! What a title says of its state can stand anywhere in it, and no list knows all words for what is wrong. So it is asked
//! the other way round, of a recovery whose words nobody ever fired: does it differ from the alert in one place only, and
//! does it say there, and nothing else, that all is well? A name in that place is another thing, and ends nothing.

use crate::{
    Text,
    condition::{moves, strip_status_prefix, without_marks},
    mask,
    phrase::{LASTED, LINKS, ended_by, is_filler, is_one_of},
};

/// Words for what is well again, beside those that end a word of ours; also of the languages that common tools ship.
const WELL: [&str; 53] = [
    "normal",
    "nominal",
    "green",
    "good",
    "stable",
    "below",
    "within",
    "exists",
    "present",
    "running",
    "started",
    "alive",
    "established",
    "synced",
    "success",
    "successful",
    "succeeds",
    "completed",
    "resolved",
    "cleared",
    "closed",
    "fixed",
    "recovery",
    "behoben",
    "gelöst",
    "wiederhergestellt",
    "erreichbar",
    "rétabli",
    "rétablie",
    "résolu",
    "résolue",
    "resuelto",
    "resuelta",
    "recuperado",
    "recuperada",
    "restaurado",
    "normalizado",
    "resolvido",
    "resolvida",
    "risolto",
    "ripristinato",
    "opgelost",
    "hersteld",
    "rozwiązano",
    "решено",
    "восстановлено",
    "復旧",
    "回復",
    "正常",
    "解決",
    "恢复",
    "已恢复",
    "已解决",
];

/// More words than this are no state any more.
const STATE_WORDS_MAX: usize = 3;

/// Whether a recovery of these words can be that of an alert with those.
pub fn ends_by_words(alert: &str, recovery: &str) -> bool {
    let (alert, recovery) = (plain(alert), plain(recovery));
    let (alert, recovery): (Vec<&str>, Vec<&str>) = (words(&alert).collect(), words(&recovery).collect());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let before = alert.iter().zip(&recovery).take_while(same).count();
    let shared = &alert[..before];
    let (alert, recovery) = (&alert[before..], &recovery[before..]);
    let behind = alert
        .iter()
        .rev()
        .zip(recovery.iter().rev())
        .take_while(same)
        .count();
    let ill = &alert[..alert.len() - behind];
    let well = &recovery[..recovery.len() - behind];
    let long = ill.len().max(well.len());
    if long == 0 || long > STATE_WORDS_MAX || before + behind < long {
        return false;
    }
    if well == ["up"] && shared.last().is_some_and(|word| moves(word)) {
        return false;
    }
    let is_link = |word: &&str| is_one_of(word, &LINKS) || is_one_of(word, &LASTED) || is_filler(word);
    let opposite = ill == ["not"] && well.is_empty();
    let says_well =
        well.iter().any(|word| is_well(word)) && well.iter().all(|word| is_well(word) || is_link(word));
    let names_nothing = ill.iter().all(|word| word.chars().all(char::is_alphabetic));
    opposite || says_well && names_nothing && !ill.iter().any(|word| is_well(word))
}

fn is_well(word: &str) -> bool {
    ended_by(word).is_some() || is_one_of(word, &WELL)
}

/// Without marks and a leading word of state, numbers masked, in lower case; a name of several words as these.
fn plain(title: &str) -> Text {
    let masked: Text = mask(strip_status_prefix(without_marks(title)));
    if masked.contains(char::is_whitespace) {
        return masked.to_lowercase();
    }
    let (mut apart, mut was_lower) = (Text::default(), false);
    for c in masked.chars() {
        if c.is_uppercase() && was_lower {
            apart.push(' ');
        }
        apart.push(if c == '_' { ' ' } else { c });
        was_lower = c.is_lowercase();
    }
    apart.to_lowercase()
}

fn words(title: &str) -> impl Iterator<Item = &str> {
    title
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| c.is_ascii_punctuation() && !matches!(c, '<' | '>' | '/' | '\\'))
        })
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_says_in_one_place_that_all_is_well() {
        for (alert, recovery) in [
            ("Load average is above 16", "Load average is back below 16"),
            (
                "PROBLÈME : disque plein sur /data",
                "RÉTABLI : disque plein sur /data",
            ),
            ("PROBLEMA: servicio caído", "RESUELTO: servicio caído"),
            ("障害: HTTPサービス停止", "復旧: HTTPサービス停止"),
            (
                "replication is not running on replica",
                "replication is running on replica",
            ),
            (
                "monit alert -- Does not exist nginx",
                "monit alert -- Exists nginx",
            ),
            ("Connection failed postfix", "Connection succeeded postfix"),
            ("Cluster logs health is RED", "Cluster logs health is GREEN"),
            ("Inlet temperature is high", "Inlet temperature is normal"),
            ("Service MSSQLSERVER stopped", "Service MSSQLSERVER started"),
            ("DatabaseDegraded", "DatabaseRecovered"),
            ("replica_lagging", "replica_synced"),
        ] {
            assert!(ends_by_words(alert, recovery), "{alert}");
        }
    }

    #[test]
    fn a_recovery_of_another_thing_ends_nothing() {
        for (alert, recovery) in [
            ("Backup of mail failed", "Backup of shop failed"),
            ("Backup of up-link failed", "Backup of down-link succeeded"),
            ("Disk /var full", "Disk /opt ok"),
            ("Disk /var full", "Disk ok"),
            ("Service A-1 stopped", "Service A-2 started"),
            ("Load average is above 16", "Memory is back below 16"),
            ("Load average is above 16", "Load average is above 16"),
            ("Scale up failed", "Scale down failed"),
            ("ScaleUpFailed", "ScaleDownRecovered"),
            ("ScaleDown", "ScaleUp"),
            ("UplinkLost", "DownlinkRecovered"),
            ("Down", "Up"),
        ] {
            assert!(!ends_by_words(alert, recovery), "{recovery}");
        }
    }
}
