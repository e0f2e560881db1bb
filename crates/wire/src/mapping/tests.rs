use super::*;
use crate::{DecodeSettings, Decoder, Found, Raw};

fn mapping() -> Mapping {
    Mapping {
        source: "boiler".to_owned(),
        when: Some("has(body.boiler) && body.v == 2".to_owned()),
        each: Some("body.boiler.faults".to_owned()),
        title: "{{ item.code }}: {{ item.?words.orValue('no words') }}".to_owned(),
        dedup_key: Some("{{ body.boiler.id }}/{{ item.code }}".to_owned()),
        status: Some("item.on ? 'AN' : 'AUS'".to_owned()),
        statuses: BTreeMap::from([
            ("AN".to_owned(), "firing".to_owned()),
            ("AUS".to_owned(), "resolved".to_owned()),
        ]),
        severity: Some("item.class".to_owned()),
        severities: BTreeMap::from([("3".to_owned(), "critical".to_owned())]),
        ts: Some("item.at".to_owned()),
        service: Some("body.boiler.building.lowerAscii()".to_owned()),
        host: Some("body.boiler.missing".to_owned()),
        labels: BTreeMap::from([("hot".to_owned(), "item.temp > 90.0".to_owned())]),
        ..Mapping::default()
    }
}

fn decode(mappings: &[Mapping], body: &str, source: Option<&str>) -> Vec<Value> {
    let decoder = Decoder::new(DecodeSettings {
        mappings: Mappings::compile(mappings).unwrap(),
        ..DecodeSettings::default()
    });
    let mut found = Vec::new();
    let raw = Raw {
        source,
        ..Raw::of_file(body.as_bytes(), "f", 1)
    };
    decoder.decode(&raw, &mut found);
    let json = |f: &Found| serde_json::from_str(&crate::outcome::line(f)).unwrap();
    found.iter().map(json).collect()
}

const BODY: &str = r#"{"v":2,"boiler":{"id":7,"building":"EAST","faults":[
    {"code":"E4","words":"too hot","on":true,"class":3,"at":1777881600,"temp":97.5},
    {"code":"E9","on":false,"class":1,"at":"2026-05-04T08:01:00Z","temp":20}]}}"#;

#[test]
fn a_format_of_ones_own() {
    let found = decode(&[mapping()], BODY, None);
    assert_eq!(found.len(), 2);
    let e = &found[0]["event"];
    assert_eq!(e["source"], "boiler");
    assert_eq!(e["title"], "E4: too hot");
    assert_eq!(e["dedup_key"], "boiler:7/E4");
    assert_eq!(e["status"], "firing");
    assert_eq!(e["severity"], "critical");
    assert_eq!(e["severity_original"], "3");
    assert_eq!(e["ts"], "2026-05-04T08:00:00Z");
    assert_eq!(e["service"], "east");
    assert_eq!(e["labels"]["hot"], "true");
    assert_eq!(e["labels"]["temp"], "97.5");
    assert!(e.get("host").is_none(), "what is not there is absent");
    let e = &found[1]["event"];
    assert_eq!(e["title"], "E9: no words");
    assert_eq!(e["status"], "resolved");
    assert_eq!(e["ts"], "2026-05-04T08:01:00Z");
}

#[test]
fn other_bodies_are_read_as_ever() {
    let body = r#"{"v":1,"title":"x","status":"firing","event_id":"1"}"#;
    assert_eq!(decode(&[mapping()], body, None)[0]["event"]["source"], "native");
    // A name that the sender gives decides without a condition, and so does another name.
    let named = Mapping {
        source: "own".to_owned(),
        title: "body.name".to_owned(),
        ..Mapping::default()
    };
    let own = decode(std::slice::from_ref(&named), r#"{"name":"n"}"#, Some("own"));
    assert_eq!(own[0]["event"]["title"], "n");
    let refused = decode(std::slice::from_ref(&named), r#"{"nam":"n"}"#, Some("own"));
    assert_eq!(refused[0]["outcome"], "rejected");
    assert!(
        refused[0]["reason"]
            .as_str()
            .unwrap()
            .contains("No such key: name"),
        "{refused:?}"
    );
    assert_eq!(refused[0]["source"], "own");
}

#[test]
fn errors_have_a_line_and_a_column() {
    let error = |edit: &dyn Fn(&mut Mapping)| {
        let mut m = mapping();
        edit(&mut m);
        Mappings::compile(&[mapping(), m]).unwrap_err()
    };
    let e = error(&|m| m.when = Some("body.a ==\n  && body.b".to_owned()));
    assert_eq!((e.mapping, e.field.as_str(), e.line), (1, "when", 2));
    assert_eq!(e.column, 3, "{e}");
    let e = error(&|m| m.title = "a {{ item.b }} {{ itm.c }}".to_owned());
    assert_eq!((e.line, e.column), (1, 19), "{e}");
    assert!(
        e.what
            .contains("`itm` is unknown here; there is `body` and `item`"),
        "{e}"
    );
    let e = error(&|m| m.title = "a {{ item.b".to_owned());
    assert_eq!((e.line, e.column), (1, 3), "{e}");
    let e = error(&|m| m.each = Some("item.x".to_owned()));
    assert!(e.what.contains("there is `body`"), "{e}");
    let e = error(&|m| {
        m.statuses.insert("X".to_owned(), "burning".to_owned());
    });
    assert_eq!(e.field, "statuses.X");
}
