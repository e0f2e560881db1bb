//! How many domains a partition keeps, and what happens there.
//!
//! When one more comes, those in which nothing goes on and that were silent longest are forgotten, a sixteenth at once. If
//! something goes on in all of them, an event of a domain that is not kept is shed, and a critical one passes by: it opens
//! an incident in its own domain and is paged for, but nothing is kept of it. What numbers a domain has given out is
//! remembered as one number for all that were forgotten, so that none is given out twice when it comes back.

use model::{Domain, Event, Span, Time};
use serde::{Deserialize, Serialize};

use super::Shard;
use crate::{
    Books, Output, StateRow,
    engine::{Engine, Meta},
    settings::secs,
};

/// Seconds between two looks for domains that can be forgotten; a look costs as much as all of them.
const LOOK_S: i64 = 60;
/// The share of all domains that is forgotten at once.
const SHARE: usize = 16;

/// What is remembered of domains that are not kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Former {
    pub books: Books,
    seq: u64,
    episodes: u64,
    looked: Option<Time>,
}

impl Former {
    /// Lets a domain begin behind all numbers that it may have given out before.
    pub(super) fn number(&self, meta: &mut Meta) {
        (meta.seq, meta.episodes) = (self.seq, self.episodes);
    }

    fn take(&mut self, meta: &Meta) {
        self.seq = self.seq.max(meta.seq);
        self.episodes = self.episodes.max(meta.episodes);
    }
}

impl Shard {
    /// Whether there is room for one more domain, made if it can be.
    pub(super) fn has_room(&mut self, out: &mut Vec<Output>) -> bool {
        let max = self.settings.limits.domains_max;
        if self.engines.len() < max {
            return true;
        }
        let now = self.core.time;
        let looked = self.core.former.looked;
        if looked.is_none_or(|at| now.since(at) >= Span::from_secs(LOOK_S)) {
            self.core.former.looked = Some(now);
            let life = &self.settings.life;
            let before = now - secs(life.lateness_s + life.reopen_s);
            let mut idle: Vec<_> = self
                .engines
                .iter()
                .filter(|engine| engine.is_idle(before))
                .map(|engine| (engine.meta.heard, engine.tag))
                .collect();
            idle.sort_unstable();
            for (_, tag) in idle.into_iter().take((max / SHARE).max(1)) {
                self.forget(self.by_tag[&tag], out);
            }
        }
        self.engines.len() < max
    }

    fn forget(&mut self, index: usize, out: &mut Vec<Output>) {
        let time = self.core.time;
        self.on(index, time, out, Engine::forget_all);
        if let Some(due) = self.due_of.swap_remove(index) {
            self.due.remove(&(due, self.engines[index].tag, index));
        }
        let mut engine = self.engines.swap_remove(index);
        self.by_domain.remove(&engine.domain);
        self.by_tag.remove(&engine.tag);
        if let Some(moved) = self.engines.get(index) {
            let from = self.engines.len();
            self.by_domain.insert(moved.domain.clone(), index);
            self.by_tag.insert(moved.tag, index);
            if let Some(due) = self.due_of[index] {
                self.due.remove(&(due, moved.tag, from));
                self.due.insert((due, moved.tag, index));
            }
        }
        self.last = None;
        self.core.former.take(&engine.meta);
        self.core.former.books.add(&engine.meta.books);
        self.core.former.books.domains_forgotten += 1;
        self.gone_rows.extend(engine.gone_rows());
    }

    /// Folds an event of a domain for which there is no room.
    pub(super) fn without_room(&mut self, domain: Domain, event: &Event, number: u64, out: &mut Vec<Output>) {
        let time = self.core.time;
        let mut engine = Engine::new(domain);
        self.core.former.number(&mut engine.meta);
        engine.meta.books = self.core.former.books;
        engine.meta.books.domains_refused += 1;
        let mut fold = self.core.fold(&self.graph, &self.past, &self.settings, time, out);
        engine.refuse(event, number, &mut fold);
        let former = &mut self.core.former;
        former.take(&engine.meta);
        former.books = engine.meta.books;
        // Its own domain remembers nothing of it, so another says it: the first, whichever was here first.
        let books = former.books;
        if let Some(index) = self.by_tag.values().next().copied() {
            self.on(index, time, out, |engine, fold| engine.say_domains(&books, fold));
        }
    }

    /// Takes the tombstones of what was forgotten, but for rows that are there again.
    pub(super) fn take_gone(&mut self, rows: &mut Vec<StateRow>) {
        rows.append(&mut self.gone_rows);
        rows.sort_by(|a, b| (&a.key, a.value.is_none()).cmp(&(&b.key, b.value.is_none())));
        rows.dedup_by(|later, first| later.key == first.key);
    }
}
