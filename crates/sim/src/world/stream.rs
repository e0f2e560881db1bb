//! The stream: events in the order of their arrival, each with its truth, in memory that does not grow with length.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use model::{Event, Span, Text, Time};

use super::{
    Size,
    build::{arrival, events, name_of},
    estate::Estate,
    fault::{Fault, FaultClass},
    noise::Nuisance,
};
use crate::Dice;

/// An event with what is true of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// What the tool sent.
    pub event: Event,
    /// What it belongs to; `None` for noise.
    pub said: Option<Said>,
}

/// The fault that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Number of the fault, from 0.
    pub fault: usize,
    /// What kind of failure it is.
    pub class: FaultClass,
    /// Where it began.
    pub root: Text,
    /// The team that owns where it began; `None` for a provider.
    pub owner: Option<Text>,
}

/// The events of a world, in the order of their arrival.
pub struct Stream {
    estate: Estate,
    size: Size,
    dice: Dice,
    waiting: BinaryHeap<Reverse<(Time, u64)>>,
    /// What waits, by number; the front has number `first`.
    told: VecDeque<Option<Told>>,
    first: u64,
    /// Onset of the next fault.
    next_fault: Option<Time>,
    faults: usize,
    nuisances: Vec<Nuisance>,
    /// When each nuisance comes next, by its number.
    nuisance_due: BinaryHeap<Reverse<(Time, usize)>>,
    end: Time,
}

/// Midnight before a Monday.
const START: Time = Time::from_secs(1_772_409_600);
/// Nothing arrives before the onset of what caused it.
const QUIET_FIRST_S: i64 = 1_800;

impl Stream {
    /// The stream of a world.
    pub fn new(size: &Size, seed: u64) -> Stream {
        let mut dice = Dice::new(seed);
        let estate = Estate::new(size.services, &mut dice.fork(1));
        let mut noise_dice = dice.fork(2);
        let mut nuisances = Nuisance::draw(&estate, size, &mut noise_dice);
        let nuisance_due = nuisances
            .iter_mut()
            .enumerate()
            .map(|(i, nuisance)| Reverse((START + seconds(nuisance.wait_s()), i)))
            .collect();
        let first_fault = START + Span::from_secs(QUIET_FIRST_S);
        Stream {
            estate,
            size: size.clone(),
            dice,
            waiting: BinaryHeap::new(),
            told: VecDeque::new(),
            first: 0,
            next_fault: (size.faults > 0).then_some(first_fault),
            faults: 0,
            nuisances,
            nuisance_due,
            end: first_fault + Span::from_mins(10),
        }
    }

    /// The estate of the world.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// How many events are prepared and not yet due.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When something begins next.
    fn next_begin(&self) -> Option<Time> {
        let noise = self
            .nuisance_due
            .peek()
            .map(|Reverse((at, _))| *at)
            .filter(|at| self.next_fault.is_some() || *at < self.end);
        self.next_fault.into_iter().chain(noise).min()
    }

    /// Lets the next thing begin.
    fn begin(&mut self) {
        let noise = self.nuisance_due.peek().map(|Reverse((at, _))| *at);
        if let Some(at) = self
            .next_fault
            .filter(|at| noise.is_none_or(|noise| *at <= noise))
        {
            return self.fault(at);
        }
        let Some(Reverse((at, i))) = self.nuisance_due.pop() else {
            return;
        };
        for raise in self.nuisances[i].raises() {
            for event in events(&self.estate, &raise, at, &mut self.dice) {
                self.send(event, None);
            }
        }
        let wait = seconds(self.nuisances[i].wait_s()).max(Span::from_secs(1));
        self.nuisance_due.push(Reverse((at + wait, i)));
    }

    fn fault(&mut self, at: Time) {
        let fault = Fault::draw(&self.estate, &self.size, &mut self.dice);
        let said = Said {
            fault: self.faults,
            class: fault.class,
            root: name_of(&self.estate, fault.root),
            owner: self.estate.places[fault.root].team.clone(),
        };
        let mut over = at;
        let mut begin = at;
        loop {
            for raise in &fault.raises {
                over = over.max(begin + Span::from_millis(raise.ends_ms));
                for event in events(&self.estate, raise, begin, &mut self.dice) {
                    self.send(event, Some(said.clone()));
                }
            }
            if begin > at || self.size.relapse == 0.0 || !self.dice.chance(self.size.relapse) {
                break;
            }
            begin = over + Span::from_secs(self.dice.between(120, 900));
        }
        self.end = self.end.max(over);
        self.faults += 1;
        self.next_fault = (self.faults < self.size.faults).then(|| {
            if self.dice.chance(self.size.overlap) {
                return at + Span::from_secs(self.dice.between(20, 240));
            }
            over + seconds(self.dice.waiting(self.size.fault_every_s)) + Span::from_mins(6)
        });
    }

    fn send(&mut self, mut event: Event, said: Option<Said>) {
        event.received_at = arrival(event.ts, &self.size, &mut self.dice);
        if self.dice.chance(self.size.doubled) {
            let mut copy = event.clone();
            copy.received_at = arrival(event.received_at, &self.size, &mut self.dice);
            self.push(Told {
                event: copy,
                said: said.clone(),
            });
        }
        self.push(Told { event, said });
    }

    fn push(&mut self, told: Told) {
        let number = self.first + self.told.len() as u64;
        self.waiting.push(Reverse((told.event.received_at, number)));
        self.told.push_back(Some(told));
    }
}

impl Iterator for Stream {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        while let Some(begins) = self.next_begin() {
            if self.waiting.peek().is_some_and(|Reverse((at, _))| *at < begins) {
                break;
            }
            self.begin();
        }
        let Reverse((_, number)) = self.waiting.pop()?;
        let told = self.told[(number - self.first) as usize].take();
        while self.told.front().is_some_and(Option::is_none) {
            self.told.pop_front();
            self.first += 1;
        }
        told
    }
}

fn seconds(seconds: f64) -> Span {
    Span::from_millis((seconds * 1e3) as i64)
}
