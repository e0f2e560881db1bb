//! What the ranking looks at: plain references into an incident, its graph and the changes before it.

use model::{IncidentId, Labels, Severity, Text, Time};
use topology::{Graph, NodeId};

use super::AlertKind;

/// One alert of an incident.
#[derive(Clone, Debug)]
pub(crate) struct AlertView<'a> {
    /// What it is about, resolved.
    pub(crate) subject: Option<NodeId>,
    /// The machine it is on.
    pub(crate) host: Option<NodeId>,
    /// What of ours its place probably is under a foreign name, and how that is written.
    pub(crate) probably: Option<(&'a str, &'a str)>,
    /// It is about the machine of its name, where no topology knows that: a service may bear the same name.
    pub(crate) as_host: bool,
    /// Who called, for an alert about calls.
    pub(crate) caller: Option<Entity>,
    /// Who was called.
    pub(crate) callee: Option<Entity>,
    /// The name to compare by when the subject is unknown; empty when there is none.
    pub(crate) name: &'a str,
    /// That name as its sender wrote it.
    pub(crate) written: &'a str,
    /// Its class: a hash of the template of its title.
    pub(crate) class: u64,
    /// Its title, for words.
    pub(crate) title: &'a str,
    /// What its sender says beside that.
    pub(crate) text: &'a str,
    /// What it speaks of.
    pub(crate) kind: AlertKind,
    /// The worst severity it had.
    pub(crate) severity: Severity,
    /// Labels and entities of the sender, for the ground that many places share.
    pub(crate) labels: &'a Labels,
    /// Events so far.
    pub(crate) events: u64,
    /// `ts` of its first event here.
    pub(crate) first: Time,
}

/// A change event: a deploy, a configuration change, a feature flag.
#[derive(Clone, Debug)]
pub(crate) struct ChangeView<'a> {
    /// Its event id.
    pub(crate) id: &'a str,
    /// Its title.
    pub(crate) title: &'a str,
    /// What was changed, resolved.
    pub(crate) subject: Option<NodeId>,
    /// The name of what was changed when the graph does not know it.
    pub(crate) name: &'a str,
    /// When.
    pub(crate) at: Time,
}

/// An incident as the ranking sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CauseInput<'a> {
    /// The topology in force.
    pub(crate) graph: &'a Graph,
    /// Its alerts, in the order in which they joined.
    pub(crate) alerts: &'a [AlertView<'a>],
    /// Changes of the last hours, anywhere in the domain.
    pub(crate) changes: &'a [ChangeView<'a>],
    /// The first-ranked entity so far, as it was written.
    pub(crate) named: Option<&'a str>,
    /// Which incident it is: what history took in of itself says nothing about it.
    pub(crate) own: Option<IncidentId>,
}

/// What can be a cause: a node of the topology (its [`Graph::thing`]), or a name that the topology does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    /// A node.
    Node(NodeId),
    /// A name.
    Named(Text),
}

impl Entity {
    /// Its name in records.
    pub(crate) fn name<'a>(&'a self, graph: &'a Graph) -> &'a Text {
        match self {
            Entity::Node(node) => graph.id(*node),
            Entity::Named(name) => name,
        }
    }

    /// The node, if it is one.
    pub(crate) fn node(&self) -> Option<NodeId> {
        match self {
            Entity::Node(node) => Some(*node),
            Entity::Named(_) => None,
        }
    }
}

impl AlertView<'_> {
    /// Where the alert speaks from: its subject, else its name, else its host; `None` when it names nothing.
    pub(crate) fn site(&self, graph: &Graph) -> Option<Entity> {
        match (self.subject, self.name, self.host) {
            (Some(node), _, _) => Some(Entity::Node(graph.thing(node))),
            (None, "", Some(host)) => Some(Entity::Node(graph.thing(host))),
            (None, "", None) => None,
            (None, name, _) => Some(Entity::Named(name.into())),
        }
    }
}
