//! How those who send them write the names that the topology does not know.
//!
//! Names are folded before they are compared: lower case, with the namespace that stands beside them. That is how things
//! are told apart; whoever reads a cause knows the thing by the name that the alert bore.

use std::collections::BTreeMap;

use model::Text;
use topology::{Graph, as_written};

use super::{AlertView, Entity};

/// Names as they are written, by the name to compare by; only where the two differ.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(BTreeMap<Text, Text>);

impl Written {
    /// The first way in which each unknown thing is written in these alerts. Where two things would bear one name, or one
    /// that the topology knows, they keep the long one.
    pub(super) fn of(graph: &Graph, alerts: &[AlertView<'_>]) -> Written {
        let mut first: BTreeMap<Text, &str> = BTreeMap::new();
        for alert in alerts {
            if let Some(Entity::Named(name)) = alert.site(graph) {
                first.entry(name).or_insert(alert.written);
            }
        }
        for alert in alerts {
            for (end, label) in [(&alert.caller, "caller"), (&alert.callee, "callee")] {
                if let (Some(Entity::Named(name)), Some(said)) = (end, alert.labels.get(label))
                    && !first.contains_key(name)
                    && let written = as_written(name, [said])
                    && written == said
                {
                    first.insert(name.clone(), said);
                }
            }
        }
        let mut bearers: BTreeMap<&str, u32> = BTreeMap::new();
        for written in first.values() {
            *bearers.entry(written).or_default() += 1;
        }
        let own = |(name, written): &(Text, &str)| {
            name != written && bearers[written] == 1 && graph.find(written).is_none()
        };
        let names = first
            .iter()
            .map(|(name, written)| (name.clone(), *written))
            .filter(own);
        Written(names.map(|(name, written)| (name, written.into())).collect())
    }

    /// The name to show.
    pub(crate) fn name<'a>(&'a self, entity: &'a Entity, graph: &'a Graph) -> &'a Text {
        match entity {
            Entity::Node(node) => graph.id(*node),
            Entity::Named(name) => self.0.get(name).unwrap_or(name),
        }
    }
}
