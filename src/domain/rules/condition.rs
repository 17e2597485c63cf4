//! `when`: a CEL expression over an event, compiled once and safe to run on whatever a shop contains.
//!
//! The library has no limit of its own on time or depth, so the text is limited before it is compiled and the tree
//! after it. What goes wrong while it runs is an answer of its own, never a match.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Program, Value};

use crate::domain::event::Event;

/// The longest text: far above any rule a person writes, far below what could overflow the compiler's stack.
const MOST_BYTES: usize = 2_000;
/// The most nodes of a tree: a long rule has about 40.
const MOST_NODES: usize = 200;
/// How deep `all`, `exists` and their like may be nested: six took over a second on a small bill, two are instant.
const MOST_NESTED: usize = 2;
/// The stack of the thread that compiles, since the compiler recurses with the text.
const COMPILER_STACK: usize = 16 * 1024 * 1024;

/// The names that an expression may begin with.
const ROOTS: &[&str] = &[
    "event",
    "sale",
    "product",
    "credit",
    "member",
    "vendor",
    "purchase",
    "previous",
    "changed",
    "threshold",
    "shop",
    "details",
];

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// More than the longest text.
    #[error("longer than {MOST_BYTES} bytes")]
    TooLong,
    /// More nodes or deeper nesting than allowed.
    #[error("too large: at most {MOST_NODES} parts and {MOST_NESTED} nested loops")]
    TooLarge,
    /// Not CEL.
    #[error("not a valid expression: {0}")]
    Syntax(String),
    /// A name that no event has.
    #[error("nothing is called `{0}` here")]
    UnknownName(String),
    /// What it yields at run time is no yes or no, or it failed.
    #[error("{0}")]
    Failed(String),
}

/// A compiled `when`.
#[derive(Clone)]
pub struct Condition {
    text: String,
    program: Arc<Program>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl Condition {
    /// Compiles `text`.
    pub fn compile(text: &str) -> Result<Condition, ConditionError> {
        if text.len() > MOST_BYTES {
            return Err(ConditionError::TooLong);
        }
        let program = compile_on_large_stack(text)?;
        let mut size = Size::default();
        size.visit(program.expression(), 0);
        if size.nodes > MOST_NODES || size.nested > MOST_NESTED {
            return Err(ConditionError::TooLarge);
        }
        let references = program.references();
        let mut unknown: Vec<&str> = references.variables().into_iter().filter(|name| !is_known(name)).collect();
        unknown.sort_unstable();
        match unknown.first() {
            Some(name) => Err(ConditionError::UnknownName((*name).to_owned())),
            None => Ok(Condition { text: text.to_owned(), program: Arc::new(program) }),
        }
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is true of this event.
    pub fn holds(&self, subject: &EventView) -> Result<bool, ConditionError> {
        let mut context = Context::default();
        context.add_variable_from_value("event", subject.event.clone());
        for (name, value) in &subject.members {
            context.add_variable_from_value(name.as_str(), value.clone());
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(ConditionError::Failed(format!("it yields {}, not true or false", other.type_of()))),
            // The library's own text may quote values of the event, which may be personal; its kind is enough.
            Err(error) => Err(ConditionError::Failed(kind_of(&error))),
        }
    }
}

fn is_known(name: &str) -> bool {
    // Names beginning with `@` are the compiler's own, made for loops.
    ROOTS.contains(&name) || name.starts_with('@')
}

fn kind_of(error: &cel::ExecutionError) -> String {
    let text = format!("{error:?}");
    let kind: String = text.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    format!("it failed: {kind}")
}

fn compile_on_large_stack(text: &str) -> Result<Program, ConditionError> {
    let text = text.to_owned();
    let compiler = std::thread::Builder::new().stack_size(COMPILER_STACK).spawn(move || Program::compile(&text));
    let compiled = compiler.map_err(|error| ConditionError::Syntax(error.to_string()))?.join();
    match compiled {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(errors)) => {
            let first = errors.errors.first().map_or_else(String::new, |error| error.msg.clone());
            Err(ConditionError::Syntax(first))
        }
        Err(_) => Err(ConditionError::Syntax("the compiler gave up on it".to_owned())),
    }
}

#[derive(Default)]
struct Size {
    nodes: usize,
    nested: usize,
}

impl Size {
    fn visit(&mut self, node: &IdedExpr, depth: usize) {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return;
        }
        match &node.expr {
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.visit(target, depth));
                call.args.iter().for_each(|arg| self.visit(arg, depth));
            }
            Expr::Comprehension(all) => {
                self.nested = self.nested.max(depth + 1);
                self.visit(&all.iter_range, depth);
                for part in [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result] {
                    self.visit(part, depth + 1);
                }
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element, depth)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Struct(made) => made.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Select(select) => self.visit(&select.operand, depth),
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }

    fn visit_entry(&mut self, entry: &EntryExpr, depth: usize) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth);
                self.visit(&entry.value, depth);
            }
        }
    }
}

/// An event as expressions see it: money and quantities are doubles here, and only here.
pub struct EventView {
    event: Value,
    members: Vec<(String, Value)>,
}

impl EventView {
    /// The view of one event, made once for all rules.
    pub fn of(event: &Event) -> EventView {
        let json = serde_json::from_str(&event.to_json()).unwrap_or(serde_json::Value::Null);
        let members = match json.get("data") {
            Some(serde_json::Value::Object(data)) => {
                data.iter().map(|(name, value)| (name.clone(), cel_value(value))).collect()
            }
            _ => Vec::new(),
        };
        EventView { event: cel_value(&json), members }
    }
}

fn cel_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number.as_f64().map_or(Value::Null, Value::Float),
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(cel_value).collect())),
        serde_json::Value::Object(members) => {
            let map: HashMap<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), cel_value(value))).collect();
            Value::Map(map.into())
        }
    }
}
