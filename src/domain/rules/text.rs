//! From the text of a rule file to rules and thresholds, or to every mistake in it.

mod sheet;
mod threshold;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use super::{Condition, Rule, RuleSet, Severity};
use crate::domain::document::{Placed, Table, choice, suggestion};
use crate::domain::event::{EventKind, Pattern};
use crate::domain::mistake::Mistake;
use crate::domain::model::{ChannelName, ShopId};

/// Keys of a `[[rule]]` that the contract names and this version does not obey.
const LATER_IN_RULE: &[&str] =
    &["title", "template", "cooldown", "repeat", "digest", "quiet_hours", "quiet_critical", "days", "max_per_hour"];

/// The names that rules may refer to.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Every `[[shop]]`.
    pub shops: BTreeSet<ShopId>,
    /// Every `[channel.NAME]`.
    pub channels: BTreeSet<ChannelName>,
}

/// Where the rules and thresholds of one file stand in it, in their order.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The name of each `[[rule]]`.
    pub rules: Vec<Range<usize>>,
    /// The head of each `[[threshold]]`.
    pub thresholds: Vec<Range<usize>>,
}

/// Gives the text of a file that a rule file names, or why it cannot be read.
pub type Beside<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Beside a text of a test there is nothing.
#[cfg(test)]
pub(crate) fn no_file(name: &str) -> Result<String, String> {
    Err(format!("{name} cannot be read: there is no such file"))
}

/// Adds what one rule file says to `rules`, or returns every mistake in it.
///
/// Files are read in the order of their names, so a rule's place in `rules` is its rank. `beside` reads the tables of
/// figures that a threshold names.
pub fn parse(text: &str, names: &Names, beside: Beside<'_>, rules: &mut RuleSet) -> Result<Places, Vec<Mistake>> {
    let mut document = Table::parse(text)?;
    let mut mistakes = Vec::new();
    let mut read = RuleSet::default();
    let mut places = Places::default();
    for table in document.tables("threshold", &mut mistakes) {
        places.thresholds.push(table.span.clone());
        read.thresholds.extend(threshold::read(table, names, beside, &mut mistakes));
    }
    let mut taken: BTreeSet<String> = rules.rules.iter().map(|rule| rule.name.clone()).collect();
    for table in document.tables("rule", &mut mistakes) {
        if let Some((name, rule)) = rule(table, names, &mut mistakes) {
            if !taken.insert(rule.name.clone()) {
                mistakes.push(name.mistake(format!("there is another rule called `{}`", rule.name)));
            }
            places.rules.push(name.span);
            read.rules.push(rule);
        }
    }
    document.finish(&["report"], &mut mistakes);
    if mistakes.is_empty() {
        rules.thresholds.append(&mut read.thresholds);
        rules.rules.append(&mut read.rules);
        Ok(places)
    } else {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        Err(mistakes)
    }
}

fn rule(mut table: Table<'_>, names: &Names, mistakes: &mut Vec<Mistake>) -> Option<(Placed<String>, Rule)> {
    let name = table.require::<String>("name", mistakes);
    let on = table.require::<Vec<Spot<String>>>("on", mistakes);
    let shops = shops(&mut table, names, mistakes);
    let when = table.take::<String>("when", mistakes);
    let to = table.require::<Vec<Spot<String>>>("to", mistakes);
    let severity = table.take::<String>("severity", mistakes);
    let severity = severity.and_then(|written| choice("severity", &written, Severity::WORDS, mistakes));
    let group = table.take::<String>("group", mistakes);
    let group = group.and_then(|written| group_of(&written, mistakes));
    let stop = table.take::<bool>("stop", mistakes);
    table.finish(LATER_IN_RULE, mistakes);

    let on = on.and_then(|on| patterns(&on, mistakes));
    let to = to.and_then(|to| channels(&to, names, mistakes));
    let when = when.map(|when| {
        Condition::compile(&when.value).map_err(|error| mistakes.push(when.mistake(format!("`when`: {error}")))).ok()
    });
    let name = name?;
    let rule = Rule {
        name: name.value.clone(),
        on: on?,
        shops,
        when: match when {
            Some(compiled) => Some(compiled?),
            None => None,
        },
        to: to?,
        severity,
        group,
        stop: stop.is_some_and(|stop| stop.value),
    };
    Some((name, rule))
}

/// How long a group may last: a message that waits for more than a day is a digest.
const LONGEST_GROUP: Duration = Duration::from_secs(24 * 60 * 60);

fn group_of(written: &Placed<String>, mistakes: &mut Vec<Mistake>) -> Option<Duration> {
    let help = "write it as `5m`, `30s` or `1h`; `0s` sends each message at once";
    match humantime::parse_duration(&written.value) {
        Ok(length) if length <= LONGEST_GROUP => return Some(length),
        Ok(_) => mistakes.push(written.mistake("`group` is at most `24h`").help(help)),
        Err(_) => {
            mistakes.push(written.mistake(format!("`group` is no length of time: `{}`", written.value)).help(help))
        }
    }
    None
}

fn patterns(on: &Placed<Vec<Spot<String>>>, mistakes: &mut Vec<Mistake>) -> Option<Vec<Pattern>> {
    let before = mistakes.len();
    if on.value.is_empty() {
        mistakes.push(on.mistake("`on` is empty: the rule would never match"));
    }
    let mut patterns = Vec::new();
    for spot in &on.value {
        let text = spot.get_ref();
        match Pattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let mistake = Mistake::new(spot.span(), error.to_string());
                let kinds = EventKind::ALL.iter().map(|kind| kind.name());
                mistakes.push(match suggestion(text, kinds) {
                    Some(alike) => mistake.help(format!("did you mean `{alike}`?")),
                    None => mistake.help("`*` means all events, `stock.*` all of that family"),
                });
            }
        }
    }
    (mistakes.len() == before).then_some(patterns)
}

fn channels(to: &Placed<Vec<Spot<String>>>, names: &Names, mistakes: &mut Vec<Mistake>) -> Option<Vec<ChannelName>> {
    let before = mistakes.len();
    if to.value.is_empty() {
        mistakes.push(to.mistake("`to` is empty: the rule would send nothing"));
    }
    let mut channels = Vec::new();
    for spot in &to.value {
        match ChannelName::new(spot.get_ref().as_str()).ok().filter(|name| names.channels.contains(name)) {
            Some(name) => channels.push(name),
            None => {
                let known = names.channels.iter().map(ChannelName::as_str);
                mistakes
                    .push(unknown("channel", spot, known).help_or("write a `[channel.NAME]` for it into posbell.toml"));
            }
        }
    }
    (mistakes.len() == before).then_some(channels)
}

fn shops(table: &mut Table<'_>, names: &Names, mistakes: &mut Vec<Mistake>) -> Vec<ShopId> {
    let Some(written) = table.take::<Vec<Spot<String>>>("shops", mistakes) else { return Vec::new() };
    if written.value.is_empty() {
        mistakes.push(written.mistake("`shops` is empty: leave it out to mean all shops"));
    }
    let mut shops = Vec::new();
    for spot in &written.value {
        match ShopId::new(spot.get_ref().as_str()).ok().filter(|id| names.shops.contains(id)) {
            Some(id) => shops.push(id),
            None => mistakes.push(unknown("shop", spot, names.shops.iter().map(ShopId::as_str))),
        }
    }
    shops
}

/// A value inside an array, with its place.
type Spot<T> = toml::Spanned<T>;

fn unknown<'a>(what: &str, spot: &Spot<String>, known: impl Iterator<Item = &'a str>) -> Mistake {
    let mistake = Mistake::new(spot.span(), format!("there is no {what} `{}`", spot.get_ref()));
    match suggestion(spot.get_ref(), known) {
        Some(alike) => mistake.help(format!("did you mean `{alike}`?")),
        None => mistake,
    }
}

#[cfg(test)]
mod tests;
