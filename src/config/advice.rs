//! What does not keep posbell from running and should be known before it matters?
//!
//! Rules that no event is left for, messages that anybody could have sent or read, and notices that reach nobody. Each
//! is a warning: it is shown by `check` and stops nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::rules::Spot;
use super::{ChannelConfig, ChannelKind, Config, Problem, SecretRef, SourceFile, Weight};
use crate::domain::event::EventKind;
use crate::domain::mistake::Mistake;
use crate::domain::model::{ChannelName, ShopId};
use crate::domain::rules::Rule;
use crate::edge::channel::webhook::address::may_be_public;
use crate::edge::store::is_open_to_others;

/// How a signing secret is made: 32 random bytes.
pub const MAKE_SECRET: &str = "make one with: echo whsec_$(openssl rand -base64 32)";

/// The notices that must reach a person.
const NOTICES: [EventKind; 4] =
    [EventKind::ShopStale, EventKind::ShopKeyRejected, EventKind::PassHeld, EventKind::ChannelFailing];

impl Config {
    /// Every warning. `env` answers for the environment, which says where a unit's credentials are.
    pub fn advice(&self, env: &dyn Fn(&str) -> Option<String>) -> Vec<Problem> {
        let mut advice = Vec::new();
        self.about_secrets(env, &mut advice);
        self.about_data_dir(&mut advice);
        self.about_webhooks(&mut advice);
        self.about_people(&mut advice);
        // Without any rule nothing is sent, which `check` says itself.
        if !self.rules.rules.is_empty() {
            self.about_unused(&mut advice);
            self.about_notices(&mut advice);
        }
        self.about_hidden(&mut advice);
        advice
    }

    fn about_secrets(&self, env: &dyn Fn(&str) -> Option<String>, advice: &mut Vec<Problem>) {
        let mut named = BTreeSet::new();
        for secret in self.secrets() {
            let open = secret.open_to_others(&self.file.path, env);
            // One line for a file, however many secrets are in it.
            let Some(path) = open.filter(|path| named.insert(path.clone())) else { continue };
            let path = path.display();
            let mistake = Mistake::new(secret.span.clone(), format!("others than its owner can read {path}"));
            advice.push(self.here(mistake.help(format!("chmod 600 {path}"))));
        }
    }

    fn about_data_dir(&self, advice: &mut Vec<Problem>) {
        if is_open_to_others(&self.data_dir) {
            let path = self.data_dir.display();
            let message = format!("others than its owner can look into the data directory {path}");
            advice.push(self.nowhere(Mistake::new(0..0, message).help(format!("chmod 700 {path}"))));
        }
    }

    /// Every secret that is named.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        let mut secrets: Vec<&SecretRef> = self.shops.iter().map(|shop| &shop.api_key).collect();
        secrets.extend(self.admin.iter().filter_map(|admin| admin.token.as_ref()));
        for channel in &self.channels {
            match &channel.kind {
                ChannelKind::Webhook { secrets: several, .. } => secrets.extend(several),
                ChannelKind::Email { password, .. } => secrets.extend(password),
                ChannelKind::Telegram { token, .. } => secrets.push(token),
            }
        }
        secrets
    }

    fn about_webhooks(&self, advice: &mut Vec<Problem>) {
        for channel in &self.channels {
            let ChannelKind::Webhook { url, secrets, allow_networks, .. } = &channel.kind else { continue };
            if secrets.is_empty() {
                let message =
                    format!("channel {} has no secret: its receiver cannot tell who sent a message", channel.name);
                let mistake = at(channel, message).help(format!("add `secret_file`; {MAKE_SECRET}"));
                advice.push(self.here(mistake));
            }
            if url.scheme() == "http" && may_be_public(url, allow_networks) {
                let message = format!(
                    "channel {} sends over http:// to a public host: anyone on the way can read it",
                    channel.name
                );
                advice.push(self.here(at(channel, message).help("use https://")));
            }
        }
    }

    fn about_people(&self, advice: &mut Vec<Problem>) {
        let mut people = self.channels.iter().filter(|channel| channel.is_for_people());
        match (people.next(), people.next()) {
            (None, _) => {
                let message = "there is no channel for people: when posbell cannot do its work, nobody is told";
                let help = "add an `email` or a `telegram` channel, or watch `posbell status`";
                advice.push(self.nowhere(Mistake::new(0..0, message).help(help)));
            }
            (Some(only), None) => {
                let message =
                    format!("channel {} is the only one for people: when it fails, nobody is told", only.name);
                advice.push(self.here(at(only, message).help("add a second one of another kind, or `[heartbeat]`")));
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn about_unused(&self, advice: &mut Vec<Problem>) {
        let is_used = |name: &ChannelName| self.rules.rules.iter().any(|rule| rule.to.contains(name));
        for channel in self.channels.iter().filter(|channel| !is_used(&channel.name)) {
            let mistake = at(channel, format!("no rule sends anything to channel {}", channel.name));
            advice.push(self.here(mistake.help("name it in the `to` of a rule, or take it out")));
        }
    }

    /// Whether a rule tells people of that kind in that shop. A `when` is not asked: the type in `on` is what counts.
    fn tells_people(&self, kind: EventKind, shop: &ShopId) -> bool {
        let is_for_people =
            |name: &ChannelName| self.channels.iter().any(|channel| channel.name == *name && channel.is_for_people());
        let about = |rule: &&Rule| rule.is_of(shop) && rule.on.iter().any(|on| on.matches(kind));
        self.rules.rules.iter().filter(about).any(|rule| rule.to.iter().any(is_for_people))
    }

    fn about_notices(&self, advice: &mut Vec<Problem>) {
        let mut shops_by_untold: BTreeMap<Vec<EventKind>, Vec<&str>> = BTreeMap::new();
        for shop in &self.shops {
            let untold: Vec<EventKind> =
                NOTICES.into_iter().filter(|kind| !self.tells_people(*kind, &shop.id)).collect();
            if !untold.is_empty() {
                shops_by_untold.entry(untold).or_default().push(shop.id.as_str());
            }
        }
        for (untold, shops) in shops_by_untold {
            let kinds = untold.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            let of = if shops.len() == self.shops.len() { String::new() } else { format!(" of {}", shops.join(", ")) };
            let message = format!("no rule{of} tells people of {kinds}: posbell then tells every channel for people");
            let quoted = untold.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(", ");
            let help = format!("say who is told: a rule with on = [{quoted}]");
            advice.push(self.nowhere(Mistake::new(0..0, message).help(help)));
        }
    }

    fn about_hidden(&self, advice: &mut Vec<Problem>) {
        let shops: Vec<ShopId> = self.shops.iter().map(|shop| shop.id.clone()).collect();
        for hidden in self.rules.hidden_rules(&shops) {
            let by: Vec<String> = hidden
                .by
                .iter()
                .map(|earlier| format!("`{}` ({})", self.rules.rules[*earlier].name, self.rule_places.rules[*earlier]))
                .collect();
            let why = if hidden.is_stopped { "stops all of its events" } else { "decides for its channels" };
            let message = format!(
                "rule `{}` never counts: {} {why} before it",
                self.rules.rules[hidden.rule].name,
                by.join(" and ")
            );
            advice.push(self.rule_places.rules[hidden.rule].warning(message, "put it before that one, or take it out"));
        }
        for hidden in self.rules.hidden_thresholds(&shops) {
            let by = &self.rule_places.thresholds[hidden.by];
            let message = format!("this threshold never counts: {by} comes first and matches all of its products");
            let help = "put it before that one; files are read in the order of their names";
            advice.push(self.rule_places.thresholds[hidden.threshold].warning(message, help));
        }
    }

    fn here(&self, mistake: Mistake) -> Problem {
        Problem { file: Arc::clone(&self.file), mistake, weight: Weight::Warning }
    }

    /// About the file as a whole: no line of it is the one that is wrong.
    fn nowhere(&self, mistake: Mistake) -> Problem {
        let file = Arc::new(SourceFile { path: self.file.path.clone(), text: String::new() });
        Problem { file, mistake, weight: Weight::Warning }
    }
}

fn at(channel: &ChannelConfig, message: String) -> Mistake {
    let span: Range<usize> = channel.span.clone();
    Mistake::new(span, message)
}

impl Spot {
    fn warning(&self, message: String, help: &str) -> Problem {
        let mistake = Mistake::new(self.span.clone(), message).help(help);
        Problem { file: Arc::clone(&self.file), mistake, weight: Weight::Warning }
    }
}
