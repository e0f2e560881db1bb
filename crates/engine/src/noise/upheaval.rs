//! News about habits: one that breaks its own, and many that change theirs at once.
//!
//! A chronic alert says nothing by itself. When it comes far oftener within a minute than ever before, or fires for longer
//! than ever, it is heard, and that is said. And when more chronic alerts come within a minute than the domain's past explains, by the measure that
//! tells a storm, something has moved all of them: none is chronic until that is over, and their incident says why.

use model::{AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::pending::{Look, Pending},
};

impl Engine {
    /// A chronic alert does what it usually does.
    pub(crate) fn count_habitual(&mut self, fold: &Fold<'_>) {
        let storm = &fold.settings.storm;
        self.meta.habitual.count(fold.time, storm.alerts_min, storm.ratio);
    }

    /// Why an alert that is chronic otherwise is heard; `None` if it is not.
    pub(crate) fn unusual(&self, p: &Pending, fold: &Fold<'_>) -> Option<Evidence> {
        let alert = self.alerts.get(&p.alert)?;
        if p.look == Look::Overdue {
            let fired_s = fold.time.since(alert.onset).as_secs_f64();
            let text = format!("it breaks its habit: it fires for {fired_s:.0} s, twice as long as ever");
            return Some(Evidence::new(EvidenceKind::Rarity, fired_s, text));
        }
        if alert.habit.level > p.weight && alert.habit.is_broken(p.t) {
            let (now, before) = (alert.habit.minute, alert.habit.minute_max);
            let text = format!("it breaks its habit: {now} times within a minute, {before} at most before");
            return Some(Evidence::new(EvidenceKind::Rarity, f64::from(now), text));
        }
        let took = self.meta.habitual.took()?;
        self.habitual(p.alert, p.weight, p.t, fold)?;
        let text = format!("{took} alerts that usually come alone came within a minute");
        Some(Evidence::new(EvidenceKind::Rarity, f64::from(took), text))
    }

    /// Says of an incident, once, that what came into it is unusual.
    pub(crate) fn say_unusual(&mut self, id: IncidentId, alert: AlertId, why: Evidence, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut state.unusual, true) {
            return;
        }
        state.because.push(why.clone());
        self.change(id, What::new(ChangeKind::Note).alert(alert), vec![why], fold);
    }
}
