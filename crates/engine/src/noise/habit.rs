//! Habits: an alert is chronic when it keeps coming *alone*. One that keeps taking part in incidents is the opposite of
//! noise, however often it comes; so company, not frequency, decides.

use model::{AlertId, Severity, Span, Time};
use topology::NodeId;

use crate::{engine::Engine, fold::Fold, grouping::pending::Pending, settings::secs, state::alert::Habit};

/// Where a chronic alert is known to be chronic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chronic {
    /// Here.
    Here,
    /// Its thing, by what other rules say of that.
    Thing,
    /// On other hosts; here an incident burns, so it may follow it.
    Elsewhere,
}

/// Other symptoms near an alert that are neither chronic nor always there.
pub(crate) struct Company {
    symptoms: Vec<u64>,
    /// Those it was never seen with.
    pub strangers: usize,
    /// Symptoms near it that are chronic.
    habitual: Vec<u64>,
    /// Whether it was never seen with one of these.
    pub new_to: bool,
}

impl Company {
    pub(crate) fn all(&self) -> usize {
        self.symptoms.len()
    }
}

/// Alone means at most this many others near it; an error or critical alert: one. Two things come together by chance; what
/// comes beside it on a thing that stands alone is of that thing, so there alone is alone.
const ALONE_MAX: u32 = 2;
const ALONE_MAX_HIGH: u32 = 1;
/// Company is looked for so many seconds before and after an alert, and an evaluation interval of its source more before.
pub(crate) const COMPANY_S: f64 = 30.0;
/// Share of episodes that came alone from which on an alert is chronic, and under which it no longer is.
const SHARE: f64 = 0.6;
const SHARE_KEEP: f64 = 0.5;
/// The same where it comes seldom and its ends speak for it.
const SHARE_PASSING: f64 = 0.9;
/// How often alone is enough: info, warnings, errors. Evidence grows with severity.
const ALONE_LOW: u32 = 3;
const ALONE_MID: u32 = 6;
pub(crate) const ALONE_HIGH: u32 = 15;
/// Or so often within about two hours.
const RECENT_MID: f64 = 2.5;
const RECENT_HIGH: f64 = 4.0;
pub(crate) const RECENT_S: f64 = 7200.0;
/// What was often enough is so until so little of it is left: about six hours, as at [`RATE_LOW_S`].
const RECENT_KEEP: f64 = 0.2;
/// And at least once per this long: a fault that returns does so every few hours, chatter several times an hour.
const RATE_LOW_S: f64 = 21_600.0;
const RATE_S: f64 = 2400.0;
/// Clockwork: this many episodes at least, whose gaps stray from their mean by this share on average over about so many.
const RHYTHM_MIN: u32 = 6;
const RHYTHM_STRAY: f64 = 0.05;
/// And by no more seconds than this, however long the gaps: a schedule keeps to its minute, and who looks every five minutes
/// sees it stray by less than two. What returns about every five hours is no clockwork.
const RHYTHM_STRAY_S: f64 = 120.0;
const RHYTHM_MEMORY: f64 = 4.0;
/// Present in more than this share of the minutes of its life and two hours: nobody's company.
const UBIQUITOUS: f64 = 0.05;
const UBIQUITOUS_S: f64 = 7200.0;
/// A title that is chronic elsewhere follows a fault on its host for this long after it began.
const FOLLOW_S: i64 = 900;
/// Hosts on which a title must be known to be chronic everywhere.
const CLASS_HOSTS: usize = 3;
const MATES_MAX: usize = 16;
/// What came alone so often may become a habit; from then on it is remembered what it was seen with.
const MET_FROM: u32 = 2;
/// Company this large is an incident, not a circle of acquaintances.
const MATES_AT_ONCE_MAX: usize = 6;

impl Engine {
    /// Whether an alert is chronic and nothing is unusual about it at `t`: then it counts for little.
    pub(crate) fn chronic(&self, id: AlertId, weight: u8, t: Time, fold: &Fold<'_>) -> Option<Chronic> {
        if self.meta.habitual.is_storm() || fold.settings.page.pass_through {
            return None;
        }
        self.habitual(id, weight, t, fold)
    }

    /// Whether an alert is chronic by the evidence that its severity needs, and has not broken its habit at `t`.
    pub(crate) fn habitual(&self, id: AlertId, weight: u8, t: Time, fold: &Fold<'_>) -> Option<Chronic> {
        let alert = self.alerts.get(&id)?;
        if alert.habit.is_broken(t) || alert.habit.is_outdone(alert.severity) {
            return None;
        }
        if alert.habit.level_at(t) > weight {
            return Some(Chronic::Here);
        }
        if self.answers_so(alert, weight, t) {
            return Some(Chronic::Thing);
        }
        if weight > 0 || !self.bare(id) {
            return None;
        }
        let [here, anywhere] = self.class_keys(id, fold);
        if self.classes.get(&here).is_some_and(|class| class.level > 0) {
            return Some(Chronic::Here);
        }
        if self.classes.get(&anywhere).is_some_and(|class| class.level > 0) {
            let reach = secs(fold.settings.grouping.reach_s);
            // What is known elsewhere may follow a fault that has just begun here; one that burns for hours does not
            // explain it.
            let burns = self.systems.get(&alert.spot.system).is_some_and(|system| {
                system
                    .live
                    .iter()
                    .filter_map(|incident| self.incidents.get(incident))
                    .any(|state| {
                        t.since(state.begun) <= Span::from_secs(FOLLOW_S)
                            && state
                                .place(&alert.spot.entity)
                                .is_some_and(|place| t.since(place.last) <= reach)
                    })
            });
            return Some(if burns { Chronic::Elsewhere } else { Chronic::Here });
        }
        None
    }

    /// Whether a warning that comes seldom came alone each time and was over by itself within minutes, as it is alone now;
    /// says within how many seconds. One that does not end is heard all the same, see `look_overdue`.
    pub(crate) fn passes(&self, p: &Pending, fold: &Fold<'_>) -> Option<f64> {
        let alert = self.alerts.get(&p.alert)?;
        let habit = &alert.habit;
        if p.weight != 1 || habit.alone < ALONE_MID || habit.share() < SHARE_PASSING || habit.is_broken(p.t) {
            return None;
        }
        let ends_s = self.endings.get(&alert.class)?.longest_s()?;
        let from = p.t - secs(COMPANY_S + self.interval_s(p.alert));
        let company = self.company(p.alert, from, self.until(p, fold), p.t, fold);
        (company.all() == 0).then_some(ends_s)
    }

    /// Whether the topology knows nothing but the thing of this alert around it.
    pub(crate) fn is_one_thing(&self, id: AlertId, fold: &Fold<'_>) -> bool {
        let node = self.alerts.get(&id).and_then(|alert| alert.spot.node);
        node.is_some_and(|node| fold.graph.component_size(NodeId(node)) == 1)
    }

    /// The rows of a title on this host, and of a title anywhere in the system.
    fn class_keys(&self, id: AlertId, fold: &Fold<'_>) -> [u64; 2] {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are referred to");
        let title = fold.memos.titles.borrow_mut().template(&alert.title);
        let hash = |entity: Option<&str>| {
            let mut hash = model::Hash128::new("habit");
            hash.part(alert.spot.system.as_bytes())
                .part(alert.source.as_bytes())
                .part(title.as_bytes());
            (hash.maybe(entity.map(str::as_bytes)).finish() >> 64) as u64
        };
        [hash(Some(&alert.spot.entity)), hash(None)]
    }

    /// Other symptoms near an alert between two times, as they stand at `t`.
    pub(crate) fn company(&self, id: AlertId, from: Time, until: Time, t: Time, fold: &Fold<'_>) -> Company {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are referred to");
        let own = self.symptom(id);
        let ball = alert.spot.node.and_then(|node| fold.graph.ball(NodeId(node)));
        let (mut symptoms, mut habitual) = (Vec::new(), Vec::new());
        for (at, other) in self
            .places
            .get(&self.place_key(id))
            .into_iter()
            .flat_map(|place| place.near.iter())
        {
            if *at < from || *at > until || *other == id {
                continue;
            }
            let Some(neighbour) = self.alerts.get(other) else {
                continue;
            };
            let near = ball.is_none_or(|ball| {
                neighbour
                    .spot
                    .node
                    .is_some_and(|n| ball.binary_search(&NodeId(n)).is_ok())
            });
            if !near || ubiquitous(&neighbour.habit, t) {
                continue;
            }
            let symptom = self.symptom(*other);
            if symptom != own {
                let of_its_like = if neighbour.habit.level > 0 {
                    &mut habitual
                } else {
                    &mut symptoms
                };
                of_its_like.push(symptom);
            }
        }
        for found in [&mut symptoms, &mut habitual] {
            found.sort_unstable();
            found.dedup();
        }
        let strangers = symptoms
            .iter()
            .filter(|symptom| !alert.habit.mates.contains(symptom))
            .count();
        let mates = &alert.habit.mates;
        // Who is remembered to have been seen with many may have been seen with more.
        let new_to = mates.len() < MATES_MAX && habitual.iter().any(|symptom| !mates.contains(symptom));
        Company {
            symptoms,
            strangers,
            habitual,
            new_to,
        }
    }

    /// Half a minute after an alert came: did it come alone?
    pub(crate) fn learn(&mut self, number: u64, fold: &mut Fold<'_>) {
        let Some(p) = self.learning.remove(&number) else {
            return;
        };
        let Some(alert) = self.alerts.get(&p.alert) else {
            return;
        };
        let interval = self
            .sources
            .get(&alert.source)
            .and_then(|source| source.interval_s)
            .unwrap_or(0.0);
        let begun = match alert.habit.start {
            // Events of the run that came later may have happened before.
            Some(start) if p.fresh => start.min(p.t),
            _ => p.t,
        };
        let (from, until) = (begun - secs(COMPANY_S + interval), begun + secs(COMPANY_S));
        let company = self.company(p.alert, from, until, p.t, fold);
        let one_thing = self.is_one_thing(p.alert, fold);
        let usual = self
            .places
            .get(&self.place_key(p.alert))
            .map_or(0, |place| place.minutes.usual());
        let bare = self.bare(p.alert);
        let low = p.weight == 0;
        let keys = (low && bare).then(|| self.class_keys(p.alert, fold));
        let entity = (model::Hash128::new("host")
            .part(alert.spot.entity.as_bytes())
            .finish()
            >> 64) as u64;
        let mut others = company.all();
        let severity = alert.severity;
        let habit = &mut self.alerts.get_mut(&p.alert).expect("looked up above").habit;
        if low && bare {
            // Only here may company be familiar: intrusion detectors that nobody rated chatter in fixed circles.
            others = company.strangers;
            if company.all() <= MATES_AT_ONCE_MAX {
                habit.meets(&company.symptoms);
            }
        } else if !low && habit.alone >= MET_FROM {
            habit.meets(&company.symptoms);
            habit.meets(&company.habitual);
        }
        let dense = !low && habit.pace.dense;
        let most = usual
            + match p.weight {
                _ if one_thing => 0,
                2 => ALONE_MAX_HIGH,
                _ => ALONE_MAX,
            };
        let alone = others as u32 <= most && !dense;
        habit.worst = habit.worst.max(Some(severity));
        habit.judge(alone, p.t, low);
        // Only while that run lasts can it swell.
        habit.pace.alone = alone && !low && habit.start == Some(begun);
        if !low {
            self.learn_answers(p.alert, alone, p.t);
        }
        if let Some([here, anywhere]) = keys {
            let fresh = || Habit {
                first: Some(p.t),
                ..Habit::default()
            };
            self.classes.entry(&here, fresh).judge(alone, p.t, true);
            let class = self.classes.entry(&anywhere, fresh);
            if class.mates.len() < CLASS_HOSTS && !class.mates.contains(&entity) {
                class.mates.push(entity);
            }
            class.judge(alone, p.t, true);
            if class.mates.len() < CLASS_HOSTS {
                class.level = 0;
            }
        }
    }
}

impl Habit {
    /// It was seen with these.
    fn meets(&mut self, symptoms: &[u64]) {
        for symptom in symptoms {
            if self.mates.len() < MATES_MAX && !self.mates.contains(symptom) {
                self.mates.push(*symptom);
            }
        }
    }

    /// Whether it came far oftener than ever within the last minute.
    pub(crate) fn is_broken(&self, t: Time) -> bool {
        self.broken
            .is_some_and(|broken| t.since(broken) <= Span::from_secs(60))
    }

    /// Whether it is critical and was never worse than a warning: what a warning does every hour says nothing of the hour
    /// in which it is critical for the first time. How it goes on is a habit again.
    fn is_outdone(&self, severity: Severity) -> bool {
        severity == Severity::Critical && self.worst.is_some_and(|worst| worst <= Severity::Warning)
    }

    /// Counts one episode, alone or not, and says anew whether that makes it chronic.
    pub(crate) fn judge(&mut self, alone: bool, t: Time, low: bool) {
        let life = self
            .first
            .map_or(0.0, |first| t.since(first).as_secs_f64())
            .max(0.0);
        self.episodes += 1;
        self.alone += u32::from(alone);
        self.recent = self.recent(t) + f64::from(u8::from(alone));
        self.recent_at = Some(t);
        if let Some(judged) = self.judged {
            let gap = t.since(judged).as_secs_f64().max(1.0);
            if self.gap_s == 0.0 {
                self.gap_s = gap;
            } else {
                // Means of all gaps until there are so many, or the first would pass for exact.
                let gaps = f64::from(self.episodes) - 1.0;
                let stray = libm::fabs(gap - self.gap_s) / self.gap_s;
                self.stray += (stray - self.stray) / (gaps - 1.0).clamp(1.0, RHYTHM_MEMORY);
                self.gap_s += (gap - self.gap_s) / gaps.clamp(1.0, RHYTHM_MEMORY);
            }
        }
        self.judged = Some(t);
        let episodes = f64::from(self.episodes);
        if (self.level > 0 && self.share() < SHARE_KEEP) || episodes < life / RATE_LOW_S {
            self.level = 0;
        }
        self.level = self.level.max(self.deserves(life, low));
    }

    /// The newest episode, which was rated, had not come alone after all; what that made of it is taken back.
    pub(crate) fn take_back_alone(&mut self, t: Time) {
        let life = self
            .first
            .map_or(0.0, |first| t.since(first).as_secs_f64())
            .max(0.0);
        self.alone = self.alone.saturating_sub(1);
        self.recent = (self.recent - 1.0).max(0.0);
        self.level = self.level.min(self.deserves(life, false));
    }

    pub(crate) fn share(&self) -> f64 {
        f64::from(self.alone) / f64::from(self.episodes.max(1))
    }

    /// How chronic it is by what is counted, after so many seconds of life.
    fn deserves(&self, life: f64, low: bool) -> u8 {
        let episodes = f64::from(self.episodes);
        if self.share() < SHARE {
            0
        } else if low {
            u8::from(self.alone >= ALONE_LOW && episodes >= life / RATE_LOW_S)
        } else if episodes < life / RATE_S && !self.has_rhythm() {
            0
        } else if self.alone >= ALONE_HIGH || self.recent >= RECENT_HIGH {
            3
        } else if self.alone >= ALONE_MID || self.recent >= RECENT_MID {
            2
        } else {
            0
        }
    }
}

impl Habit {
    /// How often it came alone within about two hours.
    pub(crate) fn recent(&self, t: Time) -> f64 {
        let age = self.recent_at.map_or(0.0, |at| t.since(at).as_secs_f64());
        self.recent * libm::exp(-age / RECENT_S)
    }

    /// What it is worth as a habit at `t`: one that rests on what happened within hours fades with them, and one that rests
    /// on its rhythm when it is out of that.
    pub(crate) fn level_at(&self, t: Time) -> u8 {
        let enough = match self.level {
            3 => ALONE_HIGH,
            2 => ALONE_MID,
            _ => 0,
        };
        let faded = self.alone < enough && self.recent(t) < RECENT_KEEP && !self.keeps_rhythm(t);
        if faded { 0 } else { self.level }
    }

    /// Whether it comes like clockwork and did so until lately: what comes a day after the clock stopped is not what the
    /// schedule brings.
    fn keeps_rhythm(&self, t: Time) -> bool {
        let silent_s = self.judged.map_or(0.0, |judged| t.since(judged).as_secs_f64());
        self.has_rhythm() && silent_s <= RHYTHM_MEMORY * self.gap_s
    }

    /// Whether it comes like clockwork: what a schedule brings explains nothing, however rare it is.
    fn has_rhythm(&self) -> bool {
        self.episodes >= RHYTHM_MIN && self.stray <= RHYTHM_STRAY && self.stray * self.gap_s <= RHYTHM_STRAY_S
    }
}

/// Whether an alert is there so often that its presence says nothing.
fn ubiquitous(habit: &Habit, t: Time) -> bool {
    let life = habit.first.map_or(0.0, |first| t.since(first).as_secs_f64());
    f64::from(habit.episodes) * 60.0 > UBIQUITOUS * (life + UBIQUITOUS_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_active_most_of_the_time_is_nobodys_company() {
        let first: Time = "2026-03-02T10:00:00Z".parse().unwrap();
        let active = |episodes: u32, hours: i64| {
            let habit = Habit {
                first: Some(first),
                episodes,
                ..Habit::default()
            };
            ubiquitous(&habit, first + Span::from_hours(hours))
        };
        assert!(active(60, 2), "a minute in four");
        assert!(
            !active(12, 2),
            "a minute in twenty of two hours and of the two before, of which nothing is known"
        );
        assert!(active(13, 2));
        assert!(!active(13, 24), "the same thirteen within a day");
        assert!(!active(1, 0), "what has just begun is company");
    }
}
