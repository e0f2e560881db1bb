//! One expression or template, compiled.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, Program, Value as Cel};
use model::Text;
use serde::{Serialize, Serializer, ser::SerializeMap, ser::SerializeSeq};
use serde_json::Value;

use super::MappingError;

/// The standard library, the functions on strings, and `body.?field.orValue(…)` for fields that may be missing.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(true);
    env.add_extension(cel::extensions::strings)
        .expect("the functions on strings are declared once");
    Arc::new(env)
});

/// Characters of one expression, at most.
const EXPRESSION_CHARS_MAX: usize = 4_096;

pub(super) struct Expression {
    text: String,
    parts: Vec<Part>,
}

enum Part {
    Words(String),
    Program(Program),
}

/// What expressions speak of.
pub(super) struct Scope {
    body: Cel,
    item: Option<Cel>,
}

impl Scope {
    pub(super) fn of(body: &Value) -> Scope {
        Scope {
            // Whatever JSON holds, CEL holds.
            body: cel::to_value(Json(body)).unwrap_or(Cel::Null),
            item: None,
        }
    }

    pub(super) fn with(&self, item: Cel) -> Scope {
        Scope {
            body: self.body.clone(),
            item: Some(item),
        }
    }

    fn run(&self, program: &Program) -> Result<Cel, String> {
        let mut context = Context::with_env(ENV.clone());
        context.add_variable_from_value("body", self.body.clone());
        if let Some(item) = &self.item {
            context.add_variable_from_value("item", item.clone());
        }
        program.execute(&context).map_err(|error| {
            let mut words = error.to_string();
            words.truncate(words.floor_char_boundary(200));
            words
        })
    }
}

impl Expression {
    /// Compiles an expression, or a template if the text holds `{{`. `item` says whether there is one.
    pub(super) fn compile(text: &str, item: bool) -> Result<Expression, MappingError> {
        let error = |offset: usize, (line, column): (usize, usize), what: String| {
            let (before, at) = (&text[..offset], place(text, offset));
            MappingError {
                mapping: 0,
                field: String::new(),
                line: at.0 + line - 1,
                column: if line == 1 { at.1 + column - 1 } else { column },
                what: if before.is_empty() {
                    what
                } else {
                    format!("in a template: {what}")
                },
                text: text.to_owned(),
            }
        };
        if text.chars().count() > EXPRESSION_CHARS_MAX {
            let what = format!("longer than {EXPRESSION_CHARS_MAX} characters");
            return Err(error(0, (1, 1), what));
        }
        let program = |offset: usize, source: &str| -> Result<Program, MappingError> {
            let program = ENV.compile(source).map_err(|errors| {
                let first = errors.errors.first();
                let of = |n: isize| usize::try_from(n).unwrap_or(1).max(1);
                let (at, what) = first.map_or(((1, 1), "no expression".to_owned()), |e| {
                    ((of(e.pos.0), of(e.pos.1)), e.msg.clone())
                });
                error(offset, at, what)
            })?;
            let known = |name: &&str| *name == "body" || item && *name == "item";
            if let Some(name) = program.references().variables().into_iter().find(|n| !known(n)) {
                let at = source.find(name).unwrap_or(0);
                let names = if item { "`body` and `item`" } else { "`body`" };
                let what = format!("`{name}` is unknown here; there is {names}");
                return Err(error(offset, place(source, at), what));
            }
            Ok(program)
        };
        let mut parts = Vec::new();
        if text.contains("{{") {
            let mut at = 0;
            while let Some(open) = text[at..].find("{{").map(|i| at + i) {
                let close = text[open..]
                    .find("}}")
                    .map(|i| open + i)
                    .ok_or_else(|| error(open, (1, 1), "`{{` is not closed by `}}`".to_owned()))?;
                parts.push(Part::Words(text[at..open].to_owned()));
                parts.push(Part::Program(program(open + 2, &text[open + 2..close])?));
                at = close + 2;
            }
            parts.push(Part::Words(text[at..].to_owned()));
        } else {
            parts.push(Part::Program(program(0, text)?));
        }
        Ok(Expression {
            text: text.to_owned(),
            parts,
        })
    }

    /// Whether it holds; what cannot be said does not.
    pub(super) fn holds(&self, scope: &Scope) -> bool {
        matches!(&self.parts[..], [Part::Program(p)] if matches!(scope.run(p), Ok(Cel::Bool(true))))
    }

    /// The elements of the list that it gives.
    pub(super) fn list(&self, scope: &Scope) -> Vec<Cel> {
        match &self.parts[..] {
            [Part::Program(p)] => match scope.run(p) {
                Ok(Cel::List(items)) => items.to_vec(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The text that it gives. In a template an absent part is empty; alone it is an error that says why.
    pub(super) fn text(&self, scope: &Scope) -> Result<Text, String> {
        if let [Part::Program(only)] = &self.parts[..] {
            let value = scope.run(only)?;
            return scalar(&value).ok_or_else(|| "gives neither text nor a number".to_owned());
        }
        let mut out = Text::default();
        for part in &self.parts {
            match part {
                Part::Words(words) => out.push_str(words),
                Part::Program(program) => {
                    if let Some(text) = scope.run(program).ok().as_ref().and_then(scalar) {
                        out.push_str(&text);
                    }
                }
            }
        }
        Ok(out.trim().into())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

fn scalar(value: &Cel) -> Option<Text> {
    match value {
        Cel::String(text) => Some(text.trim().into()),
        Cel::Int(n) => Some(compact_str::format_compact!("{n}")),
        Cel::UInt(n) => Some(compact_str::format_compact!("{n}")),
        Cel::Float(n) => Some(compact_str::format_compact!("{n}")),
        Cel::Bool(b) => Some(Text::const_new(if *b { "true" } else { "false" })),
        _ => None,
    }
}

/// A value of CEL as JSON; of maps the names in order.
#[expect(
    clippy::disallowed_methods,
    reason = "the interpreter keeps maps in hash order; they are sorted at once"
)]
pub(super) fn json(value: &Cel) -> Value {
    match value {
        Cel::List(items) => items.iter().map(json).collect(),
        Cel::Map(map) => {
            let mut pairs: Vec<(String, Value)> =
                map.map.iter().map(|(k, v)| (k.to_string(), json(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Cel::Int(n) => (*n).into(),
        Cel::UInt(n) => (*n).into(),
        Cel::Float(n) => (*n).into(),
        Cel::Bool(b) => (*b).into(),
        Cel::String(text) => text.as_str().into(),
        _ => Value::Null,
    }
}

/// JSON on its way into CEL: whole numbers are `int` there, as everybody writes them in expressions, and not `uint`.
struct Json<'v>(&'v Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(n) => match n.as_i64() {
                Some(n) => s.serialize_i64(n),
                None => n.serialize(s),
            },
            Value::Array(items) => {
                let mut list = s.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Json(item))?;
                }
                list.end()
            }
            Value::Object(map) => {
                let mut out = s.serialize_map(Some(map.len()))?;
                for (name, value) in map {
                    out.serialize_entry(name, &Json(value))?;
                }
                out.end()
            }
            other => other.serialize(s),
        }
    }
}
