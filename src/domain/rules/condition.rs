//! `when`: a CEL expression over an event, compiled once and safe to run on whatever a shop contains.
//!
//! The library has no limit of its own on time or depth, so the text is limited before it is compiled and the tree
//! after it. What goes wrong while it runs is an answer of its own, never a match.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr};
use cel::{Context, Program, Value};

use crate::domain::event::Event;

/// The longest text: far above any rule a person writes, far below what could overflow the compiler's stack.
const MOST_BYTES: usize = 2_000;
/// The most nodes of a tree: a long rule has about 40.
const MOST_NODES: usize = 200;
/// How deep `all`, `exists` and their like may be nested: six took over a second on a small bill, two are instant.
const MOST_NESTED: usize = 2;
/// How deep a tree may be. It runs on stacks of 2 MiB, of which a level took up to 35 KiB in a build for tests; a long
/// rule with a loop in a loop has 14 levels.
const MOST_LEVELS: usize = 32;
/// The most opening brackets, also those in strings. The compiler has a limit of its own, but looks ahead without one:
/// 100 of them in each other took the whole of its stack, and the process with it.
const MOST_BRACKETS: usize = 48;
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
    #[error(
        "too large: at most {MOST_NODES} parts, {MOST_LEVELS} levels, {MOST_BRACKETS} brackets and {MOST_NESTED} nested loops"
    )]
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
        if text.bytes().filter(|byte| b"([{".contains(byte)).count() > MOST_BRACKETS {
            return Err(ConditionError::TooLarge);
        }
        let program = compile_on_large_stack(text)?;
        let mut survey = Survey::default();
        survey.visit(program.expression(), Depth::default());
        if survey.too_large {
            return Err(ConditionError::TooLarge);
        }
        match survey.unknown.first() {
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

/// What a tree looks like before it is run.
#[derive(Default)]
struct Survey<'e> {
    nodes: usize,
    too_large: bool,
    /// The variables of the loops around the node that is looked at.
    locals: Vec<&'e str>,
    /// Names that are neither a root nor the variable of a loop around them.
    unknown: BTreeSet<&'e str>,
}

/// Where in the tree a node is.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    levels: usize,
    loops: usize,
}

impl<'e> Survey<'e> {
    fn visit(&mut self, node: &'e IdedExpr, at: Depth) {
        self.nodes += 1;
        self.too_large |= self.nodes > MOST_NODES || at.levels > MOST_LEVELS || at.loops > MOST_NESTED;
        if self.too_large {
            return;
        }
        let below = Depth { levels: at.levels + 1, ..at };
        match &node.expr {
            Expr::Ident(name) => self.name(name),
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.visit(target, below));
                call.args.iter().for_each(|arg| self.visit(arg, below));
            }
            Expr::Comprehension(all) => self.visit_loop(all, below),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element, below)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, below)),
            Expr::Struct(made) => made.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, below)),
            Expr::Select(select) => self.visit(&select.operand, below),
            Expr::Unspecified | Expr::Literal(_) => {}
        }
    }

    fn visit_loop(&mut self, all: &'e ComprehensionExpr, at: Depth) {
        self.visit(&all.iter_range, at);
        let around = self.locals.len();
        self.locals.push(&all.iter_var);
        self.locals.extend(all.iter_var2.as_deref());
        for part in [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result] {
            self.visit(part, Depth { loops: at.loops + 1, ..at });
        }
        self.locals.truncate(around);
    }

    fn visit_entry(&mut self, entry: &'e EntryExpr, at: Depth) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, at),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, at);
                self.visit(&entry.value, at);
            }
        }
    }

    fn name(&mut self, name: &'e str) {
        // Names beginning with `@` are the compiler's own, made for loops.
        if !ROOTS.contains(&name) && !name.starts_with('@') && !self.locals.contains(&name) {
            self.unknown.insert(name);
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

#[cfg(test)]
mod tests;
