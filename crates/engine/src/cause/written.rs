//! How those who send them write the names that the topology does not know.
//!
//! Names are folded before they are compared: lower case, with the namespace that stands beside them. That is how things
//! are told apart; whoever reads a cause knows the thing by the name that the alert bore.

use std::collections::BTreeMap;

use model::Text;
use topology::{Graph, as_written, traced_base, traced_kind};

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
                if let Some((thing, spelled)) = alert.probably {
                    first.entry(thing.into()).or_insert(spelled);
                }
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

/// The names that a tracing tool gives one thing that no topology knows: `status_AWS::Lambda` and
/// `status_AWS::Lambda::Function`, `search_client` beside `search_AWS::ECS::Fargate`. It goes by the one that says most
/// about what it is, which is never how its calling side or somebody outside saw it.
#[derive(Debug, Default)]
pub(super) struct Traced<'a>(BTreeMap<String, (&'a str, &'a str)>);

impl<'a> Traced<'a> {
    /// Of unknown names, each with how it is written.
    pub(super) fn of(names: impl Iterator<Item = (&'a str, &'a str)>) -> Traced<'a> {
        let mut most: BTreeMap<String, (&str, &str)> = BTreeMap::new();
        for (name, written) in names.filter(|(name, _)| traced_kind(name).is_none()) {
            if let Some(base) = traced_base(name) {
                let known = most.entry(base.to_lowercase()).or_insert((name, written));
                if (name.len(), known.0) > (known.0.len(), name) {
                    *known = (name, written);
                }
            }
        }
        Traced(most)
    }

    /// The name that stands for all of one thing, and how that is written.
    pub(super) fn name(&self, name: &'a str, written: &'a str) -> (&'a str, &'a str) {
        let known = traced_base(name).and_then(|base| self.0.get(&base.to_lowercase()));
        known.copied().unwrap_or((name, written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracer_names_one_thing_in_several_ways() {
        let names = [
            "search_client",
            "search_aws::ecs::fargate",
            "status_aws::lambda",
            "status_aws::lambda::function",
            "cdn_remote",
            "book",
        ];
        for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]] {
            let traced = Traced::of(order.iter().map(|&i| (names[i], names[i])));
            let named = names.map(|name| traced.name(name, name).0);
            let (search, status) = ("search_aws::ecs::fargate", "status_aws::lambda::function");
            assert_eq!(named, [search, search, status, status, "cdn_remote", "book"]);
        }
    }
}
