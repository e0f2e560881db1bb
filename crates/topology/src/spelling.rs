//! How tools spell names, as pure functions of text: ports, domains, schemes, pods, ARNs, the suffixes of tracers.
//!
//! Every function only proposes a shorter form; whether it is the same thing is decided where the forms meet a graph.

use std::net::IpAddr;

use crate::NodeKind;

/// Without scheme, credentials, path and port: `https://db07.example.com:9100/metrics` is `db07.example.com`.
pub(crate) fn host_part(name: &str) -> &str {
    let name = name.trim();
    let name = match name.split_once("://") {
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }
        None => name,
    };
    let name = without_port(name);
    name.strip_suffix('.').unwrap_or(name)
}

/// Without a trailing port.
pub fn without_port(name: &str) -> &str {
    if let Some(rest) = name.strip_prefix('[')
        && let Some((address, port)) = rest.split_once(']')
        && (port.is_empty() || is_port(port.strip_prefix(':').unwrap_or(port)))
    {
        return address;
    }
    match name.rsplit_once(':') {
        Some((host, port)) if is_port(port) && !host.contains(':') && !host.is_empty() => host,
        _ => name,
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether it is an address rather than a name; an address has no domain to drop.
pub(crate) fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

/// The first label of a host name; an address stays whole.
pub(crate) fn first_label(name: &str) -> &str {
    let host = host_part(name);
    if is_address(host) {
        host
    } else {
        host.split('.').next().unwrap_or(host)
    }
}

/// Whether one host name is the other with more of its domain: `db07` and `db07.corp.example.com`.
pub(crate) fn same_machine(a: &str, b: &str) -> bool {
    let (a, b) = (host_part(a), host_part(b));
    if is_address(a) || is_address(b) {
        return a == b;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.get(..short.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(short))
        && (long.len() == short.len() || long.as_bytes()[short.len()] == b'.')
}

/// Before the first `/`, empty when there is none; the part of a name that says whose it is.
pub(crate) fn qualifier(name: &str) -> &str {
    if name.contains("://") {
        return "";
    }
    name.split_once('/').map_or("", |(before, _)| before)
}

/// After the last `/` that separates qualifiers; a URL or an ARN has none.
pub(crate) fn unqualified(name: &str) -> &str {
    if name.contains("://") || name.starts_with("arn:") {
        return name;
    }
    match name.rsplit_once('/') {
        Some((_, last)) if !last.is_empty() => last,
        _ => name,
    }
}

/// Name and namespace of a Kubernetes service name: `checkout.shop.svc.cluster.local`.
pub(crate) fn kubernetes_dns(name: &str) -> Option<(&str, &str)> {
    let mut labels = host_part(name).split('.');
    let (service, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc" && !service.is_empty() && !namespace.is_empty()).then_some((service, namespace))
}

/// What a tracer named before it added how it saw it: `payforadoption_AWS::ECS::Container`, `search_client`.
pub fn traced_base(name: &str) -> Option<&str> {
    let find = |mark: &str| {
        let bytes = name.as_bytes();
        bytes
            .windows(mark.len())
            .position(|w| w.eq_ignore_ascii_case(mark.as_bytes()))
    };
    let end = |mark: &str| find(mark).filter(|at| at + mark.len() == name.len());
    let base = &name[..[
        find("_aws::"),
        find("_database::"),
        end("_client"),
        end("_remote"),
    ]
    .into_iter()
    .flatten()
    .min()?];
    (!unqualified(base).is_empty()).then_some(base)
}

/// What a tracer's mark at the end of a name says that it is: the calling side of a service, or what it only saw from
/// outside.
pub fn traced_kind(name: &str) -> Option<NodeKind> {
    let base = traced_base(name)?;
    let ends = |mark: &str| name[base.len()..].eq_ignore_ascii_case(mark);
    if ends("_client") {
        Some(NodeKind::Client)
    } else if ends("_remote") {
        Some(NodeKind::External)
    } else {
        None
    }
}

/// A service's name as plain words: without qualifiers, `-` for every separator and before a capital, and without the
/// word `service` at its end, which only says what it is. `CheckoutService`, `shop:checkout_service` and
/// `Checkout Service` are all `checkout`. `None` for what is spelled by rules of its own.
pub(crate) fn plain(name: &str) -> Option<model::Text> {
    let name = name.trim();
    if name.starts_with("http") && name.contains("://") || name.starts_with("arn:") || name.contains("::") {
        return None;
    }
    let last = name.rsplit(['/', ':']).next().unwrap_or(name);
    let mut words = model::Text::default();
    let mut before = '-';
    for c in last.chars() {
        let separates = matches!(c, '_' | ' ' | '-');
        if (separates || c.is_uppercase() && before.is_lowercase()) && !words.is_empty() && before != '-' {
            words.push('-');
        }
        if !separates {
            words.extend(c.to_lowercase());
        }
        before = if separates { '-' } else { c };
    }
    let words = words.trim_end_matches('-');
    let bare = ["-service", "-svc"]
        .iter()
        .find_map(|suffix| words.strip_suffix(suffix));
    let words = bare.unwrap_or(words);
    let is_name = words.len() >= 3 && words.bytes().any(|b| b.is_ascii_alphabetic());
    is_name.then(|| words.into())
}

/// What a pod, job or replica set is a copy of, if its name follows the pattern of its controller.
pub(crate) fn workload_of(pod: &str) -> Option<&str> {
    let (rest, last) = pod.rsplit_once('-')?;
    let drawn = |text: &str| is_random(text, 6..=10) || is_job_number(text) || is_hash(text);
    if let Some((stem, _)) = rest.rsplit_once('-').filter(|(_, hash)| drawn(hash)) {
        // Behind such a hash stands no word, whatever letters it is drawn from.
        let five = last.len() == 5 && last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if five && !stem.is_empty() {
            return Some(stem);
        }
    }
    if is_random(last, 5..=5) {
        return Some(rest);
    }
    // A replica set itself.
    is_random(last, 8..=10).then_some(rest)
}

/// What a numbered copy is a copy of: `search-indexer-0`.
pub(crate) fn numbered_of(pod: &str) -> Option<&str> {
    let (stem, number) = pod.rsplit_once('-')?;
    (!stem.is_empty()
        && number.len() <= 4
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit()))
    .then_some(stem)
}

/// Kubernetes draws random names from letters that spell no words, so that a word is no random part
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go>.
fn is_random(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

/// The hash of a pod's template as other builds of Kubernetes and those who write examples have it: hexadecimal.
fn is_hash(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hex = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (8..=10).contains(&text.len()) && hex && digits >= 2
}

/// A cron job numbers its runs by minutes since 1970.
fn is_job_number(text: &str) -> bool {
    (8..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The name of the resource within an ARN: `function:pay`, `table/orders`, `loadbalancer/app/shop/50dc6c495c0c9188`.
pub(crate) fn arn_resource(name: &str) -> Option<&str> {
    let resource = name.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    let mut parts = resource.split([':', '/']);
    let first = parts.next()?;
    let Some(second) = parts.next() else {
        return (!first.is_empty()).then_some(first);
    };
    let name = match (first, second) {
        ("loadbalancer", "app" | "net" | "gwy") => parts.next().unwrap_or(second),
        ("service" | "task" | "container-instance", _) => parts.next().unwrap_or(second),
        _ => second,
    };
    (!name.is_empty()).then_some(name)
}

/// An ARN without the version behind the name of a function: each deploy makes another, of the same thing. An alias stays,
/// for `prod` and `staging` are two environments.
pub(crate) fn unversioned(name: &str) -> &str {
    let is_function = name.starts_with("arn:") && name.split(':').nth(5) == Some("function");
    let is_version = |qualifier: &str| {
        qualifier.eq_ignore_ascii_case("$latest")
            || !qualifier.is_empty() && qualifier.bytes().all(|b| b.is_ascii_digit())
    };
    match name.match_indices(':').nth(6) {
        Some((at, _)) if is_function && is_version(&name[at + 1..]) => &name[..at],
        _ => name,
    }
}

/// Whether a name of a host means the host itself that says it.
pub fn is_loopback(name: &str) -> bool {
    let bytes = name.trim().as_bytes();
    let begins =
        |own: &str| bytes.len() >= own.len() && bytes[..own.len()].eq_ignore_ascii_case(own.as_bytes());
    let ends = |at: usize| matches!(bytes.get(at), None | Some(b':' | b'.'));
    let names = ["localhost", "localhost6", "ip6-localhost", "::1", "[::1]"];
    begins("127.") || begins("0.0.0.0") || names.iter().any(|own| begins(own) && ends(own.len()))
}

/// The form under which a name that no graph knows is compared: lower case, without scheme and port, and without its
/// domain when its first label carries a number. Machines are numbered; `www` and `api` repeat in every domain.
pub(crate) fn unknown_host(name: &str) -> String {
    let host = host_part(name);
    let first = first_label(host);
    let short = !is_address(host) && first.bytes().any(|b| b.is_ascii_digit()) && !first.is_empty();
    if short {
        first.to_lowercase()
    } else {
        host.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_of_a_function_is_another_thing() {
        for alias in ["prod", "staging", "v42", ""] {
            let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:pay:{alias}");
            assert_eq!(unversioned(&arn), arn);
        }
    }

    #[test]
    fn plain_names() {
        for (name, words) in [
            ("checkout", Some("checkout")),
            ("CheckoutService", Some("checkout")),
            ("shop:checkout_service", Some("checkout")),
            ("Checkout Service", Some("checkout")),
            ("k8s://prod/shop/checkout-svc", Some("checkout")),
            ("service", Some("service")),
            ("db07.corp.example.com:9100", None),
            ("https://shop.example.com/checkout", None),
            ("AWS::ECS::Container", None),
            ("grpc-web", Some("grpc-web")),
        ] {
            assert_eq!(plain(name).as_deref(), words, "{name}");
        }
    }

    #[test]
    fn hosts() {
        for (name, host) in [
            ("db07.corp.example.com:9100", "db07.corp.example.com"),
            (
                "https://user:pw@shop.example.com:8443/health?x=1",
                "shop.example.com",
            ),
            ("10.0.0.7:9100", "10.0.0.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            (
                "AWS::StepFunctions::StateMachine",
                "AWS::StepFunctions::StateMachine",
            ),
            ("db07.", "db07"),
            (":9100", ":9100"),
        ] {
            assert_eq!(host_part(name), host);
        }
        assert_eq!(first_label("33.33.33.115:80"), "33.33.33.115");
        assert!(same_machine("DB07", "db07.corp.example.com:9100"));
        assert!(same_machine("db07.corp", "db07.corp.example.com"));
        assert!(!same_machine("db07.a.example.com", "db07.b.example.com"));
        assert!(!same_machine("db0", "db07"));
        assert!(!same_machine("10.0.0.1", "10.0.0.1.example.com"));
        assert_eq!(unknown_host("db07.corp.example.com:9100"), "db07");
        assert_eq!(unknown_host("www.example.com"), "www.example.com");
    }

    #[test]
    fn workloads() {
        for (pod, workload) in [
            ("checkout-7d9c8b6f5-x2k4p", Some("checkout")),
            (
                "ts-order-other-service-6cdbf9b4cc-h7mqk",
                Some("ts-order-other-service"),
            ),
            ("node-agent-x2k4p", Some("node-agent")),
            ("checkout-7d9c8b6f5-abcde", Some("checkout")),
            ("checkout-5e9a8b6f5d-web01", Some("checkout")),
            ("checkout-decade-abcde", None),
            ("thumbs-29481120-jv5lq", Some("thumbs")),
            ("checkout-7d9c8b6f5", Some("checkout")),
            ("web-front", None),
            ("cart-store", None),
            ("plain", None),
        ] {
            assert_eq!(workload_of(pod), workload, "{pod}");
        }
        assert_eq!(numbered_of("search-indexer-0"), Some("search-indexer"));
        assert_eq!(numbered_of("ip-10-0-0-1a"), None);
    }

    #[test]
    fn clouds() {
        for (arn, name) in [
            (
                "arn:aws:lambda:us-east-1:123456789012:function:pay:prod",
                Some("pay"),
            ),
            (
                "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
                Some("orders"),
            ),
            ("arn:aws:sqs:us-east-1:123456789012:invoices", Some("invoices")),
            (
                "arn:aws:ecs:us-east-1:123456789012:service/main/checkout",
                Some("checkout"),
            ),
            (
                "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188",
                Some("shop"),
            ),
            ("arn:aws:s3:::pictures", Some("pictures")),
            ("arn:", None),
            ("checkout", None),
        ] {
            assert_eq!(arn_resource(arn), name, "{arn}");
        }
        let function = "arn:aws:lambda:us-east-1:123456789012:function:pay";
        for (arn, bare) in [
            (format!("{function}:42"), function),
            (format!("{function}:$LATEST"), function),
            (function.to_owned(), function),
            (
                "arn:aws:sqs:us-east-1:123456789012:a".to_owned(),
                "arn:aws:sqs:us-east-1:123456789012:a",
            ),
            ("arn:".to_owned(), "arn:"),
            ("checkout:8080".to_owned(), "checkout:8080"),
        ] {
            assert_eq!(unversioned(&arn), bare);
        }
        assert_eq!(traced_base("search_AWS::ECS::Fargate"), Some("search"));
        assert_eq!(traced_base("search_client"), Some("search"));
        assert_eq!(
            traced_base("pets/store@db.example.com_Database::SQL"),
            Some("pets/store@db.example.com")
        );
        assert_eq!(traced_base("AWS::StepFunctions::StateMachine"), None);
        assert_eq!(traced_kind("search_client"), Some(NodeKind::Client));
        assert_eq!(traced_kind("pay.example.com_remote"), Some(NodeKind::External));
        assert_eq!(traced_kind("search_AWS::ECS::Fargate"), None);
        assert_eq!(traced_kind("client"), None);
        assert_eq!(
            kubernetes_dns("checkout.shop.svc.cluster.local:8080"),
            Some(("checkout", "shop"))
        );
        assert_eq!(kubernetes_dns("checkout.shop"), None);
    }
}
