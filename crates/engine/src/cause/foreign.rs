//! What a name says of a thing that no topology knows: what it is, and what it probably is another name of.
//!
//! `servi-searc.us-west-2.elb.amazonaws.com_remote` is how its callers see `PetSearch`. The topology suggests such aliases
//! among its nodes; here the names that alerts bore do: a word of the host name that occurs in the name of one thing and
//! of no other. That is a way to blame, and makes no two things one.

use std::collections::{BTreeMap, BTreeSet};

use model::Text;
use topology::{Graph, NodeKind, traced_base, traced_kind};

use super::assess::written;
use crate::{
    engine::Engine,
    state::{
        alert::Alert,
        incident::State,
        spot::{ALONE, alone},
    },
};

/// Letters that a word must have to identify a thing, and how many such words of a name are looked for.
const WORD_MIN: usize = 5;
const WORDS_MAX: usize = 4;
/// Where more names were heard than this, a word tells little apart, and nothing is looked up.
const NAMES_MAX: usize = 1024;
/// Such names of one incident that are looked up, each among all names of its domain.
const LOOKED_UP_MAX: usize = 4;

/// Products that nearly always go by their own name, so that the name says the kind.
const PRODUCTS: [(&str, NodeKind); 14] = [
    ("zookeeper", NodeKind::Coordination),
    ("etcd", NodeKind::Coordination),
    ("consul", NodeKind::Coordination),
    ("kafka", NodeKind::Queue),
    ("rabbitmq", NodeKind::Queue),
    ("nats", NodeKind::Queue),
    ("mysql", NodeKind::Database),
    ("mariadb", NodeKind::Database),
    ("postgres", NodeKind::Database),
    ("postgresql", NodeKind::Database),
    ("mongodb", NodeKind::Database),
    ("cassandra", NodeKind::Database),
    ("redis", NodeKind::Cache),
    ("memcached", NodeKind::Cache),
];

/// What an unknown thing is by its name: by the mark of a tracer, or because it goes by the name of a product.
pub(super) fn kind_by_name(name: &str) -> Option<NodeKind> {
    let own = name.rsplit('/').next().unwrap_or(name);
    let own = own.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let is_own = |(product, _): &&(&str, NodeKind)| own.eq_ignore_ascii_case(product);
    traced_kind(name).or_else(|| Some(PRODUCTS.iter().find(is_own)?.1))
}

impl Engine {
    /// What the places of an incident probably are that a tracer only saw from outside, as it is called and as its
    /// alerts write it.
    pub(super) fn behind_foreign_names<'a>(
        &self,
        state: &'a State,
        graph: &Graph,
    ) -> BTreeMap<&'a Text, (Text, Text)> {
        let places = state.members.values().map(|member| &member.face.entity);
        let unknown: BTreeSet<&Text> = places
            .filter(|entity| is_foreign(entity) && graph.find(entity).is_none())
            .collect();
        let looked_up = unknown.into_iter().take(LOOKED_UP_MAX);
        looked_up
            .filter_map(|entity| Some((entity, self.behind_foreign(entity)?)))
            .collect()
    }

    fn behind_foreign(&self, name: &str) -> Option<(Text, Text)> {
        if self.outbreaks.len() > NAMES_MAX {
            return None;
        }
        let host = label(name);
        let words = host.split(|c: char| !c.is_ascii_alphabetic());
        let words: Vec<&str> = words
            .filter(|word| word.len() >= WORD_MIN)
            .take(WORDS_MAX)
            .collect();
        let bears = |other: &str, words: &[&str]| {
            let label = label(other);
            words.iter().any(|word| label.contains(word))
        };
        let heard = self.outbreaks.select(|key, _| {
            let other = key.strip_prefix(ALONE)?;
            (other != name && bears(other, &words)).then_some(())
        });
        let heard: Vec<&str> = heard
            .iter()
            .filter_map(|(_, key)| key.strip_prefix(ALONE))
            .collect();
        // A word that several of them bear tells none of them apart.
        let foreign: Vec<&str> = heard.iter().copied().filter(|other| is_foreign(other)).collect();
        let words: Vec<&str> = words
            .into_iter()
            .filter(|word| !foreign.iter().any(|other| bears(other, &[word])))
            .collect();
        // Of each thing the name that says most about what it is.
        let mut things: BTreeMap<String, &str> = BTreeMap::new();
        let own = heard.iter().filter(|other| traced_kind(other).is_none());
        for other in own.filter(|other| bears(other, &words)) {
            let thing = traced_base(other).unwrap_or(other).to_lowercase();
            let most = things.entry(thing).or_insert(other);
            if (other.len(), *most) > (most.len(), other) {
                *most = other;
            }
        }
        let mut things = things.into_values();
        let thing = things.next().filter(|_| things.next().is_none())?;
        let place = self.places.get(&self.head(&alone(thing)));
        let alerts = place.into_iter().flat_map(|place| &place.near);
        let spelled = alerts
            .filter_map(|(_, id)| self.alerts.get(id))
            .find(|alert: &&Alert| *alert.spot.entity == *thing)
            .map_or(thing, |alert| written(alert, thing));
        Some((thing.into(), spelled.into()))
    }
}

/// Whether this is how callers name somebody they only see from outside.
fn is_foreign(name: &str) -> bool {
    traced_kind(name) == Some(NodeKind::External)
}

/// The first label of a host name, or a name, without what a tracer added; in lower case.
fn label(name: &str) -> String {
    let base = traced_base(name).unwrap_or(name);
    base.split('.').next().unwrap_or(base).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_says_what_it_is_and_what_is_called_after_it_does_not() {
        assert_eq!(kind_by_name("zookeeper-0"), Some(NodeKind::Coordination));
        assert_eq!(kind_by_name("shop/Redis"), Some(NodeKind::Cache));
        for name in ["redisservice", "mysql-exporter", "kafka-consumer", "checkout"] {
            assert_eq!(kind_by_name(name), None, "{name}");
        }
        assert_eq!(kind_by_name("search_client"), Some(NodeKind::Client));
    }
}
