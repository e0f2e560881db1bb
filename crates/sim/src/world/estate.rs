//! The estate: products made of services that call each other, on hosts in zones, with providers outside.

use model::{Edge, Labels, Node, Text, TopologyDocument};

use crate::Dice;

/// A thing of the estate, by its number.
pub type Place = usize;

/// One thing: a service, database, host, provider, ….
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the topology.
    pub name: Text,
    /// Its kind in the topology.
    pub kind: &'static str,
    /// The team that owns it; providers have none.
    pub team: Option<Text>,
    /// What it depends on.
    pub uses: Vec<Place>,
    /// What depends on it.
    pub used_by: Vec<Place>,
    /// The host it runs on.
    pub host: Option<Place>,
    /// Number of its product.
    pub product: usize,
}

/// Services, hosts and providers with what they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estate {
    /// Things, in a fixed order.
    pub places: Vec<Service>,
}

const PRODUCTS: [&str; 8] = ["shop", "bank", "ride", "mail", "play", "book", "farm", "post"];
const ROLES: [&str; 16] = [
    "orders", "cart", "pricing", "search", "catalog", "profile", "login", "stock", "billing", "shipping",
    "reviews", "offers", "quotes", "ledger", "routes", "media",
];
const PROVIDERS: [&str; 3] = ["cardgate", "mailwing", "mapworks"];
const ZONES: [&str; 3] = ["a", "b", "c"];
/// Things of one product, hosts apart.
const PRODUCT_SIZE: usize = 12;

impl Estate {
    /// An estate of about `services` things in products of a dozen.
    pub fn new(services: usize, dice: &mut Dice) -> Estate {
        let mut estate = Estate { places: Vec::new() };
        for provider in PROVIDERS {
            estate.add(format!("{provider}.example.net"), "external", None, usize::MAX);
        }
        for product in 0..services.div_ceil(PRODUCT_SIZE).max(1) {
            estate.product(product, dice);
        }
        estate
    }

    /// Entry, three front services, four behind them, two databases, a cache and a queue; one provider outside.
    fn product(&mut self, number: usize, dice: &mut Dice) {
        let name = match number / PRODUCTS.len() {
            0 => PRODUCTS[number].to_owned(),
            round => format!("{}{}", PRODUCTS[number % PRODUCTS.len()], round + 1),
        };
        let mut roles = ROLES.to_vec();
        for i in (1..roles.len()).rev() {
            roles.swap(i, dice.below(i as u64 + 1) as usize);
        }
        let team = |part: &str| Some(Text::from(format!("{name}-{part}")));
        let stores: Vec<Place> = [
            ("db-1", "database"),
            ("db-2", "database"),
            ("cache", "cache"),
            ("queue", "queue"),
        ]
        .map(|(part, kind)| self.add(format!("{name}-{part}"), kind, team("data"), number))
        .to_vec();
        let back: Vec<Place> = (0..4)
            .map(|i| self.add(format!("{name}-{}", roles[i]), "service", team("core"), number))
            .collect();
        let front: Vec<Place> = (4..7)
            .map(|i| self.add(format!("{name}-{}", roles[i]), "service", team("web"), number))
            .collect();
        let entry = self.add(format!("{name}-gateway"), "gateway", team("web"), number);
        for &place in &front {
            self.link(entry, place);
            self.link(place, back[dice.below(4) as usize]);
            self.link(place, back[dice.below(4) as usize]);
        }
        for (i, &place) in back.iter().enumerate() {
            self.link(place, stores[i % 2]);
            if dice.chance(0.5) {
                self.link(place, stores[2 + dice.below(2) as usize]);
            }
        }
        // One service of each product calls a provider; providers are shared between products.
        self.link(back[0], number % PROVIDERS.len());
        let hosts: Vec<Place> = (0..4)
            .map(|i| {
                let host = format!("{name}-host-{i}.{}.example.org", ZONES[i % ZONES.len()]);
                self.add(host, "host", team("platform"), number)
            })
            .collect();
        for (i, place) in stores
            .iter()
            .chain(&back)
            .chain(&front)
            .chain([&entry])
            .enumerate()
        {
            self.places[*place].host = Some(hosts[i % hosts.len()]);
        }
    }

    fn add(&mut self, name: String, kind: &'static str, team: Option<Text>, product: usize) -> Place {
        self.places.push(Service {
            name: name.into(),
            kind,
            team,
            uses: Vec::new(),
            used_by: Vec::new(),
            host: None,
            product,
        });
        self.places.len() - 1
    }

    fn link(&mut self, from: Place, to: Place) {
        if !self.places[from].uses.contains(&to) {
            self.places[from].uses.push(to);
            self.places[to].used_by.push(from);
        }
    }

    /// Things of one of these kinds.
    pub fn of_kind(&self, kinds: &[&str]) -> Vec<Place> {
        (0..self.places.len())
            .filter(|p| kinds.contains(&self.places[*p].kind))
            .collect()
    }

    /// What runs on a host.
    pub fn on_host(&self, host: Place) -> Vec<Place> {
        (0..self.places.len())
            .filter(|p| self.places[*p].host == Some(host))
            .collect()
    }

    /// The zone of a host, from its name.
    pub fn zone(&self, host: Place) -> &str {
        self.places[host].name.split('.').nth(1).unwrap_or_default()
    }

    /// The topology document, with the names that the tools use as aliases.
    pub fn topology(&self) -> TopologyDocument {
        let mut document = TopologyDocument::default();
        for (place, service) in self.places.iter().enumerate() {
            let mut labels = Labels::new();
            if service.kind == "host" {
                labels.set("zone", self.zone(place));
            }
            document.nodes.push(Node {
                id: service.name.clone(),
                kind: service.kind.into(),
                team: service.team.clone(),
                aliases: super::tool::aliases(service),
                external: service.kind == "external",
                tier: None,
                labels,
            });
            let calls = service.uses.iter().map(|to| (*to, "calls"));
            for (to, kind) in calls.chain(service.host.map(|host| (host, "runs_on"))) {
                document.edges.push(Edge {
                    from: service.name.clone(),
                    to: self.places[to].name.clone(),
                    kind: kind.into(),
                });
            }
        }
        document
    }
}
