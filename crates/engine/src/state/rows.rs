//! State rows of an engine: what it is restored from.
//!
//! Every row is `<tag>/<table>/<key>`. Timers and the list of open incidents are not written: they follow from the rows.

use model::IncidentId;

use crate::{
    RestoreError, StateRow,
    engine::{Engine, Meta, Timer, Waits},
    fold::Fold,
    state::{
        pack::{pack, unpack},
        table::Rows,
    },
};

impl Engine {
    /// The tables, by the names in the keys of their rows. [`Engine::restore_row`] has them once more.
    fn tables(&mut self) -> [(&'static str, &mut dyn Rows); 18] {
        [
            ("alert", &mut self.alerts),
            ("incident", &mut self.incidents),
            ("system", &mut self.systems),
            ("place", &mut self.places),
            ("class", &mut self.classes),
            ("source", &mut self.sources),
            ("endings", &mut self.endings),
            ("usual", &mut self.usual),
            ("tally", &mut self.tallies),
            ("pending", &mut self.pending),
            ("tentative", &mut self.tentative),
            ("kin", &mut self.kin),
            ("bond", &mut self.bonds),
            ("outbreak", &mut self.outbreaks),
            ("together", &mut self.together),
            ("learning", &mut self.learning),
            ("quiet", &mut self.quiets),
            ("seen", &mut self.seen),
        ]
    }

    /// Somebody else may have written what changed since the last call of [`Engine::changed_rows`].
    pub(crate) fn may_be_written(&mut self) {
        for (_, table) in self.tables() {
            table.may_be_written();
        }
    }

    /// Appends the rows that changed since the last call.
    pub(crate) fn changed_rows(&mut self, out: &mut Vec<StateRow>) {
        if !std::mem::take(&mut self.touched) {
            return;
        }
        let tag = format!("{:016x}", self.tag.0);
        let row = |table: &str| format!("{tag}/{table}/");
        for (name, table) in self.tables() {
            table.changed_rows(&row(name), out);
        }
        let cause = row("cause");
        out.extend(
            self.history
                .dirty_rows()
                .into_iter()
                .map(|(key, value)| StateRow {
                    key: format!("{cause}{key}"),
                    value,
                }),
        );
        self.meta.changes.clone_from(&self.changes);
        let value = pack(&self.meta);
        out.push(StateRow {
            key: row("meta"),
            value: Some(value),
        });
    }

    /// Tombstones of all its rows; it is of no more use.
    pub(crate) fn gone_rows(&mut self) -> Vec<StateRow> {
        for (_, table) in self.tables() {
            table.may_be_written();
            table.clear();
        }
        let mut rows = Vec::new();
        self.touched = true;
        self.changed_rows(&mut rows);
        let cause = format!("{:016x}/cause/", self.tag.0);
        rows.extend(self.history.keys().map(|key| StateRow {
            key: format!("{cause}{key}"),
            value: None,
        }));
        rows.iter_mut().for_each(|row| row.value = None);
        rows
    }

    /// Puts one row back.
    pub(crate) fn restore_row(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        match table {
            "alert" => self.alerts.restore(key, value),
            "incident" => self.incidents.restore(key, value),
            "system" => self.systems.restore(key, value),
            "place" => self.places.restore(key, value),
            "class" => self.classes.restore(key, value),
            "source" => self.sources.restore(key, value),
            "tally" => self.tallies.restore(key, value),
            "endings" => self.endings.restore(key, value),
            "usual" => self.usual.restore(key, value),
            "pending" => self.pending.restore(key, value),
            "tentative" => self.tentative.restore(key, value),
            "kin" => self.kin.restore(key, value),
            "bond" => self.bonds.restore(key, value),
            "outbreak" => self.outbreaks.restore(key, value),
            "together" => self.together.restore(key, value),
            "learning" => self.learning.restore(key, value),
            "quiet" => self.quiets.restore(key, value),
            "seen" => self.seen.restore(key, value),
            "cause" => self
                .history
                .restore_row(value)
                .map_err(|reason| RestoreError::Row {
                    key: format!("{table}/{key}"),
                    reason,
                }),
            _ => Err(RestoreError::Row {
                key: format!("{table}/{key}"),
                reason: "no such table".to_owned(),
            }),
        }
    }

    /// An engine from its counters, before its rows are put back.
    pub(crate) fn from_meta(value: &[u8]) -> Result<Engine, RestoreError> {
        let bad = |reason: String| RestoreError::Row {
            key: "meta".to_owned(),
            reason,
        };
        let meta: Meta = unpack(value).map_err(bad)?;
        let domain = meta
            .domain
            .clone()
            .ok_or_else(|| bad("it names no domain".to_owned()))?;
        let mut engine = Engine::new(domain);
        engine.changes.clone_from(&meta.changes);
        engine.meta = meta;
        Ok(engine)
    }

    /// Derives what is not written, once all rows are back.
    pub(crate) fn wire_up(&mut self, fold: &Fold<'_>) {
        // Sets and maps are made of all they hold at once, not by putting in one after another.
        let waiting = self
            .pending
            .gather(|number, pending, all| all.push((*number, pending.t, pending.announced)));
        self.order = waiting
            .into_iter()
            .map(|(number, t, announced)| (number, Waits { t, announced }))
            .collect();
        self.open = self
            .incidents
            .gather(|id, state, all| all.extend(state.is_open().then_some(*id)))
            .into_iter()
            .collect();
        self.active_quiets = self
            .quiets
            .gather(|number, quiet, all| all.extend(quiet.holds_at(fold.time).then_some(*number)))
            .into_iter()
            .collect();
        let timers = [
            self.pending
                .gather(|number, pending, all| all.push((pending.due, Timer::Settle(pending.t, *number)))),
            self.learning
                .gather(|number, learning, all| all.push((learning.due, Timer::Learn(*number)))),
            self.quiets
                .gather(|number, quiet, all| all.push((quiet.due, Timer::Quiet(*number)))),
            self.alerts.gather(|id, alert, all| {
                all.extend(alert.flap.due.map(|due| (due, Timer::Flap(*id))));
                all.extend(alert.stale_due.map(|due| (due, Timer::Stale(*id))));
                all.extend(alert.unmatched_until.map(|due| (due, Timer::Unmatched(*id))));
            }),
            self.incidents.gather(|id, state, all| {
                all.extend(state.wake.map(|at| (at, Timer::Incident(*id))));
                all.extend(state.publish_at.map(|at| (at, Timer::Publish(*id))));
            }),
        ];
        self.timers = timers.into_iter().flatten().collect();
        self.timers
            .extend(self.limit_due().map(|due| (due, Timer::Limit)));
        self.timers
            .extend(self.meta.rate.due.map(|due| (due, Timer::Storm)));
        self.renew_soon(fold.serial, fold.time);
        self.under_other_settings(fold);
        self.touched = false;
    }

    /// Derives what follows from the settings, which may be others than those it was folded under so far.
    pub(crate) fn under_other_settings(&mut self, fold: &Fold<'_>) {
        for id in self.open.iter().copied().collect::<Vec<_>>() {
            if self.incidents.get(&id).is_some_and(|state| state.goes_live(fold)) {
                // Somebody said that pages are real by now: what still fires is due once.
                self.wake_at(id, fold.time, fold);
            }
        }
        self.refile(fold);
    }

    /// Ids of all incidents remembered, in order.
    pub(crate) fn incident_ids(&self) -> Vec<IncidentId> {
        self.incidents.keys()
    }
}
