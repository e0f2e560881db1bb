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
    nuisances: Vec<(Time, Nuisance)>,
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
        let nuisances = Nuisance::draw(&estate, size, &mut noise_dice)
            .into_iter()
            .map(|mut n| (START + Span::from_millis((n.wait_s() * 1e3) as i64), n))
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
            end: first_fault + Span::from_mins(10),
        }
    }

    /// The estate of the world.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// Lets everything begin that begins before `time`.
    fn begin_until(&mut self, time: Time) {
        while let Some(at) = self.next_fault.filter(|at| *at <= time) {
            self.fault(at);
        }
        for i in 0..self.nuisances.len() {
            while self.nuisances[i].0 <= time && self.nuisances[i].0 < self.end {
                let at = self.nuisances[i].0;
                for raise in self.nuisances[i].1.raises() {
                    for event in events(&self.estate, &raise, at, &mut self.dice) {
                        self.send(event, None);
                    }
                }
                let wait = self.nuisances[i].1.wait_s();
                self.nuisances[i].0 = at + Span::from_millis((wait * 1e3) as i64).max(Span::from_secs(1));
            }
        }
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
        for raise in &fault.raises {
            over = over.max(at + Span::from_millis(raise.ends_ms));
            for event in events(&self.estate, raise, at, &mut self.dice) {
                self.send(event, Some(said.clone()));
            }
        }
        self.end = self.end.max(over);
        self.faults += 1;
        self.next_fault = (self.faults < self.size.faults).then(|| {
            if self.dice.chance(self.size.overlap) {
                return at + Span::from_secs(self.dice.between(20, 240));
            }
            over + Span::from_millis((self.dice.waiting(self.size.fault_every_s) * 1e3) as i64)
                + Span::from_mins(6)
        });
    }

    fn send(&mut self, mut event: Event, said: Option<Said>) {
        event.received_at = arrival(event.ts, self.size.late, &mut self.dice);
        if self.dice.chance(self.size.doubled) {
            let mut copy = event.clone();
            copy.received_at = arrival(event.received_at, self.size.late, &mut self.dice);
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
        loop {
            let next_noise = self
                .nuisances
                .iter()
                .map(|(at, _)| *at)
                .filter(|at| *at < self.end)
                .min();
            let begins = self.next_fault.into_iter().chain(next_noise).min();
            match (self.waiting.peek(), begins) {
                (Some(Reverse((at, _))), Some(begins)) if *at >= begins => self.begin_until(begins),
                (None, Some(begins)) => self.begin_until(begins),
                (None, None) => return None,
                _ => break,
            }
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
