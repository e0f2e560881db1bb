//! What steers the fold. Every constant has a name, a unit and a reason; a change of settings is a change of the fold.
//!
//! Times are in seconds. The grouping constants were found by prototype on public labelled streams; what each is worth
//! stands in `docs/decisions/grouping.md`.

use std::collections::BTreeMap;

use model::{PageMode, Severity, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Belief, suppress::matcher::Matchers};

/// Settings of the fold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Emit `Output::Event` and `Output::Episode`, for tools that judge the assignment of every event.
    pub placements: bool,
    /// Emit the record of an incident only when it is forgotten; who wants the others asks `Shard::incidents` at the end.
    pub last_records_only: bool,
    /// Which value of a field stays when the events of one alert differ.
    pub merge: Merge,
    /// Compare the candidates of every alert with a scan of all open incidents and count in the books what they miss. Slow.
    pub oracle: bool,
    /// How alerts find their incident.
    pub grouping: Grouping,
    /// How sure a membership is.
    pub belief: Belief,
    /// How incidents begin and end.
    pub life: Life,
    /// Who is paged, and when.
    pub page: Paging,
    /// What is kept from calling anybody, by rule.
    pub suppress: Suppress,
    /// When a storm begins, and what it changes.
    pub storm: Storm,
    /// How much is kept.
    pub limits: Limits,
}

/// Which value of a field stays when the firing events of one alert differ, from its first firing to its recovery.
///
/// Without an entry title, text and severity are those of the newest event, labels those of the first. What is merged is
/// shown with the alert in the incident's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Merge {
    /// Of the title.
    pub title: Option<Keep>,
    /// Of the text, of which the first 512 bytes count.
    pub text: Option<Keep>,
    /// Of the severity; `append` is refused.
    pub severity: Option<Keep>,
    /// Of labels and entities, by name. Numbers are compared as numbers.
    pub labels: BTreeMap<String, Keep>,
}

impl Merge {
    /// Whether anything is merged.
    pub(crate) fn any(&self) -> bool {
        self.title.is_some() || self.text.is_some() || self.severity.is_some() || !self.labels.is_empty()
    }
}

/// Which of several values stays, in the order of event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The first.
    First,
    /// The newest.
    #[default]
    Last,
    /// The greatest.
    Max,
    /// The smallest.
    Min,
    /// All that differ, up to 512 bytes.
    Append,
}

/// How alerts find their incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Grouping {
    /// Seconds an alert waits for its settlement: the look-ahead of every decision.
    pub settle_s: f64,
    /// Seconds of silence after which a repeat begins a new episode. The most sensitive constant.
    pub episode_s: f64,
    /// An incident takes in alerts until it is quiet for this many seconds plus the source's evaluation interval.
    pub reach_s: f64,
    /// The same while the source's interval is not known yet.
    pub reach_unknown_s: f64,
    /// Longest evaluation interval believed, in seconds.
    pub interval_max_s: f64,
    /// How fast "recently active" fades, in seconds: after each so many it counts 1/e as much.
    pub activity_decay_s: f64,
    /// Weight of activity one call away; the same entity weighs 1.
    pub weight_neighbour: f64,
    /// Weight of activity elsewhere in the system.
    pub weight_system: f64,
    /// Systems with more services than this are judged by neighbourhood, not as a whole.
    pub system_whole_max: usize,
    /// A hub links two alerts only for this many seconds.
    pub hub_link_s: f64,
    /// A new symptom whose two likeliest incidents are closer than this in probability, 0 to 1, opens one of its own
    /// that names both; 0: never. On labelled streams the likelier one is right more often than a third one.
    pub abstain_margin: f64,
    /// An alert that is less likely than this to belong to the best live incident begins one of its own that names it,
    /// 0 to 1; 0: never. On labelled streams a doubtful place is right more often than a new incident.
    pub join_min: f64,
}

impl Default for Grouping {
    fn default() -> Self {
        Grouping {
            settle_s: 10.0,
            episode_s: 60.0,
            reach_s: 180.0,
            reach_unknown_s: 300.0,
            interval_max_s: 300.0,
            activity_decay_s: 40.0,
            weight_neighbour: 0.3,
            weight_system: 0.1,
            system_whole_max: 48,
            hub_link_s: 30.0,
            abstain_margin: 0.0,
            join_min: 0.0,
        }
    }
}

/// How incidents begin and end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Life {
    /// Seconds behind stream time beyond which an event is late: it still counts, and is flagged.
    pub lateness_s: f64,
    /// Quiet seconds after the last alert ended until the incident is resolved.
    pub resolve_quiet_s: f64,
    /// Seconds after its end within which the alert that opened an incident reopens it; what keeps coming back alone rings
    /// no sooner after it last rang, unless it is worse.
    pub reopen_s: f64,
    /// Seconds that a milder severity must last before an incident is called milder.
    pub deescalate_s: f64,
    /// Seconds after which an incident ends at its next pause of `resolve_quiet_s`, although alerts of it fire; they go
    /// on in another one that names it. After seven times as long it ends without a pause.
    pub age_max_s: f64,
    /// Silent seconds after which an alert whose sender neither repeats nor resolves is stale. Not a recovery.
    pub stale_s: f64,
    /// An alert that its sender used to repeat is stale after so many of its gaps without a word, if its sender still
    /// speaks of others; not before a quarter of an hour. 0: only `stale_s` counts.
    pub stale_repeats: f64,
    /// Days after its end until an incident is forgotten.
    pub forget_days: u32,
}

impl Default for Life {
    fn default() -> Self {
        Life {
            lateness_s: 600.0,
            resolve_quiet_s: 300.0,
            reopen_s: 1800.0,
            deescalate_s: 60.0,
            // A day: what goes on next morning is for the next shift, who need not read yesterday's story first.
            age_max_s: 86_400.0,
            // Many senders report changes only, and silence of theirs is no recovery.
            stale_s: 86_400.0,
            stale_repeats: 5.0,
            forget_days: 30,
        }
    }
}

/// Who is paged, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Paging {
    /// `observe`: decisions are made and recorded, nobody is woken. `live`: page for real.
    pub mode: PageMode,
    /// The mildest severity that pages.
    pub severity_min: Severity,
    /// Longest wait of a critical page for more members that could name a better owner, in seconds.
    pub critical_wait_s: f64,
    /// The same for milder pages.
    pub wait_s: f64,
    /// A new owner is paged when the change has lasted this many seconds.
    pub owner_grace_s: f64,
    /// A page for what usually recovers by itself waits until it has fired for so many seconds; 0: never.
    pub hold_s: f64,
    /// How likely the recovery within that time must be, 0 to 1.
    pub hold_probability: f64,
    /// How many earlier alerts of its class that must rest on.
    pub hold_alerts_min: u32,
    /// An unacknowledged page is due again after this many seconds, then after twice as long each time.
    pub repeat_s: f64,
    /// But never after more seconds than this, as long as the incident lasts. The default is that of Alertmanager.
    pub repeat_max_s: f64,
    /// While stream time is more than so many seconds behind the present, pages are held and judged when it no longer is.
    pub catch_up_s: f64,
    /// Pass every alert of `severity_min` and worse on as a page of its own, whatever is believed of it: for the day on
    /// which the engine itself is in doubt. Silences and maintenance windows still hold.
    pub pass_through: bool,
    /// The team paged where nobody owns the cause.
    pub default_team: String,
}

impl Default for Paging {
    fn default() -> Self {
        Paging {
            mode: PageMode::Observe,
            severity_min: Severity::Error,
            critical_wait_s: 17.0,
            wait_s: 60.0,
            owner_grace_s: 300.0,
            hold_s: 120.0,
            hold_probability: 0.9,
            hold_alerts_min: 10,
            repeat_s: 3600.0,
            // An hour may have been slept through, so one more call soon; but every hour of a day is what makes people
            // mute a pager. What nobody takes by then is for an escalation policy, and is not forgotten here.
            repeat_max_s: 14_400.0,
            catch_up_s: 900.0,
            pass_through: false,
            default_team: "on-call".to_owned(),
        }
    }
}

/// What is kept from calling anybody, by rule. Silences and maintenance windows come in as records instead.
///
/// Matchers are those of Alertmanager: `severity="critical", team!="web", host=~"db-.*"`. They ask for `service`, `host`,
/// `entity`, `source`, `title` (or `alertname`), `severity`, `dedup_key`, or a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Suppress {
    /// Events that are counted and nothing else.
    pub drop: Vec<Drop>,
    /// Alerts that count only when enough of them come.
    pub thresholds: Vec<Threshold>,
    /// Alerts that explain others.
    pub inhibit: Vec<Inhibit>,
    /// Steps down the graph within which a critical alert explains milder ones of other incidents; 0: it never does.
    pub graph_hops_max: u32,
}

impl Default for Suppress {
    fn default() -> Self {
        Suppress {
            drop: Vec::new(),
            thresholds: Vec::new(),
            inhibit: Vec::new(),
            graph_hops_max: 3,
        }
    }
}

/// Events that are counted and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Drop {
    /// Names the rule in reasons.
    pub name: String,
    /// Which events.
    pub matchers: Matchers,
}

/// Alerts that count only when enough of them come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Threshold {
    /// Names the rule in reasons.
    pub name: String,
    /// Which alerts. The first rule that matches decides.
    pub matchers: Matchers,
    /// Fields or labels for each combination of whose values is counted by itself; none: all together.
    pub per: Vec<String>,
    /// How many must come.
    pub count: u32,
    /// Count different alerts instead of occurrences.
    pub distinct: bool,
    /// Within how many seconds.
    pub window_s: f64,
    /// Begin to count anew when it is reached.
    pub reset: bool,
}

impl Default for Threshold {
    fn default() -> Self {
        Threshold {
            name: String::new(),
            matchers: Matchers::default(),
            per: Vec::new(),
            count: 2,
            distinct: false,
            window_s: 300.0,
            reset: false,
        }
    }
}

/// Alerts that explain others while they fire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Inhibit {
    /// Names the rule in reasons.
    pub name: String,
    /// Which alerts explain.
    pub source: Matchers,
    /// Which alerts are explained; one that matches both is not.
    pub target: Matchers,
    /// Fields or labels under which both must have the same value; one that is missing equals nothing.
    pub equal: Vec<String>,
}

/// When a storm begins, and what it changes. Nothing is dropped in a storm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Storm {
    /// Fresh alerts of a domain within a minute under which there is no storm.
    pub alerts_min: u32,
    /// How many times the median minute of the last two hours it must be.
    pub ratio: f64,
    /// Seconds between two records of one incident while it lasts.
    pub publish_s: f64,
}

impl Default for Storm {
    fn default() -> Self {
        Storm {
            alerts_min: 100,
            ratio: 20.0,
            publish_s: 10.0,
        }
    }
}

/// How much is kept. At a limit something is counted and said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Domains that a journal partition keeps, at about 4 kB each beside their alerts. Beyond, those in which nothing goes
    /// on and that were silent longest are forgotten; if something goes on in all, what is not critical is shed.
    pub domains_max: usize,
    /// Alerts that a domain keeps, at about 4 kB of memory each. Beyond, those that ended longest ago are forgotten, then
    /// the mildest are shed; see `docs/limits.md`.
    pub alerts_max: usize,
    /// Incidents of a domain that are open at one time; beyond, only critical alerts open one. More than anybody reads.
    pub open_incidents_max: usize,
    /// Members of an incident that are kept one by one; beyond, they are counted only.
    pub members_max: usize,
    /// Representatives in an incident record.
    pub representatives_max: usize,
    /// Days after which an alert that is not heard any more is forgotten, with what was learned of it.
    pub alert_memory_days: u32,
    /// Ids of events of a domain that are remembered to know a redelivery, at about 25 bytes each. Beyond, the oldest are
    /// forgotten before the lateness is over, and a copy of such an event counts as a repeat.
    pub seen_max: usize,
    /// Classes of alerts (one title of one entity) of which a domain learns how they end and how often they come, and
    /// sources; beyond, those not heard longest are forgotten.
    pub classes_max: usize,
    /// Values for which the thresholds of a domain count at one time; beyond, events pass uncounted.
    pub tallies_max: usize,
    /// Ended incidents that a domain remembers; beyond, those that ended longest ago are forgotten before `forget_days`.
    pub ended_incidents_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // As many as the largest installations have in all partitions together.
            domains_max: 10_000,
            // Room for a million of any severity.
            alerts_max: 1_200_000,
            open_incidents_max: 100_000,
            members_max: 256,
            representatives_max: 64,
            alert_memory_days: 30,
            // Sixteen thousand events a second for the ten minutes of the lateness: more than one core folds of a domain.
            seen_max: 10_000_000,
            classes_max: 100_000,
            // A tally holds a thousand occurrences at most, about a hundred bytes each.
            tallies_max: 10_000,
            // Three thousand a day for thirty days, and as many as may be open.
            ended_incidents_max: 100_000,
        }
    }
}

/// Seconds as a span.
pub(crate) fn secs(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9) as i64)
}
